// BERT (Devlin et al. 2018, arXiv:1810.04805) and those that differ from it in names, positions and heads:
// RoBERTa (1907.11692), XLM-RoBERTa (1911.02116), CamemBERT (1911.03894), ELECTRA (2003.10555).
#include "models/bert.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "models/heads.h"
#include "models/relative_key.h"

namespace polymath {
namespace {

float hidden_dropout(const Config& c) { return c.opt_rate("hidden_dropout_prob", 0.1); }
float classifier_dropout(const Config& c) { return c.opt_rate("classifier_dropout", c.opt("hidden_dropout_prob", 0.1)); }

PostNormConfig layer_config(const Config& c) {
  return {.hidden_size = c.req<std::int64_t>("hidden_size"),
          .intermediate_size = c.req<std::int64_t>("intermediate_size"),
          .num_attention_heads = c.req_divisor("num_attention_heads", c.req<std::int64_t>("hidden_size")),
          .layer_norm_eps = c.opt("layer_norm_eps", 1e-12),
          .hidden_act = activation_named(c.opt<std::string>("hidden_act", "gelu")),
          .causal = c.opt("is_decoder", false),
          .attention_dropout = c.opt_rate("attention_probs_dropout_prob", 0.1),
          .attention_output_dropout = hidden_dropout(c),
          .output_dropout = hidden_dropout(c)};
}

const PostNormNames kNames{.query = "attention.self.query", .key = "attention.self.key", .value = "attention.self.value",
                           .attention_output = "attention.output.dense", .attention_norm = "attention.output.LayerNorm",
                           .up = "intermediate.dense", .down = "output.dense", .output_norm = "output.LayerNorm"};

}  // namespace

std::vector<std::int32_t> positions_after_padding(const Step& step, std::int32_t padding_idx) {
  if (!step.position_ids.empty()) return step.position_ids;
  std::vector<std::int32_t> position;
  position.reserve(step.ids.size());
  if (step.padded_ids.empty()) {
    for (int s = 0; s < step.sequences(); ++s) {
      std::int32_t count = 0;
      for (auto r = static_cast<std::size_t>(step.begin[s]); r < static_cast<std::size_t>(step.begin[s + 1]); ++r) {
        position.push_back(step.ids[r] == padding_idx ? padding_idx : padding_idx + ++count);
      }
    }
    return position;
  }
  for (int s = 0; s < step.sequences(); ++s) {  // ids that the mask hides count too
    std::vector<std::int32_t> all;
    std::int32_t count = 0;
    for (std::int64_t c = 0; c < step.columns; ++c) {
      const std::int32_t id = step.padded_ids[static_cast<std::size_t>(s * step.columns + c)];
      all.push_back(id == padding_idx ? padding_idx : padding_idx + ++count);
    }
    for (auto r = static_cast<std::size_t>(step.begin[s]); r < static_cast<std::size_t>(step.begin[s + 1]); ++r) {
      position.push_back(all[static_cast<std::size_t>(step.column[r])]);
    }
  }
  return position;
}

BertEmbeddings::BertEmbeddings(const Config& c, const Scope& w, std::int64_t d, bool positions_from_padding)
    : word_embeddings_(w / "word_embeddings", d, c.padding_idx(positions_from_padding ? 1 : 0)),
      position_embeddings_(w / "position_embeddings", d, positions_from_padding ? c.padding_idx(1) : std::nullopt),
      token_type_embeddings_(w / "token_type_embeddings", d),
      norm_(w / "LayerNorm", d, c.opt("layer_norm_eps", 1e-12)),
      dropout_(c.opt_rate("hidden_dropout_prob", c.model_type() == "albert" ? 0 : 0.1)),
      padding_idx_(positions_from_padding ? static_cast<std::int32_t>(c.opt<std::int64_t>("pad_token_id", 1)) : -1),
      add_positions_(c.opt<std::string>("position_embedding_type", "absolute") == "absolute") {}

Tensor BertEmbeddings::operator()(const Step& step) const {
  // Transformers 4.57.6, which pipelines follow, takes missing token types from a buffer as long as the position table, also
  // where padding needs no positions. A padded batch of `forward` follows the newest version, which does not.
  for (int s = 0; step.type_ids.empty() && step.columns == 0 && s < step.sequences(); ++s) {
    const auto length = step.begin[static_cast<std::size_t>(s) + 1] - step.begin[static_cast<std::size_t>(s)];
    if (add_positions_ && length > position_embeddings_.entries()) {
      throw Error(ErrorCode::kInvalidArgument, std::to_string(length) + " is more than the model's " + std::to_string(position_embeddings_.entries()) + " positions", "the number of tokens");
    }
  }
  Tensor x = word_embeddings_(step.ids, "input_ids");
  const std::vector<std::int32_t> no_types(step.type_ids.empty() ? step.ids.size() : 0, 0);
  token_type_embeddings_.add_to(x, step.type_ids.empty() ? no_types : step.type_ids, "token_type_ids");
  if (add_positions_) {
    position_embeddings_.add_to(x, padding_idx_ >= 0 ? positions_after_padding(step, padding_idx_) : step.positions(),
                                "the number of tokens");
  }
  return dropout(norm_(x), dropout_);
}

namespace {

struct BertEncoder {
  BertEmbeddings embeddings;
  Linear embeddings_project;  // ELECTRA with embedding_size != hidden_size
  bool project = false;
  std::vector<PostNormLayer> layer;
  std::vector<RelativeKey> relative;  // one per layer, or none

