// Gemma 2 (Gemma Team 2024, arXiv:2408.00118) and Gemma 3's text model (2025, arXiv:2503.19786): norms on both sides of attention
// and feed forward, layers that see a window in turn with layers that see all, capped scores or normed queries and keys.
#include <cmath>

#include "models/heads.h"
#include "nn/decoder.h"

namespace polymath {
namespace {

// 0: none, which the field says by null.
double cap_of(const Config& c, const std::string& field, double absent) {
  const Json* found = c.find(field);
  if (!found || found->is_null()) return found ? 0 : absent;
  const double cap = std::fabs(c.opt(field, 0.0));
  if (!(cap > 0)) throw Error(ErrorCode::kBadFile, "must not be 0", c.path() + ": " + field);
  return cap;
}

struct GemmaConfig {
  std::int64_t hidden_size, intermediate_size;
  int num_hidden_layers;
  double rms_norm_eps;
  Activation hidden_activation;
  CausalAttentionConfig attention;
  std::int64_t sliding_window;
  RopeConfig full, sliding;  // of the layers' kinds

  explicit GemmaConfig(const Config& c)
      : hidden_size(c.req<std::int64_t>("hidden_size")),
        intermediate_size(c.req<std::int64_t>("intermediate_size")),
        num_hidden_layers(c.req<int>("num_hidden_layers")),
        rms_norm_eps(c.opt("rms_norm_eps", 1e-6)),
        hidden_activation(activation_named(c.opt<std::string>("hidden_activation", "gelu_pytorch_tanh"), "hidden_activation")) {
    const auto head_dim = c.opt<std::int64_t>("head_dim", 256);
    if (head_dim % 2 != 0) throw Error(ErrorCode::kBadFile, "must be even", c.path() + ": head_dim");
    attention = CausalAttentionConfig::checked(c, hidden_size, head_dim, c.req<int>("num_attention_heads"), c.opt("num_key_value_heads", 4));
    const double scalar = c.opt("query_pre_attn_scalar", 256.0);
    if (!(scalar > 0)) throw Error(ErrorCode::kBadFile, "must be above 0", c.path() + ": query_pre_attn_scalar");
    attention.scale = 1.0 / std::sqrt(scalar);
    const Json* window = c.find("sliding_window");
    sliding_window = window && window->is_null() ? -1 : c.opt<std::int64_t>("sliding_window", 4096);
    if (c.model_type() == "gemma2") {
      attention.softcap = cap_of(c, "attn_logit_softcapping", 50.0);
      full = sliding = RopeConfig::of(c, c.opt("rope_theta", 10000.0));
      return;
    }
    attention.qk_norm_eps = rms_norm_eps;
    attention.qk_norm_offset = 1;
    attention.causal = !c.opt("use_bidirectional_attention", false);
    if (!attention.causal && sliding_window >= 0) sliding_window = sliding_window / 2 + 1;  // half of it to each side
    full = rope_of(c, "full_attention", c.opt("rope_theta", 1e6), "rope_scaling");
    sliding = rope_of(c, "sliding_attention", c.opt("rope_local_base_freq", 10000.0), nullptr);
  }

  // v5 keeps rope_parameters for each kind of layer, v4 what scales the full ones' in rope_scaling.
  static RopeConfig rope_of(const Config& c, const char* kind, double theta, const char* scaling) {
    const double most = c.opt("max_position_embeddings", 131072.0);
    Json merged = Json::object();
    const Json* parameters = c.find("rope_parameters");
    if (parameters && parameters->is_object() && parameters->contains(kind) && (*parameters)[kind].is_object()) merged = (*parameters)[kind];
    const Json* old = scaling ? c.find(scaling) : nullptr;
    if (old && old->is_object()) merged.update(*old);
    return {merged, theta, most, c.path() + ": rope_parameters: " + kind};
  }

