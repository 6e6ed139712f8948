// Llama (Touvron et al. 2023, arXiv:2302.13971) and those that differ from it in a few fields: Mistral (2310.06825),
// Phi-3 (2404.14219), Qwen2 (2407.10671), Qwen3 (2505.09388), SmolLM3.
#include "models/llama.h"

namespace polymath {
namespace {

// Where the field is null, all heads have keys and values of their own; what it is where it is absent differs.
int kv_heads_of(const Config& c, int heads) {
  const bool eight = c.model_type() == "mistral" || c.model_type() == "mixtral";
  const int absent = eight ? 8 : c.model_type() == "smollm3" ? 4 : heads;
  return c.opt("num_key_value_heads", c.find("num_key_value_heads") ? heads : absent);
}

}  // namespace

LlamaConfig::LlamaConfig(const Config& c)
    : hidden_size(c.req<std::int64_t>("hidden_size")),
      intermediate_size(c.req<std::int64_t>("intermediate_size")),
      num_hidden_layers(c.req<int>("num_hidden_layers")),
      rms_norm_eps(c.opt("rms_norm_eps", 1e-6)),
      hidden_act(activation_named(c.opt<std::string>("hidden_act", "silu"))),
      rope(RopeConfig::of(c, c.opt("rope_theta", 10000.0), c.opt("partial_rotary_factor", 1.0))) {
  const int heads = c.req<int>("num_attention_heads");
  const auto head_dim = c.opt<std::int64_t>("head_dim", c.model_type() == "qwen3" ? 128 : hidden_size / heads);
  attention = CausalAttentionConfig::checked(c, hidden_size, head_dim, heads, kv_heads_of(c, heads));
  if (c.model_type() == "qwen3") attention.qk_norm_eps = rms_norm_eps;
  rotary_dim = head_dim;
  if (c.model_type() == "phi3") {
    rotary_dim = static_cast<std::int64_t>(static_cast<double>(head_dim) * rope.partial_rotary_factor);
    if (rope.rope_type == "yarn") rope.rope_type = "longrope";  // what older checkpoints call it
  }
  if ((rotary_dim + 1) / 2 * 2 > head_dim) throw Error(ErrorCode::kBadFile, "must be even", c.path() + ": head_dim");
}

std::int64_t llama_window(const Config& c, int i) {
  const bool qwen = c.model_type().starts_with("qwen"), smollm = c.model_type() == "smollm3";
  if (c.model_type() == "llama" || (qwen && !c.opt("use_sliding_window", false))) return -1;
  const Json* types = c.find("layer_types");
  if ((qwen || smollm) && types && types->is_array() && static_cast<std::size_t>(i) < types->size()) {
    if ((*types)[static_cast<std::size_t>(i)] != "sliding_attention") return -1;
  } else if (qwen && i < c.opt("max_window_layers", 28)) {
    return -1;
  } else if (smollm && (!c.opt("use_sliding_window", false) || llama_rotates(c, i))) {
    return -1;
  }
  const Json* field = c.find("sliding_window");
  return field && field->is_null() ? -1 : c.opt<std::int64_t>("sliding_window", qwen || c.model_type() == "mistral" ? 4096 : -1);
}

// SmolLM3 leaves out positions in some layers.
bool llama_rotates(const Config& c, int i) {
  if (c.model_type() != "smollm3") return true;
  const Json* listed = c.find("no_rope_layers");
  if (listed && !listed->is_null()) {
    if (!listed->is_array() || static_cast<std::size_t>(i) >= listed->size()) {
      throw Error(ErrorCode::kBadFile, "must be a list with a number for each layer", c.path() + ": no_rope_layers");
    }
    const Json& item = (*listed)[static_cast<std::size_t>(i)];
    return item != 0 && item != false;  // in spite of the name
  }
  const int interval = c.opt("no_rope_layer_interval", 4);
  if (interval < 1) throw Error(ErrorCode::kBadFile, "must be at least 1", c.path() + ": no_rope_layer_interval");
  return (i + 1) % interval != 0;
}

std::unique_ptr<Model> make_llama(const Config& c, Head head, const Scope& w) {
  const auto d = c.req<std::int64_t>("hidden_size");
  const bool other_name = head == Head::kQuestionAnswering && w.find("transformer.embed_tokens.weight");
  const auto mlp = [](const LlamaConfig& config, const Scope& layer) {
    return GatedMlp(layer / "mlp", config.hidden_size, config.intermediate_size, config.hidden_act);
  };
  return decoder_class(LlamaModel<GatedMlp>(c, w / (other_name ? "transformer" : "model"), mlp), c, head, w,
                       {.d = d, .embeddings = "model.embed_tokens.weight", .tied = c.model_type() == "smollm3"});
}

}  // namespace polymath
