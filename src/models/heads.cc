#include "models/heads.h"

#include <algorithm>

#include "polymath/error.h"

namespace polymath {

HeadFunction base_head(std::function<Tensor(const Tensor&, const Step&)> pooler) {
  return [pooler = std::move(pooler)](const Tensor& hidden, const Step& step) {
    std::vector<Output> outputs{{"last_hidden_state", hidden, true}};
    if (pooler) outputs.push_back({"pooler_output", pooler(hidden, step), false});
    return outputs;
  };
}

HeadFunction token_classification_head(Linear classifier, float dropped) {
  return [classifier = std::move(classifier), dropped](const Tensor& hidden, const Step&) {
    return std::vector<Output>{{"logits", classifier(dropout(hidden, dropped)), true}};
  };
}

HeadFunction question_answering_head(Linear qa_outputs, float dropped) {
  return [qa_outputs = std::move(qa_outputs), dropped](const Tensor& hidden, const Step&) {
    const Tensor logits = qa_outputs(dropout(hidden, dropped));  // [rows, 2]
    return std::vector<Output>{{"start_logits", take_columns(logits, 0, 1).reshaped({logits.rows()}), true},
                               {"end_logits", take_columns(logits, 1, 2).reshaped({logits.rows()}), true}};
  };
}

HeadFunction sequence_classification_head(std::function<Tensor(const Tensor&, const Step&)> pool, Linear classifier, float dropped) {
  return [pool = std::move(pool), classifier = std::move(classifier), dropped](const Tensor& hidden, const Step& step) {
    return std::vector<Output>{{"logits", classifier(dropout(pool(hidden, step), dropped)), false}};
  };
}

HeadFunction multiple_choice_head(std::function<Tensor(const Tensor&, const Step&)> pool, const Scope& classifier, std::int64_t d, float dropped) {
  return sequence_classification_head(std::move(pool), Linear(classifier, d, 1), dropped);
}

Tensor MaskedLmHead::operator()(const Tensor& hidden, const Step& step) const {
  return decoder(norm(dense(head_rows(hidden, step), act)));
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
    const TensorView* found = scope.find(name);
    // Where nothing is tied, the one beside the weight is what Transformers adds.
    if (found && (!bias || (!tied && name.substr(0, name.rfind('.')) == own.substr(0, own.rfind('.'))))) bias = found;
  }
  // A head that is made anew has one, too.
  if (!bias && !bias_names.empty() && scope.weights->makes()) bias = scope.weights->made((scope / bias_names[0]).path, {weight->shape[0]});
  return Linear(*weight, bias, type_of_head(scope.weights->type()));
}

Tensor head_rows(const Tensor& hidden, const Step& step) { return step.head_rows.empty() ? hidden : take_rows(hidden, step.head_rows); }

HeadFunction lm_head(Linear decoder) {
  return [decoder = std::move(decoder)](const Tensor& hidden, const Step& step) {
    return std::vector<Output>{{"logits", decoder(head_rows(hidden, step)), true}};
  };
}

HeadFunction causal_lm_head(const Config& config, const Scope& scope, const std::string& own, const std::string& embeddings, bool tied) {
  return lm_head(tied_decoder(config, scope, own, embeddings, {}, tied));
}

namespace {

// The step with the row (of a sequence s, at this column) that the mask hides: a query, but no key.
Step with_hidden_row(const Step& step, std::size_t s, std::int32_t column) {
  Step more = step;
  const auto first = step.column.begin() + step.begin[s], last = step.column.begin() + step.begin[s + 1];
  const auto at = std::lower_bound(first, last, column) - step.column.begin();
  more.is_key.resize(step.ids.size(), 1);
  more.ids.insert(more.ids.begin() + at, step.padded_ids[static_cast<std::size_t>(static_cast<std::int64_t>(s) * step.columns + column)]);
  more.column.insert(more.column.begin() + at, column);
  more.is_key.insert(more.is_key.begin() + at, 0);
  if (!step.type_ids.empty()) more.type_ids.insert(more.type_ids.begin() + at, 0);
  if (!step.position_ids.empty()) more.position_ids.insert(more.position_ids.begin() + at, column);
  for (std::size_t later = s + 1; later < more.begin.size(); ++later) ++more.begin[later];
  return more;
}

}  // namespace

LastTokens::LastTokens(const Step& asked, std::int64_t pad) : step(asked) {
  std::vector<std::int32_t> columns;  // of a padded batch: the last that does not hold pad_token_id, or the first
  for (int s = 0; asked.columns > 0 && s < asked.sequences(); ++s) {
    auto column = static_cast<std::int32_t>(asked.columns - 1);
    while (column > 0 && asked.padded_ids[static_cast<std::size_t>(s * asked.columns + column)] == pad) --column;
    columns.push_back(column);
    const auto first = step.column.begin() + step.begin[static_cast<std::size_t>(s)], last = step.column.begin() + step.begin[static_cast<std::size_t>(s) + 1];
    if (std::find(first, last, column) == last) step = with_hidden_row(step, static_cast<std::size_t>(s), column);
  }
  for (int s = 0; s < step.sequences(); ++s) {
    const std::int32_t begin = step.begin[static_cast<std::size_t>(s)];
    std::int32_t row = step.begin[static_cast<std::size_t>(s) + 1] - 1;
    const auto is_last = [&](std::size_t r) { return columns.empty() ? step.ids[r] != pad : step.column[r] == columns[static_cast<std::size_t>(s)]; };
    while (row > begin && !is_last(static_cast<std::size_t>(row))) --row;
    rows.push_back(row);
  }
}

HeadFunction decoder_head(const Config& c, Head head, const Scope& w, const DecoderHead& n) {
  switch (head) {
    case Head::kBase: return base_head();
    case Head::kCausalLm: return causal_lm_head(c, w, n.lm_head, n.embeddings, n.tied);
    case Head::kTokenClassification:
      return token_classification_head(Linear(w / n.token_classifier, n.d, c.num_labels()), c.opt_rate("classifier_dropout", c.opt("hidden_dropout", 0.1)));
    case Head::kQuestionAnswering: return question_answering_head(Linear(w / "qa_outputs", n.d, 2));
    default: no_such_head(c);
  }
}

std::function<Tensor(const Tensor&, const Step&)> first_token_pooler(Linear dense, Activation activation, float dropped) {
  return [dense = std::move(dense), activation, dropped](const Tensor& hidden, const Step& step) {
    return dense(dropout(first_rows(hidden, step), dropped), activation);
  };
}

void no_such_head(const Config& config) {
  throw Error(ErrorCode::kUnsupported, "this architecture has no such head here", "config.json: " + config.architecture());
}

}  // namespace polymath
