// DistilBERT (Sanh et al. 2019, arXiv:1910.01108): BERT's layers without token types and pooler.
#include "models/heads.h"

namespace polymath {
namespace {

const PostNormNames kNames{.query = "attention.q_lin", .key = "attention.k_lin", .value = "attention.v_lin",
                           .attention_output = "attention.out_lin", .attention_norm = "sa_layer_norm",
                           .up = "ffn.lin1", .down = "ffn.lin2", .output_norm = "output_layer_norm"};

// Transformers fixes it; config.json has no field for it.
constexpr double kEps = 1e-12;

struct DistilBertEncoder {
  Embedding word_embeddings, position_embeddings;
  LayerNorm norm;
  float dropped;
  std::vector<PostNormLayer> layer;

  DistilBertEncoder(const Config& c, const Scope& w)
      : word_embeddings(w / "embeddings.word_embeddings", c.req<std::int64_t>("dim"), c.padding_idx(0)),
        position_embeddings(w / "embeddings.position_embeddings", c.req<std::int64_t>("dim")),
        norm(w / "embeddings.LayerNorm", c.req<std::int64_t>("dim"), kEps),
        dropped(c.opt_rate("dropout", 0.1)) {
    const PostNormConfig config{.hidden_size = c.req<std::int64_t>("dim"),
                                .intermediate_size = c.req<std::int64_t>("hidden_dim"),
                                .num_attention_heads = c.req_divisor("n_heads", c.req<std::int64_t>("dim")),
                                .layer_norm_eps = kEps,
                                .hidden_act = activation_named(c.opt<std::string>("activation", "gelu"), "activation"),
                                .attention_dropout = c.opt_rate("attention_dropout", 0.1),
                                .output_dropout = dropped};
    layer = each<PostNormLayer>(c.req<int>("n_layers"), w / "transformer.layer", config, kNames);
  }

  Tensor operator()(const Step& step) const {
    Tensor x = word_embeddings(step.ids, "input_ids");
    position_embeddings.add_to(x, step.positions(), "the number of tokens");
    x = dropout(norm(x), dropped);
    for (const PostNormLayer& l : layer) x = run_layer(l, x, step);
    return x;
  }
};

}  // namespace

std::unique_ptr<Model> make_distilbert(const Config& c, Head head, const Scope& w) {
  const auto d = c.req<std::int64_t>("dim"), labels = c.num_labels();
  HeadFunction f;
  switch (head) {
    case Head::kBase: f = base_head(); break;
    case Head::kMaskedLm:
      f = masked_lm_head({Linear(w / "vocab_transform", d, d), activation_named(c.opt<std::string>("activation", "gelu"), "activation"),
                          LayerNorm(w / "vocab_layer_norm", d, kEps),
                          tied_decoder(c, w, "vocab_projector.weight", "distilbert.embeddings.word_embeddings.weight",
                                       {"vocab_projector.bias"})});
      break;
    case Head::kSequenceClassification:
      f = sequence_classification_head(first_token_pooler(Linear(w / "pre_classifier", d, d), Activation::kRelu),
                                       Linear(w / "classifier", d, labels), c.opt_rate("seq_classif_dropout", 0.2));
      break;
    case Head::kTokenClassification: f = token_classification_head(Linear(w / "classifier", d, labels), c.opt_rate("dropout", 0.1)); break;
    case Head::kQuestionAnswering: f = question_answering_head(Linear(w / "qa_outputs", d, 2), c.opt_rate("qa_dropout", 0.1)); break;
    case Head::kMultipleChoice:
      f = multiple_choice_head(first_token_pooler(Linear(w / "pre_classifier", d, d), Activation::kRelu), w / "classifier", d,
                               c.opt_rate("seq_classif_dropout", 0.2));
      break;
    default: no_such_head(c);
  }
  return encoder_model(DistilBertEncoder(c, w / "distilbert"), std::move(f));
}

}  // namespace polymath