  static bool slides(const Config& c, int layer) {
    const Json* types = c.find("layer_types");
    if (types && types->is_array() && static_cast<std::size_t>(layer) < types->size()) return (*types)[static_cast<std::size_t>(layer)] == "sliding_attention";
    const int pattern = c.model_type() == "gemma2" ? 2 : c.opt("sliding_window_pattern", 6);
    if (pattern < 1) throw Error(ErrorCode::kBadFile, "must be at least 1", c.path() + ": sliding_window_pattern");
    return (layer + 1) % pattern != 0;
  }
};

struct GemmaLayer {
  RmsNorm input_layernorm, post_attention_layernorm, pre_feedforward_layernorm, post_feedforward_layernorm;
  CausalSelfAttention self_attn;
  GatedMlp mlp;
  bool slides;

  GemmaLayer(const GemmaConfig& c, const CausalAttentionConfig& attention, bool slides, const Scope& w)
      : input_layernorm(norm(c, w / "input_layernorm")),
        post_attention_layernorm(norm(c, w / "post_attention_layernorm")),
        pre_feedforward_layernorm(norm(c, w / "pre_feedforward_layernorm")),
        post_feedforward_layernorm(norm(c, w / "post_feedforward_layernorm")),
        self_attn(attention, w / "self_attn"),
        mlp(w / "mlp", c.hidden_size, c.intermediate_size, c.hidden_activation),
        slides(slides) {}

  static RmsNorm norm(const GemmaConfig& c, const Scope& w) { return RmsNorm(w, c.hidden_size, c.rms_norm_eps, /*offset=*/1); }

  // x: [rows, D]
  Tensor operator()(Tensor x, const Step& step, const PassCaches& caches, int layer, const RopeTable& rope) const {
    x = add(x, post_attention_layernorm(self_attn(input_layernorm(x), step, caches, layer, &rope)));
    return add(x, post_feedforward_layernorm(mlp(pre_feedforward_layernorm(x))));
  }
};

struct GemmaModel {
  GemmaConfig c;
  Embedding embed_tokens;
  std::vector<GemmaLayer> layers;
  RmsNorm norm;

  GemmaModel(const Config& config, const Scope& w)
      : c(config), embed_tokens(w / "embed_tokens", c.hidden_size, config.padding_idx()), norm(GemmaLayer::norm(c, w / "norm")) {
    for (int i = 0; i < c.num_hidden_layers; ++i) {
      const bool slides = GemmaConfig::slides(config, i);
      CausalAttentionConfig attention = c.attention;
      attention.window = slides ? c.sliding_window : -1;
      layers.emplace_back(c, attention, slides, w / "layers" / i);
    }
  }

  KvShape kv_shape() const { return c.attention.kv_shape(c.num_hidden_layers); }

  Tensor operator()(const Step& asked) const {
    if (!c.attention.causal && !asked.cache.empty()) {
      throw Error(ErrorCode::kUnsupported, "what a token sees hangs on those that follow: nothing of it can be cached", "use_bidirectional_attention");
    }
    const RenewedStep renewed(asked, {&c.full, &c.sliding});
    const Step& step = renewed.step();
    const PassCaches caches(step, kv_shape());
    const RopeTable full(c.attention.head_dim, c.full, step), sliding(c.attention.head_dim, c.sliding, step);
    Tensor x = scaled(embed_tokens(step.ids, "input_ids"), std::sqrt(static_cast<float>(c.hidden_size)));
    for (std::size_t i = 0; i < layers.size(); ++i) x = run_layer(layers[i], x, step, caches, static_cast<int>(i), layers[i].slides ? sliding : full);
    return renewed.rows_asked(norm(x));
  }
};

}  // namespace

std::unique_ptr<Model> make_gemma2(const Config& c, Head head, const Scope& w) {
  const DecoderHead names{.d = c.req<std::int64_t>("hidden_size"), .embeddings = "model.embed_tokens.weight", .tied = true};
  const auto cap = static_cast<float>(cap_of(c, "final_logit_softcapping", c.model_type() == "gemma2" ? 30.0 : 0.0));
  if (head != Head::kCausalLm || cap == 0) return decoder_class(GemmaModel(c, w / "model"), c, head, w, names);
  return decoder_model(GemmaModel(c, w / "model"), [lm = decoder_head(c, head, w, names), cap](const Tensor& hidden, const Step& step) {
    auto outputs = lm(hidden, step);
    outputs[0].value = softcapped(outputs[0].value, cap);
    return outputs;
  });
}

}  // namespace polymath
