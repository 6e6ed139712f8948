// BLOOM (BigScience 2022, arXiv:2211.05100): scores grow with the key's place (ALiBi, Press et al. 2021, arXiv:2108.12409).
#include <cmath>

#include "models/heads.h"
#include "nn/decoder.h"
#include "nn/scalar_math.h"

namespace polymath {
namespace {

// Those of a power of two of heads are a geometric series; heads beyond it take every other one of the next power's.
std::vector<float> alibi_slopes(int heads) {
  int log2 = 0;
  while (heads >> (log2 + 1)) ++log2;
  std::vector<float> slopes;
  const auto append = [&](int log2_of_all, int step) {
    const auto base = static_cast<float>(scalar_pow(2.0, -std::ldexp(1.0, 3 - log2_of_all)));
    for (int power = 1; static_cast<int>(slopes.size()) < std::min(heads, step == 1 ? 1 << log2 : heads); power += step) {
      slopes.push_back(static_cast<float>(scalar_pow(static_cast<double>(base), power)));
    }
  };
  append(log2, 1);
  append(log2 + 1, 2);
  return slopes;
}

struct BloomConfig {
  std::int64_t hidden_size;
  int n_layer, n_head;
  double layer_norm_epsilon;
  bool apply_residual_connection_post_layernorm;
  bool biased;  // in parts, as it was trained, the output projections are added up without their biases
  float hidden_dropout;
  CausalAttentionConfig attention;

  explicit BloomConfig(const Config& c)
      : hidden_size(c.opt<std::int64_t>("n_embed", 0)),
        n_layer(c.req<int>("n_layer")),
        layer_norm_epsilon(c.opt("layer_norm_epsilon", 1e-5)),
        apply_residual_connection_post_layernorm(c.opt("apply_residual_connection_post_layernorm", false)),
        biased(!(c.opt("slow_but_exact", false) && c.opt("pretraining_tp", 1) > 1)),
        hidden_dropout(c.opt_rate("hidden_dropout", 0)) {
    if (hidden_size < 1) hidden_size = c.req<std::int64_t>("hidden_size");
    n_head = c.req_divisor("n_head", hidden_size);
    attention = CausalAttentionConfig::checked(c, hidden_size, hidden_size / n_head, n_head, n_head);
  }

  Linear output(const Scope& w, std::int64_t k) const {
    return biased ? Linear(w, k, hidden_size) : Linear(w.tensor("weight", {hidden_size, k}), nullptr, w.weights->type());
  }
};

struct BloomBlock {
  LayerNorm input_layernorm, post_attention_layernorm;
  Linear query_key_value, dense, dense_h_to_4h, dense_4h_to_h;

  BloomBlock(const BloomConfig& c, const Scope& w)
      : input_layernorm(w / "input_layernorm", c.hidden_size, c.layer_norm_epsilon),
        post_attention_layernorm(w / "post_attention_layernorm", c.hidden_size, c.layer_norm_epsilon),
        query_key_value(Linear::query_key_value(w / "self_attention.query_key_value", c.hidden_size, c.n_head)),
        dense(c.output(w / "self_attention.dense", c.hidden_size)),
        dense_h_to_4h(w / "mlp.dense_h_to_4h", c.hidden_size, 4 * c.hidden_size),
        dense_4h_to_h(c.output(w / "mlp.dense_4h_to_h", 4 * c.hidden_size)) {}

  // x: [rows, D]
  Tensor operator()(const Tensor& x, const BloomConfig& c, const Step& step, const PassCaches& caches, int layer) const {
    const bool normed = c.apply_residual_connection_post_layernorm;
    const Tensor read = input_layernorm(x);
    const Tensor attended = dense(attend(query_key_value(read), c.attention, step, caches, layer), /*residual=*/normed ? read : x, c.hidden_dropout);
    const Tensor fed = post_attention_layernorm(attended);
    return dense_4h_to_h(dense_h_to_4h(fed, Activation::kGeluTanh), /*residual=*/normed ? fed : attended, c.hidden_dropout);
  }
};

struct BloomModel {
  BloomConfig c;
  Embedding word_embeddings;
  LayerNorm word_embeddings_layernorm, ln_f;
  std::vector<BloomBlock> h;

  BloomModel(const Config& config, const Scope& w)
      : c(config),
        word_embeddings(w / "word_embeddings", c.hidden_size),
        word_embeddings_layernorm(w / "word_embeddings_layernorm", c.hidden_size, c.layer_norm_epsilon),
        ln_f(w / "ln_f", c.hidden_size, c.layer_norm_epsilon),
        h(each<BloomBlock>(c.n_layer, w / "h", c)) {
    c.attention.alibi_slopes = alibi_slopes(c.n_head);
  }

  KvShape kv_shape() const { return c.attention.kv_shape(c.n_layer); }

  Tensor operator()(const Step& step) const {
    const PassCaches caches(step, kv_shape());
    Tensor x = word_embeddings_layernorm(word_embeddings(step.ids, "input_ids"));
    for (int i = 0; i < c.n_layer; ++i) x = run_layer(h[static_cast<std::size_t>(i)], x, c, step, caches, i);
    return ln_f(x);
  }
};

}  // namespace

std::unique_ptr<Model> make_bloom(const Config& c, Head head, const Scope& w) {
  BloomModel model(c, w / "transformer");
  const std::int64_t d = model.c.hidden_size;
  return decoder_class(std::move(model), c, head, w,
                       {.d = d, .embeddings = "transformer.word_embeddings.weight", .tied = true, .token_classifier = "classifier"});
}

}  // namespace polymath
