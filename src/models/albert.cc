// ALBERT (Lan et al. 2019, arXiv:1909.11942): few layers used many times, small embeddings projected up.
#include "models/bert.h"
#include "models/heads.h"
#include "models/relative_key.h"

namespace polymath {
namespace {

const PostNormNames kNames{.query = "attention.query", .key = "attention.key", .value = "attention.value",
                           .attention_output = "attention.dense", .attention_norm = "attention.LayerNorm",
                           .up = "ffn", .down = "ffn_output", .output_norm = "full_layer_layer_norm"};

struct AlbertEncoder {
  BertEmbeddings embeddings;
  Linear embedding_hidden_mapping_in;
  std::vector<std::vector<PostNormLayer>> groups;     // [num_hidden_groups][inner_group_num]
  std::vector<std::vector<RelativeKey>> relative;     // likewise, or empty
  int num_hidden_layers;

  AlbertEncoder(const Config& c, const Scope& w)
      : embeddings(c, w / "embeddings", c.opt<std::int64_t>("embedding_size", 128), /*positions_from_padding=*/false),
        embedding_hidden_mapping_in(w / "encoder.embedding_hidden_mapping_in", c.opt<std::int64_t>("embedding_size", 128),
                                    c.req<std::int64_t>("hidden_size")),
        num_hidden_layers(c.req<int>("num_hidden_layers")) {
    const PostNormConfig config{.hidden_size = c.req<std::int64_t>("hidden_size"),
                                .intermediate_size = c.req<std::int64_t>("intermediate_size"),
                                .num_attention_heads = c.req_divisor("num_attention_heads", c.req<std::int64_t>("hidden_size")),
                                .layer_norm_eps = c.opt("layer_norm_eps", 1e-12),
                                .hidden_act = activation_named(c.opt<std::string>("hidden_act", "gelu_new")),
                                .attention_dropout = c.opt_rate("attention_probs_dropout_prob", 0),
                                .attention_output_dropout = c.opt_rate("hidden_dropout_prob", 0)};
    // Layers share their weights, so no missing tensor bounds their number.
    if (num_hidden_layers > 1000) throw Error(ErrorCode::kBadFile, "is " + std::to_string(num_hidden_layers) + ", must be at most 1000", c.path() + ": num_hidden_layers");
    const int inner = c.opt("inner_group_num", 1);
    if (inner < 1) throw Error(ErrorCode::kBadFile, "must be at least 1", c.path() + ": inner_group_num");
    const int hidden_groups = c.opt("num_hidden_groups", 1);
    if (hidden_groups < 1 || hidden_groups > num_hidden_layers) {
      throw Error(ErrorCode::kBadFile, "must lie between 1 and num_hidden_layers", c.path() + ": num_hidden_groups");
    }
    for (int g = 0; g < hidden_groups; ++g) {
      const Scope layers = w / "encoder.albert_layer_groups" / g / "albert_layers";
      groups.push_back(each<PostNormLayer>(inner, layers, config, kNames));
      auto keys = relative_keys(c, layers, inner, "attention", /*scaled=*/false);
      if (!keys.empty()) relative.push_back(std::move(keys));
    }
  }

  Tensor operator()(const Step& step) const {
    Tensor x = embedding_hidden_mapping_in(embeddings(step));
    for (int i = 0; i < num_hidden_layers; ++i) {
      const auto group = static_cast<std::size_t>(i) * groups.size() / static_cast<std::size_t>(num_hidden_layers);
      for (std::size_t l = 0; l < groups[group].size(); ++l) {
        x = run_layer(groups[group][l], x, step, relative.empty() ? nullptr : relative[group][l].term(step));
      }
    }
    return x;
  }
};

}  // namespace

std::unique_ptr<Model> make_albert(const Config& c, Head head, const Scope& w) {
  const auto d = c.req<std::int64_t>("hidden_size"), e = c.opt<std::int64_t>("embedding_size", 128), labels = c.num_labels();
  const float dropped = c.opt_rate("classifier_dropout_prob", 0.1);
  const Scope albert = w / "albert";
  auto pooler = [&] { return first_token_pooler(Linear(albert / "pooler", d, d), Activation::kTanh); };
  auto predictions = [&] {
    return MaskedLmHead{Linear(w / "predictions.dense", d, e), activation_named(c.opt<std::string>("hidden_act", "gelu_new")),
                        LayerNorm(w / "predictions.LayerNorm", e, c.opt("layer_norm_eps", 1e-12)),
                        tied_decoder(c, w, "predictions.decoder.weight", "albert.embeddings.word_embeddings.weight",
                                     {"predictions.bias", "predictions.decoder.bias"})};
  };
  HeadFunction f;
  switch (head) {
    case Head::kBase: f = albert.find("pooler.weight") ? base_head(pooler()) : base_head(); break;
    case Head::kMaskedLm: f = masked_lm_head(predictions()); break;
    case Head::kSequenceClassification: f = sequence_classification_head(pooler(), Linear(w / "classifier", d, labels), dropped); break;
    case Head::kTokenClassification: f = token_classification_head(Linear(w / "classifier", d, labels), dropped); break;
    case Head::kQuestionAnswering: f = question_answering_head(Linear(w / "qa_outputs", d, 2)); break;
    case Head::kPreTraining:
      f = [mlm = predictions(), pool = pooler(), sop = Linear(w / "sop_classifier.classifier", d, labels), dropped](const Tensor& hidden, const Step& step) {
        return std::vector<Output>{{"prediction_logits", mlm(hidden, step), true}, {"sop_logits", sop(dropout(pool(hidden, step), dropped)), false}};
      };
      break;
    case Head::kMultipleChoice: f = multiple_choice_head(pooler(), w / "classifier", d, dropped); break;
    default: no_such_head(c);
  }
  return encoder_model(AlbertEncoder(c, albert), std::move(f));
}

}  // namespace polymath
