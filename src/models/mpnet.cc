// MPNet (Song et al. 2020, arXiv:2004.09297): BERT's layers, RoBERTa's positions and T5's relative position bias.
#include "models/bert.h"
#include "models/heads.h"
#include "nn/relative_bias.h"

namespace polymath {
namespace {

const PostNormNames kNames{.query = "attention.attn.q", .key = "attention.attn.k", .value = "attention.attn.v",
                           .attention_output = "attention.attn.o", .attention_norm = "attention.LayerNorm",
                           .up = "intermediate.dense", .down = "output.dense", .output_norm = "output.LayerNorm"};

constexpr std::int32_t kPaddingIdx = 1;  // fixed in Transformers

struct MpnetEncoder {
  Embedding word_embeddings, position_embeddings;
  LayerNorm norm;
  float dropped;
  std::vector<PostNormLayer> layer;
  std::shared_ptr<const RelativeBias> relative_attention_bias;

  MpnetEncoder(const Config& c, const Scope& w)
      : word_embeddings(w / "embeddings.word_embeddings", c.req<std::int64_t>("hidden_size"), kPaddingIdx),
        position_embeddings(w / "embeddings.position_embeddings", c.req<std::int64_t>("hidden_size"), kPaddingIdx),
        norm(w / "embeddings.LayerNorm", c.req<std::int64_t>("hidden_size"), c.opt("layer_norm_eps", 1e-12)),
        dropped(c.opt_rate("hidden_dropout_prob", 0.1)) {
    const int heads = c.req_divisor("num_attention_heads", c.req<std::int64_t>("hidden_size"));
    const auto buckets = c.opt<std::int64_t>("relative_attention_num_buckets", 32);
    if (buckets < 32) throw Error(ErrorCode::kUnsupported, "must be at least 32", c.path() + ": relative_attention_num_buckets");
    relative_attention_bias = std::make_shared<const RelativeBias>(
        RelativeBias{RelativeBuckets(32, 128, /*bidirectional=*/true),  // fixed in Transformers
                     heads, Vector((w / "encoder.relative_attention_bias").tensor("weight", {buckets, heads}))});
    const PostNormConfig config{.hidden_size = c.req<std::int64_t>("hidden_size"),
                                .intermediate_size = c.req<std::int64_t>("intermediate_size"),
                                .num_attention_heads = heads,
                                .layer_norm_eps = c.opt("layer_norm_eps", 1e-12),
                                .hidden_act = activation_named(c.opt<std::string>("hidden_act", "gelu")),
                                .attention_dropout = c.opt_rate("attention_probs_dropout_prob", 0.1),
                                .attention_output_dropout = dropped,
                                .output_dropout = dropped};
    layer = each<PostNormLayer>(c.req<int>("num_hidden_layers"), w / "encoder.layer", config, kNames);
  }

  Tensor operator()(const Step& step) const {
    Tensor x = word_embeddings(step.ids, "input_ids");
    position_embeddings.add_to(x, positions_after_padding(step, kPaddingIdx), "the number of tokens");
    x = dropout(norm(x), dropped);
    const auto term = std::make_shared<const RelativeBiasTerm>(relative_attention_bias, step.column);
    for (const PostNormLayer& l : layer) x = run_layer(l, x, step, term);
    return x;
  }
};

}  // namespace

std::unique_ptr<Model> make_mpnet(const Config& c, Head head, const Scope& w) {
  const auto d = c.req<std::int64_t>("hidden_size"), labels = c.num_labels();
  const float dropped = c.opt_rate("hidden_dropout_prob", 0.1);
  const Scope mpnet = w / "mpnet";
  HeadFunction f;
  switch (head) {
    case Head::kBase:
      f = mpnet.find("pooler.dense.weight") ? base_head(first_token_pooler(Linear(mpnet / "pooler.dense", d, d), Activation::kTanh)) : base_head();
      break;
    case Head::kMaskedLm:
      f = masked_lm_head({Linear(w / "lm_head.dense", d, d), Activation::kGelu,
                          LayerNorm(w / "lm_head.layer_norm", d, c.opt("layer_norm_eps", 1e-12)),
                          tied_decoder(c, w, "lm_head.decoder.weight", "mpnet.embeddings.word_embeddings.weight",
                                       {"lm_head.bias", "lm_head.decoder.bias"})});
      break;
    case Head::kSequenceClassification:
      f = sequence_classification_head(first_token_pooler(Linear(w / "classifier.dense", d, d), Activation::kTanh, dropped),
                                       Linear(w / "classifier.out_proj", d, labels), dropped);
      break;
    case Head::kTokenClassification: f = token_classification_head(Linear(w / "classifier", d, labels), dropped); break;
    case Head::kQuestionAnswering: f = question_answering_head(Linear(w / "qa_outputs", d, 2)); break;
    case Head::kMultipleChoice:
      f = multiple_choice_head(first_token_pooler(Linear(mpnet / "pooler.dense", d, d), Activation::kTanh), w / "classifier", d, dropped);
      break;
    default: no_such_head(c);
  }
  return encoder_model(MpnetEncoder(c, mpnet), std::move(f));
}

}  // namespace polymath
