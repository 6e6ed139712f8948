// Llama (Touvron et al. 2023, arXiv:2302.13971) and those that differ from it in a few fields: Mistral (2310.06825),
// Qwen2 (2407.10671), Qwen3 (2505.09388).
#include "models/heads.h"
#include "nn/decoder.h"

namespace polymath {
namespace {

struct LlamaConfig {
  std::int64_t hidden_size, intermediate_size;
  int num_hidden_layers;
  double rms_norm_eps;
  Activation hidden_act;
  CausalAttentionConfig attention;
  std::vector<std::int64_t> window;  // [num_hidden_layers], -1: the layer sees all
  RopeConfig rope;

  explicit LlamaConfig(const Config& c)
      : hidden_size(c.req<std::int64_t>("hidden_size")),
        intermediate_size(c.req<std::int64_t>("intermediate_size")),
        num_hidden_layers(c.req<int>("num_hidden_layers")),
        rms_norm_eps(c.opt("rms_norm_eps", 1e-6)),
        hidden_act(activation_named(c.opt<std::string>("hidden_act", "silu"))),
        rope(rope_config(c)) {
    const int heads = c.req<int>("num_attention_heads");
    const int kv_heads = c.opt("num_key_value_heads", c.model_type() == "mistral" ? 8 : heads);
    if (kv_heads < 1 || heads % kv_heads != 0) {
      throw Error(ErrorCode::kBadFile, "must divide num_attention_heads, " + std::to_string(heads), c.path() + ": num_key_value_heads");
    }
    const auto head_dim = c.opt<std::int64_t>("head_dim", c.model_type() == "qwen3" ? 128 : hidden_size / heads);
    if (head_dim < 2 || head_dim % 2 != 0) throw Error(ErrorCode::kBadFile, "must be even", c.path() + ": head_dim");
    attention = {.hidden_size = hidden_size, .head_dim = head_dim, .num_attention_heads = heads, .num_key_value_heads = kv_heads};
    if (c.model_type() == "qwen3") attention.qk_norm_eps = rms_norm_eps;
    for (int i = 0; i < num_hidden_layers; ++i) window.push_back(window_of(c, i));
  }

  static std::int64_t window_of(const Config& c, int i) {
    const bool qwen = c.model_type().starts_with("qwen");
    if (!qwen && c.model_type() != "mistral") return -1;
    if (qwen && !c.opt("use_sliding_window", false)) return -1;
    const Json* types = c.find("layer_types");
    if (types && types->is_array() && static_cast<std::size_t>(i) < types->size()) {
      if ((*types)[static_cast<std::size_t>(i)] != "sliding_attention") return -1;
    } else if (qwen && i < c.opt("max_window_layers", 28)) {
      return -1;
    }
    const Json* field = c.find("sliding_window");
    return field && field->is_null() ? -1 : c.opt<std::int64_t>("sliding_window", 4096);
  }

  // v5 keeps rope_parameters, v4 rope_theta and rope_scaling.
  static RopeConfig rope_config(const Config& c) {
    const double most = c.opt("max_position_embeddings", 2048.0), theta = c.opt("rope_theta", 10000.0);
    const Json* parameters = c.find("rope_parameters");
    if (parameters && !parameters->is_null()) return {*parameters, theta, most, c.path() + ": rope_parameters"};
    const Json* scaling = c.find("rope_scaling");
    return {scaling ? *scaling : Json(), theta, most, c.path() + ": rope_scaling"};
  }
};

struct LlamaLayer {
  RmsNorm input_layernorm, post_attention_layernorm;
  CausalSelfAttention self_attn;
  GatedMlp mlp;

  LlamaLayer(const LlamaConfig& c, const CausalAttentionConfig& attention, const Scope& w)
      : input_layernorm(w / "input_layernorm", c.hidden_size, c.rms_norm_eps),
        post_attention_layernorm(w / "post_attention_layernorm", c.hidden_size, c.rms_norm_eps),
        self_attn(attention, w / "self_attn"),
        mlp(w / "mlp", c.hidden_size, c.intermediate_size, c.hidden_act) {}

  // x: [rows, D]
  Tensor operator()(Tensor x, const Step& step, const PassCaches& caches, int layer, const RopeTable& rope) const {
    x = self_attn(input_layernorm(x), step, caches, layer, rope, /*residual=*/x);
    return mlp(post_attention_layernorm(x), /*residual=*/x);
  }
};

struct LlamaModel {
  LlamaConfig c;
  Embedding embed_tokens;
  std::vector<LlamaLayer> layers;
  RmsNorm norm;

  LlamaModel(const Config& config, const Scope& w)
      : c(config), embed_tokens(w / "embed_tokens", c.hidden_size), norm(w / "norm", c.hidden_size, c.rms_norm_eps) {
    for (int i = 0; i < c.num_hidden_layers; ++i) {
      CausalAttentionConfig attention = c.attention;
      attention.window = c.window[static_cast<std::size_t>(i)];
      layers.emplace_back(c, attention, w / "layers" / i);
    }
  }

  KvShape kv_shape() const { return c.attention.kv_shape(c.num_hidden_layers); }

  Tensor operator()(const Step& step) const {
    const PassCaches caches(step, kv_shape());
    const RopeTable rope(c.attention.head_dim, c.rope, step.positions());
    Tensor x = embed_tokens(step.ids, "input_ids");
    for (int i = 0; i < c.num_hidden_layers; ++i) x = layers[static_cast<std::size_t>(i)](std::move(x), step, caches, i, rope);
    return norm(x);
  }
};

}  // namespace

std::unique_ptr<Model> make_llama(const Config& c, Head head, const Scope& w) {
  const auto d = c.req<std::int64_t>("hidden_size");
  HeadFunction f;
  Scope model = w / "model";
  switch (head) {
    case Head::kBase: f = base_head(); break;
    case Head::kCausalLm: f = causal_lm_head(c, w, "lm_head.weight", "model.embed_tokens.weight", /*tied=*/false); break;
    case Head::kSequenceClassification: f = last_token_classification_head(c, Linear(w / "score", d, c.num_labels())); break;
    case Head::kTokenClassification: f = token_classification_head(Linear(w / "score", d, c.num_labels())); break;
    case Head::kQuestionAnswering:
      if (w.find("transformer.embed_tokens.weight")) model = w / "transformer";
      f = question_answering_head(Linear(w / "qa_outputs", d, 2));
      break;
    default: no_such_head(c);
  }
  return decoder_model(LlamaModel(c, model), std::move(f));
}

}  // namespace polymath
