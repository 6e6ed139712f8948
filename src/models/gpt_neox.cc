// GPT-NeoX (Black et al. 2022, arXiv:2204.06745) and Pythia (Biderman et al. 2023, arXiv:2304.01373).
#include "models/heads.h"
#include "nn/decoder.h"

namespace polymath {
namespace {

struct GptNeoXConfig {
  std::int64_t hidden_size, intermediate_size;
  int num_hidden_layers, num_attention_heads;
  double layer_norm_eps;
  Activation hidden_act;
  bool use_parallel_residual;
  float hidden_dropout;
  CausalAttentionConfig attention;
  RopeConfig rope;
  std::int64_t rotary_dim;  // of each head

  explicit GptNeoXConfig(const Config& c)
      : hidden_size(c.req<std::int64_t>("hidden_size")),
        intermediate_size(c.req<std::int64_t>("intermediate_size")),
        num_hidden_layers(c.req<int>("num_hidden_layers")),
        num_attention_heads(c.req_divisor("num_attention_heads", hidden_size)),
        layer_norm_eps(c.opt("layer_norm_eps", 1e-5)),
        hidden_act(activation_named(c.opt<std::string>("hidden_act", "gelu"))),
        use_parallel_residual(c.opt("use_parallel_residual", true)),
        hidden_dropout(c.opt_rate("hidden_dropout", 0)),
        rope(RopeConfig::of(c, c.opt("rotary_emb_base", 10000.0), c.opt("rotary_pct", 0.25))) {
    attention = CausalAttentionConfig::checked(c, hidden_size, hidden_size / num_attention_heads, num_attention_heads, num_attention_heads);
    rotary_dim = static_cast<std::int64_t>(static_cast<double>(attention.head_dim) * rope.partial_rotary_factor);
    if ((rotary_dim + 1) / 2 * 2 > attention.head_dim) throw Error(ErrorCode::kBadFile, "leaves heads of an odd size", c.path() + ": num_attention_heads");
  }
};

struct GptNeoXLayer {
  LayerNorm input_layernorm, post_attention_layernorm;
  Linear query_key_value, dense, dense_h_to_4h, dense_4h_to_h;

  GptNeoXLayer(const GptNeoXConfig& c, const Scope& w)
      : input_layernorm(w / "input_layernorm", c.hidden_size, c.layer_norm_eps),
        post_attention_layernorm(w / "post_attention_layernorm", c.hidden_size, c.layer_norm_eps),
        query_key_value(Linear::query_key_value(w / "attention.query_key_value", c.hidden_size, c.num_attention_heads)),
        dense(w / "attention.dense", c.hidden_size, c.hidden_size),
        dense_h_to_4h(w / "mlp.dense_h_to_4h", c.hidden_size, c.intermediate_size),
        dense_4h_to_h(w / "mlp.dense_4h_to_h", c.intermediate_size, c.hidden_size) {}

  // x: [rows, D]
  Tensor operator()(const Tensor& x, const GptNeoXConfig& c, const Step& step, const PassCaches& caches, int layer, const RopeTable& rope) const {
    Tensor qkv = query_key_value(input_layernorm(x));
    rotate(qkv, 0, 2 * c.num_attention_heads, rope.cos, rope.sin, c.attention.head_dim);
    const Tensor attended = dense(attend(qkv, c.attention, step, caches, layer), /*residual=*/x, c.hidden_dropout);
    // In parallel, the feed forward reads what attention reads.
    const Tensor& read = c.use_parallel_residual ? x : attended;
    return dense_4h_to_h(dense_h_to_4h(post_attention_layernorm(read), c.hidden_act), /*residual=*/attended, c.hidden_dropout);
  }
};

struct GptNeoXModel {
  GptNeoXConfig c;
  Embedding embed_in;
  std::vector<GptNeoXLayer> layers;
  LayerNorm final_layer_norm;

  GptNeoXModel(const Config& config, const Scope& w)
      : c(config),
        embed_in(w / "embed_in", c.hidden_size),
        layers(each<GptNeoXLayer>(c.num_hidden_layers, w / "layers", c)),
        final_layer_norm(w / "final_layer_norm", c.hidden_size, c.layer_norm_eps) {}

  KvShape kv_shape() const { return c.attention.kv_shape(c.num_hidden_layers); }

  Tensor operator()(const Step& asked) const {
    const RenewedStep renewed(asked, {&c.rope});
    const Step& step = renewed.step();
    const PassCaches caches(step, kv_shape());
    const RopeTable rope(c.rotary_dim, c.rope, step);
    Tensor x = dropout(embed_in(step.ids, "input_ids"), c.hidden_dropout);
    for (int i = 0; i < c.num_hidden_layers; ++i) x = run_layer(layers[static_cast<std::size_t>(i)], x, c, step, caches, i, rope);
    return renewed.rows_asked(final_layer_norm(x));
  }
};

}  // namespace

std::unique_ptr<Model> make_gpt_neox(const Config& c, Head head, const Scope& w) {
  return decoder_class(GptNeoXModel(c, w / "gpt_neox"), c, head, w,
                       {.d = c.req<std::int64_t>("hidden_size"),
                        .embeddings = "gpt_neox.embed_in.weight",
                        .tied = false,
                        .token_classifier = "classifier",
                        .lm_head = w.find("lm_head.weight") ? "lm_head.weight" : "embed_out.weight"});  // its first name
}

}  // namespace polymath