  BertEncoder(const Config& c, const Scope& w, bool positions_from_padding)
      : embeddings(c, w / "embeddings", embedding_size(c), positions_from_padding),
        project(embedding_size(c) != c.req<std::int64_t>("hidden_size")) {
    if (project) embeddings_project = Linear(w / "embeddings_project", embedding_size(c), c.req<std::int64_t>("hidden_size"));
    const int layers = c.req<int>("num_hidden_layers");
    layer = each<PostNormLayer>(layers, w / "encoder" / "layer", layer_config(c), kNames);
    relative = relative_keys(c, w / "encoder" / "layer", layers, "attention.self", /*scaled=*/true);
  }

  static std::int64_t embedding_size(const Config& c) {
    return c.model_type() == "electra" ? c.opt<std::int64_t>("embedding_size", 128) : c.req<std::int64_t>("hidden_size");
  }

  Tensor operator()(const Step& step) const {
    Tensor x = embeddings(step);
    if (project) x = embeddings_project(x);
    for (std::size_t i = 0; i < layer.size(); ++i) {
      x = run_layer(layer[i], x, step, relative.empty() ? nullptr : relative[i].term(step));
    }
    return x;
  }
};

struct Sizes {
  std::int64_t hidden, labels;
  float dropped;  // of what a classifier reads
  explicit Sizes(const Config& c) : hidden(c.req<std::int64_t>("hidden_size")), labels(c.num_labels()), dropped(classifier_dropout(c)) {}
};

std::function<Tensor(const Tensor&, const Step&)> pooler(const Scope& w, std::int64_t d) {
  return first_token_pooler(Linear(w / "pooler.dense", d, d), Activation::kTanh);
}

}  // namespace

std::unique_ptr<Model> make_bert(const Config& c, Head head, const Scope& w) {
  const Scope bert = w / "bert";
  const Sizes n(c);
  for (const auto& [table, field, usual] : {std::tuple{"word", "vocab_size", 30522}, {"position", "max_position_embeddings", 512}, {"token_type", "type_vocab_size", 2}}) {
    w.weights->made((bert / "embeddings").path + "." + table + "_embeddings.weight", {c.opt<std::int64_t>(field, usual), n.hidden});  // where all is begun anew
  }
  auto classifier = [&] { return Linear(w / "classifier", n.hidden, n.labels); };
  auto predictions = [&] {
    const Scope p = w / "cls.predictions";
    return MaskedLmHead{Linear(p / "transform.dense", n.hidden, n.hidden),
                        activation_named(c.opt<std::string>("hidden_act", "gelu")),
                        LayerNorm(p / "transform.LayerNorm", n.hidden, c.opt("layer_norm_eps", 1e-12)),
                        tied_decoder(c, w, "cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight",
                                     {"cls.predictions.bias", "cls.predictions.decoder.bias"})};
  };
  auto relationship = [&] { return Linear(w / "cls.seq_relationship", n.hidden, 2); };
  HeadFunction f;
  switch (head) {
    case Head::kBase: f = bert.find("pooler.dense.weight") ? base_head(pooler(bert, n.hidden)) : base_head(); break;
    case Head::kMaskedLm: f = masked_lm_head(predictions()); break;
    case Head::kSequenceClassification: f = sequence_classification_head(pooler(bert, n.hidden), classifier(), n.dropped); break;
    case Head::kTokenClassification: f = token_classification_head(classifier(), n.dropped); break;
    case Head::kQuestionAnswering: f = question_answering_head(Linear(w / "qa_outputs", n.hidden, 2)); break;
    case Head::kCausalLm: f = masked_lm_head(predictions()); break;
    case Head::kMultipleChoice: f = multiple_choice_head(pooler(bert, n.hidden), w / "classifier", n.hidden, n.dropped); break;
    case Head::kNextSentencePrediction: f = sequence_classification_head(pooler(bert, n.hidden), relationship(), 0); break;
    case Head::kPreTraining:
      f = [mlm = predictions(), pool = pooler(bert, n.hidden), nsp = relationship()](const Tensor& hidden, const Step& step) {
        return std::vector<Output>{{"prediction_logits", mlm(hidden, step), true},
                                   {"seq_relationship_logits", nsp(pool(hidden, step)), false}};
      };
      break;
    default: no_such_head(c);
  }
  return encoder_model(BertEncoder(c, bert, /*positions_from_padding=*/false), std::move(f));
}

std::unique_ptr<Model> make_roberta(const Config& c, Head head, const Scope& w) {
  const Scope roberta = w / "roberta";
  const Sizes n(c);
  HeadFunction f;
  switch (head) {
    case Head::kBase: f = roberta.find("pooler.dense.weight") ? base_head(pooler(roberta, n.hidden)) : base_head(); break;
    case Head::kMaskedLm:
    case Head::kCausalLm:
      f = masked_lm_head({Linear(w / "lm_head.dense", n.hidden, n.hidden), Activation::kGelu,
                          LayerNorm(w / "lm_head.layer_norm", n.hidden, c.opt("layer_norm_eps", 1e-12)),
                          tied_decoder(c, w, "lm_head.decoder.weight", "roberta.embeddings.word_embeddings.weight",
                                       {"lm_head.bias", "lm_head.decoder.bias"})});
      break;
    case Head::kSequenceClassification:
      f = sequence_classification_head(first_token_pooler(Linear(w / "classifier.dense", n.hidden, n.hidden), Activation::kTanh, n.dropped),
                                       Linear(w / "classifier.out_proj", n.hidden, n.labels), n.dropped);
      break;
    case Head::kTokenClassification: f = token_classification_head(Linear(w / "classifier", n.hidden, n.labels), n.dropped); break;
    case Head::kQuestionAnswering: f = question_answering_head(Linear(w / "qa_outputs", n.hidden, 2)); break;
    case Head::kMultipleChoice: f = multiple_choice_head(pooler(roberta, n.hidden), w / "classifier", n.hidden, hidden_dropout(c)); break;
    default: no_such_head(c);
  }
  return encoder_model(BertEncoder(c, roberta, /*positions_from_padding=*/true), std::move(f));
}

// ElectraSequenceSummary: one vector for a sequence, of all its columns, padding included.
std::function<Tensor(const Tensor&, const Step&)> electra_summary(const Config& c, const Scope& w) {
  const auto d = c.req<std::int64_t>("hidden_size");
  const auto type = c.opt<std::string>("summary_type", "first");
  if (type != "first" && type != "last" && type != "mean" && type != "cls_index") {
    throw Error(ErrorCode::kUnsupported, "\"" + type + "\" is not one of first, last, mean, cls_index", c.path() + ": summary_type");
  }
  const Json* named = c.find("summary_activation");
  const auto name = named && named->is_null() ? "" : c.opt<std::string>("summary_activation", "gelu");
  const Activation act = name.empty() ? Activation::kNone : activation_named(name, "summary_activation");
  const bool project = c.opt("summary_use_proj", true);
  const Linear summary = project ? Linear(w, d, d) : Linear();
  const float dropped = c.opt_rate("summary_first_dropout", 0);
  return [=](const Tensor& hidden, const Step& step) {
    std::vector<std::vector<std::int32_t>> rows;  // whose mean is taken
    for (std::size_t s = 0; s < static_cast<std::size_t>(step.sequences()); ++s) {
      std::vector<std::int32_t> of_sequence(static_cast<std::size_t>(step.begin[s + 1] - step.begin[s]));
      std::iota(of_sequence.begin(), of_sequence.end(), step.begin[s]);
      if (type == "first") of_sequence.resize(1);
      if (type == "last" || type == "cls_index") of_sequence.erase(of_sequence.begin(), of_sequence.end() - 1);
      rows.push_back(std::move(of_sequence));
    }
    const Tensor pooled = dropout(mean_of_rows(hidden, rows), dropped);
    return project ? summary(pooled, act) : activate(pooled, act);
  };
}

std::unique_ptr<Model> make_electra(const Config& c, Head head, const Scope& w) {
  const Scope electra = w / "electra";
  const Sizes n(c);
  const std::int64_t embedding = BertEncoder::embedding_size(c);
  HeadFunction f;
  switch (head) {
    case Head::kBase: f = base_head(); break;
    case Head::kMaskedLm:
    case Head::kCausalLm:
      f = masked_lm_head({Linear(w / "generator_predictions.dense", n.hidden, embedding), Activation::kGelu,
                          LayerNorm(w / "generator_predictions.LayerNorm", embedding, c.opt("layer_norm_eps", 1e-12)),
                          tied_decoder(c, w, "generator_lm_head.weight", "electra.embeddings.word_embeddings.weight",
                                       {"generator_lm_head.bias"})});
      break;
    case Head::kSequenceClassification:
      f = sequence_classification_head(first_token_pooler(Linear(w / "classifier.dense", n.hidden, n.hidden), Activation::kGelu, n.dropped),
                                       Linear(w / "classifier.out_proj", n.hidden, n.labels), n.dropped);
      break;
    case Head::kTokenClassification: f = token_classification_head(Linear(w / "classifier", n.hidden, n.labels), n.dropped); break;
    case Head::kQuestionAnswering: f = question_answering_head(Linear(w / "qa_outputs", n.hidden, 2)); break;
    case Head::kPreTraining:  // the discriminator: one logit a token
      f = [dense = Linear(w / "discriminator_predictions.dense", n.hidden, n.hidden),
           act = activation_named(c.opt<std::string>("hidden_act", "gelu")),
           prediction = Linear(w / "discriminator_predictions.dense_prediction", n.hidden, 1)](const Tensor& hidden, const Step&) {
        const Tensor logits = prediction(dense(hidden, act));
        return std::vector<Output>{{"logits", logits.reshaped({logits.rows()}), true}};
      };
      break;
    case Head::kMultipleChoice: f = multiple_choice_head(electra_summary(c, w / "sequence_summary.summary"), w / "classifier", n.hidden, c.opt_rate("summary_last_dropout", 0.1)); break;
    default: no_such_head(c);
  }
  return encoder_model(BertEncoder(c, electra, /*positions_from_padding=*/false), std::move(f));
}

}  // namespace polymath
