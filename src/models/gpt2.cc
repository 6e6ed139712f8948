// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners").
#include "models/gpt2.h"

#include <cmath>

#include "models/heads.h"

namespace polymath {
namespace {

struct Gpt2Config {
  std::int64_t n_embd, n_inner;
  int n_layer;
  double layer_norm_epsilon;
  Activation activation_function;
  bool scale_attn_weights, scale_attn_by_inverse_layer_idx;
  float embd_pdrop, resid_pdrop;
  CausalAttentionConfig attention;

  explicit Gpt2Config(const Config& c)
      : n_embd(c.req<std::int64_t>("n_embd")),
        n_inner(c.opt<std::int64_t>("n_inner", 4 * n_embd)),
        n_layer(c.req<int>("n_layer")),
        layer_norm_epsilon(c.opt("layer_norm_epsilon", 1e-5)),
        activation_function(activation_named(c.opt<std::string>("activation_function", "gelu_new"), "activation_function")),
        scale_attn_weights(c.opt("scale_attn_weights", true)),
        scale_attn_by_inverse_layer_idx(c.opt("scale_attn_by_inverse_layer_idx", false)),
        embd_pdrop(c.opt_rate("embd_pdrop", 0.1)),
        resid_pdrop(c.opt_rate("resid_pdrop", 0.1)) {
    const int heads = c.req_divisor("n_head", n_embd);
    attention = CausalAttentionConfig::checked(c, n_embd, n_embd / heads, heads, heads);
    attention.dropout = c.opt_rate("attn_pdrop", 0.1);
  }

  CausalAttentionConfig attention_of(int layer) const {
    CausalAttentionConfig a = attention;
    const double scale = scale_attn_weights ? 1.0 / std::sqrt(static_cast<double>(a.head_dim)) : 1.0;
    a.scale = scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale;
    return a;
  }
};

Gpt2Block gpt2_block(const Gpt2Config& c, int layer, const Scope& w) {
  return {.ln_1 = LayerNorm(w / "ln_1", c.n_embd, c.layer_norm_epsilon),
          .ln_2 = LayerNorm(w / "ln_2", c.n_embd, c.layer_norm_epsilon),
          .attention = c.attention_of(layer),
          .qkv_proj = Linear::conv1d(w / "attn.c_attn", c.n_embd, 3 * c.n_embd),
          .out_proj = Linear::conv1d(w / "attn.c_proj", c.n_embd, c.n_embd),
          .c_fc = Linear::conv1d(w / "mlp.c_fc", c.n_embd, c.n_inner),
          .c_proj = Linear::conv1d(w / "mlp.c_proj", c.n_inner, c.n_embd),
          .act = c.activation_function,
          .dropped = c.resid_pdrop};
}

}  // namespace

Tensor Gpt2Block::operator()(Tensor x, const Step& step, const PassCaches& caches, int layer) const {
  x = out_proj(attend(qkv_proj(ln_1(x)), attention, step, caches, layer), /*residual=*/x, dropped);
  return c_proj(c_fc(ln_2(x), act), /*residual=*/x, dropped);
}

Gpt2Model::Gpt2Model(std::int64_t d, double eps, float dropped, const KvShape& kv, const Scope& w, const std::function<Gpt2Block(int, const Scope&)>& make_block)
    : shape(kv), wte(w / "wte", d), wpe(w / "wpe", d), ln_f(w / "ln_f", d, eps), dropped(dropped) {
  for (int i = 0; i < shape.layers; ++i) h.push_back(make_block(i, w / "h" / i));
}

Tensor Gpt2Model::operator()(const Step& step) const {
  const PassCaches caches(step, shape);
  Tensor x = wte(step.ids, "input_ids");
  wpe.add_to(x, step.positions(), "the number of tokens");
  if (!step.type_ids.empty()) wte.add_to(x, step.type_ids, "token_type_ids");  // token types are tokens
  x = dropout(x, dropped);
  for (int i = 0; i < shape.layers; ++i) x = run_layer(h[static_cast<std::size_t>(i)], x, step, caches, i);
  return ln_f(x);
}

std::unique_ptr<Model> make_gpt2(const Config& config, Head head, const Scope& w) {
  const Gpt2Config c(config);
  w.weights->made("transformer.wte.weight", {config.opt<std::int64_t>("vocab_size", 50257), c.n_embd});  // where all is begun anew
  w.weights->made("transformer.wpe.weight", {config.opt<std::int64_t>("n_positions", 1024), c.n_embd});
  Gpt2Model model(c.n_embd, c.layer_norm_epsilon, c.embd_pdrop, c.attention.kv_shape(c.n_layer), w / "transformer",
                  [&](int layer, const Scope& block) { return gpt2_block(c, layer, block); });
  return decoder_class(std::move(model), config, head, w,
                       {.d = c.n_embd, .embeddings = "transformer.wte.weight", .tied = true, .token_classifier = "classifier"});
}

}  // namespace polymath
