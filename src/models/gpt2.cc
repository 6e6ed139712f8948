// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners").
#include <cmath>

#include "models/heads.h"
#include "nn/decoder.h"

namespace polymath {
namespace {

struct Gpt2Config {
  std::int64_t n_embd, n_inner;
  int n_layer;
  double layer_norm_epsilon;
  Activation activation_function;
  bool scale_attn_weights, scale_attn_by_inverse_layer_idx;
  CausalAttentionConfig attention;

  explicit Gpt2Config(const Config& c)
      : n_embd(c.req<std::int64_t>("n_embd")),
        n_inner(c.opt<std::int64_t>("n_inner", 4 * n_embd)),
        n_layer(c.req<int>("n_layer")),
        layer_norm_epsilon(c.opt("layer_norm_epsilon", 1e-5)),
        activation_function(activation_named(c.opt<std::string>("activation_function", "gelu_new"), "activation_function")),
        scale_attn_weights(c.opt("scale_attn_weights", true)),
        scale_attn_by_inverse_layer_idx(c.opt("scale_attn_by_inverse_layer_idx", false)) {
    const int heads = c.req<int>("n_head");
    if (n_embd % heads != 0) throw Error(ErrorCode::kBadFile, "must divide n_embd, " + std::to_string(n_embd), c.path() + ": n_head");
    attention = CausalAttentionConfig::checked(c, n_embd, n_embd / heads, heads, heads);
  }

  CausalAttentionConfig attention_of(int layer) const {
    CausalAttentionConfig a = attention;
    const double scale = scale_attn_weights ? 1.0 / std::sqrt(static_cast<double>(a.head_dim)) : 1.0;
    a.scale = scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale;
    return a;
  }
};

struct Gpt2Block {
  LayerNorm ln_1, ln_2;
  CausalAttentionConfig attention;
  Linear c_attn, attn_c_proj, c_fc, mlp_c_proj;
  Activation act;

  Gpt2Block(const Gpt2Config& c, int layer, const Scope& w)
      : ln_1(w / "ln_1", c.n_embd, c.layer_norm_epsilon),
        ln_2(w / "ln_2", c.n_embd, c.layer_norm_epsilon),
        attention(c.attention_of(layer)),
        c_attn(Linear::conv1d(w / "attn.c_attn", c.n_embd, 3 * c.n_embd)),
        attn_c_proj(Linear::conv1d(w / "attn.c_proj", c.n_embd, c.n_embd)),
        c_fc(Linear::conv1d(w / "mlp.c_fc", c.n_embd, c.n_inner)),
        mlp_c_proj(Linear::conv1d(w / "mlp.c_proj", c.n_inner, c.n_embd)),
        act(c.activation_function) {}

  // x: [rows, D]
  Tensor operator()(Tensor x, const Step& step, const PassCaches& caches, int layer) const {
    x = attn_c_proj(attend(c_attn(ln_1(x)), attention, step, caches, layer), /*residual=*/x);
    return mlp_c_proj(c_fc(ln_2(x), act), /*residual=*/x);
  }
};

struct Gpt2Model {
  Gpt2Config c;
  Embedding wte, wpe;
  std::vector<Gpt2Block> h;
  LayerNorm ln_f;

  Gpt2Model(const Config& config, const Scope& w)
      : c(config), wte(w / "wte", c.n_embd), wpe(w / "wpe", c.n_embd), ln_f(w / "ln_f", c.n_embd, c.layer_norm_epsilon) {
    for (int i = 0; i < c.n_layer; ++i) h.emplace_back(c, i, w / "h" / i);
  }

  KvShape kv_shape() const { return c.attention.kv_shape(c.n_layer); }

  Tensor operator()(const Step& step) const {
    const PassCaches caches(step, kv_shape());
    Tensor x = wte(step.ids, "input_ids");
    wpe.add_to(x, step.positions(), "the number of tokens");
    if (!step.type_ids.empty()) wte.add_to(x, step.type_ids, "token_type_ids");  // token types are tokens
    for (int i = 0; i < c.n_layer; ++i) x = h[static_cast<std::size_t>(i)](std::move(x), step, caches, i);
    return ln_f(x);
  }
};

}  // namespace

std::unique_ptr<Model> make_gpt2(const Config& c, Head head, const Scope& w) {
  return decoder_class(Gpt2Model(c, w / "transformer"), c, head, w,
                       {.d = c.req<std::int64_t>("n_embd"), .embeddings = "transformer.wte.weight", .tied = true, .token_classifier = "classifier"});
}

}  // namespace polymath
