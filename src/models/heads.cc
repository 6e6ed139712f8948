#include "models/heads.h"

#include "polymath/error.h"

namespace polymath {

HeadFunction base_head(std::function<Tensor(const Tensor&, const Step&)> pooler) {
  return [pooler = std::move(pooler)](const Tensor& hidden, const Step& step) {
    std::vector<Output> outputs{{"last_hidden_state", hidden, true}};
    if (pooler) outputs.push_back({"pooler_output", pooler(hidden, step), false});
    return outputs;
  };
}

HeadFunction token_classification_head(Linear classifier) {
  return [classifier = std::move(classifier)](const Tensor& hidden, const Step&) {
    return std::vector<Output>{{"logits", classifier(hidden), true}};
  };
}

HeadFunction question_answering_head(Linear qa_outputs) {
  return [qa_outputs = std::move(qa_outputs)](const Tensor& hidden, const Step&) {
    const Tensor logits = qa_outputs(hidden);  // [rows, 2]
    return std::vector<Output>{{"start_logits", take_columns(logits, 0, 1).reshaped({logits.rows()}), true},
                               {"end_logits", take_columns(logits, 1, 2).reshaped({logits.rows()}), true}};
  };
}

HeadFunction sequence_classification_head(std::function<Tensor(const Tensor&, const Step&)> pool, Linear classifier) {
  return [pool = std::move(pool), classifier = std::move(classifier)](const Tensor& hidden, const Step& step) {
    return std::vector<Output>{{"logits", classifier(pool(hidden, step)), false}};
  };
}

HeadFunction multiple_choice_head(std::function<Tensor(const Tensor&, const Step&)> pool, const Scope& classifier, std::int64_t d) {
  return sequence_classification_head(std::move(pool), Linear(classifier, d, 1));
}

Tensor MaskedLmHead::operator()(const Tensor& hidden, const Step& step) const {
  return decoder(norm(dense(step.head_rows.empty() ? hidden : take_rows(hidden, step.head_rows), act)));
}

HeadFunction masked_lm_head(MaskedLmHead head) {
  return [head = std::move(head)](const Tensor& hidden, const Step& step) {
    return std::vector<Output>{{"logits", head(hidden, step), true}};
  };
}

Linear tied_decoder(const Config& config, const Scope& scope, const std::string& own, const std::string& embeddings,
                    const std::vector<std::string>& bias_names, bool tied) {
  tied = config.opt("tie_word_embeddings", tied);
  // An adapter of the table leaves what is tied to it alone.
  const TensorView* weight = !tied ? scope.find(own) : nullptr;
  if (tied) weight = scope.find(embeddings.substr(0, embeddings.rfind('.')) + ".base_layer.weight");
  if (tied && !weight) weight = scope.find(embeddings);
  if (!weight) weight = &scope.tensor(tied ? own : embeddings);
  const TensorView* bias = nullptr;
  for (const std::string& name : bias_names) {
    if (!bias) bias = scope.find(name);
  }
  return Linear(*weight, bias, scope.weights->type());
}

HeadFunction causal_lm_head(const Config& config, const Scope& scope, const std::string& own, const std::string& embeddings, bool tied) {
  return [decoder = tied_decoder(config, scope, own, embeddings, {}, tied)](const Tensor& hidden, const Step& step) {
    return std::vector<Output>{{"logits", decoder(step.head_rows.empty() ? hidden : take_rows(hidden, step.head_rows)), true}};
  };
}

HeadFunction last_token_classification_head(const Config& config, Linear score) {
  const auto pad = config.opt<std::int64_t>("pad_token_id", -1);
  return [pad, score = std::move(score)](const Tensor& hidden, const Step& step) {
    std::vector<std::int32_t> last;
    for (int s = 0; s < step.sequences(); ++s) {
      const std::int32_t begin = step.begin[static_cast<std::size_t>(s)];
      std::int32_t row = step.begin[static_cast<std::size_t>(s) + 1] - 1;
      while (row > begin && step.ids[static_cast<std::size_t>(row)] == pad) --row;
      last.push_back(row);
    }
    return std::vector<Output>{{"logits", score(take_rows(hidden, last)), false}};
  };
}

HeadFunction decoder_head(const Config& c, Head head, const Scope& w, std::int64_t d, const std::string& embeddings, bool tied,
                          const std::string& token_classifier) {
  switch (head) {
    case Head::kBase: return base_head();
    case Head::kCausalLm: return causal_lm_head(c, w, "lm_head.weight", embeddings, tied);
    case Head::kSequenceClassification: return last_token_classification_head(c, Linear(w / "score", d, c.num_labels()));
    case Head::kTokenClassification: return token_classification_head(Linear(w / token_classifier, d, c.num_labels()));
    case Head::kQuestionAnswering: return question_answering_head(Linear(w / "qa_outputs", d, 2));
    default: no_such_head(c);
  }
}

std::function<Tensor(const Tensor&, const Step&)> first_token_pooler(Linear dense, Activation activation) {
  return [dense = std::move(dense), activation](const Tensor& hidden, const Step& step) {
    return dense(first_rows(hidden, step), activation);
  };
}

void no_such_head(const Config& config) {
  throw Error(ErrorCode::kUnsupported, "this architecture has no such head here", "config.json: " + config.architecture());
}

}  // namespace polymath
