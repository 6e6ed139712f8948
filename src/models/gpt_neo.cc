// GPT-Neo (Black et al. 2021, doi:10.5281/zenodo.5297715): GPT-2 with unscaled scores and windows in every other layer.
#include "models/gpt2.h"
#include "models/heads.h"

namespace polymath {
namespace {

// The kind of each layer: attention_layers lists them, else attention_types holds [[kind, ...], how often].
std::vector<std::string> layer_kinds(const Config& c, int layers) {
  const Json* listed = c.find("attention_layers");
  const Json* types = c.find("attention_types");
  static const Json kMissing = Json::parse(R"([[["global", "local"], 12]])");
  if (!types || types->is_null()) types = &kMissing;
  const Json once = listed && listed->is_array() && !listed->empty() ? Json::array({Json::array({*listed, 1})}) : Json();
  if (once.is_array()) types = &once;
  const auto bad = [&](const std::string& what) { return Error(ErrorCode::kBadFile, what, c.path() + (once.is_array() ? ": attention_layers" : ": attention_types")); };
  if (layers > 10000) throw Error(ErrorCode::kBadFile, "is " + std::to_string(layers) + ", must be at most 10000", c.path() + ": num_layers");
  std::vector<std::string> kinds;
  if (!types->is_array()) throw bad("must be a list");
  for (const Json& item : *types) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_array() || item[0].empty() || !item[1].is_number_integer()) throw bad("must hold [[kind, ...], how often]");
    const auto times = item[1].get<std::int64_t>();
    for (std::int64_t i = 0; i < times && kinds.size() <= static_cast<std::size_t>(layers); ++i) {
      for (const Json& kind : item[0]) {
        if (kind != "global" && kind != "local") throw bad("knows only the kinds global and local");
        kinds.push_back(kind.get<std::string>());
      }
    }
  }
  if (kinds.size() != static_cast<std::size_t>(layers)) throw bad("is not for " + std::to_string(layers) + " layers");
  return kinds;
}

struct GptNeoConfig {
  std::int64_t hidden_size, intermediate_size;
  int num_layers;
  double layer_norm_epsilon;
  Activation activation_function;
  std::int64_t window_size;
  float resid_dropout;
  CausalAttentionConfig attention;

  explicit GptNeoConfig(const Config& c)
      : hidden_size(c.req<std::int64_t>("hidden_size")),
        intermediate_size(c.opt<std::int64_t>("intermediate_size", 4 * hidden_size)),
        num_layers(c.req<int>("num_layers")),
        layer_norm_epsilon(c.opt("layer_norm_epsilon", 1e-5)),
        activation_function(activation_named(c.opt<std::string>("activation_function", "gelu_new"), "activation_function")),
        window_size(c.opt<std::int64_t>("window_size", 256)),
        resid_dropout(c.opt_rate("resid_dropout", 0)) {
    const int heads = c.req_divisor("num_heads", hidden_size);
    if (window_size < 1) throw Error(ErrorCode::kBadFile, "must be at least 1", c.path() + ": window_size");
    attention = CausalAttentionConfig::checked(c, hidden_size, hidden_size / heads, heads, heads);
    attention.scale = 1.0;
  }
};

Gpt2Block gpt_neo_block(const GptNeoConfig& c, bool local, const Scope& w) {
  Gpt2Block block{.ln_1 = LayerNorm(w / "ln_1", c.hidden_size, c.layer_norm_epsilon),
                  .ln_2 = LayerNorm(w / "ln_2", c.hidden_size, c.layer_norm_epsilon),
                  .attention = c.attention,
                  .qkv_proj = Linear({w / "attn.attention.q_proj", w / "attn.attention.k_proj", w / "attn.attention.v_proj"}, c.hidden_size, c.hidden_size),
                  .out_proj = Linear(w / "attn.attention.out_proj", c.hidden_size, c.hidden_size),
                  .c_fc = Linear(w / "mlp.c_fc", c.hidden_size, c.intermediate_size),
                  .c_proj = Linear(w / "mlp.c_proj", c.intermediate_size, c.hidden_size),
                  .act = c.activation_function,
                  .dropped = c.resid_dropout};
  if (local) block.attention.window = c.window_size;
  return block;
}

}  // namespace

std::unique_ptr<Model> make_gpt_neo(const Config& config, Head head, const Scope& w) {
  const GptNeoConfig c(config);
  const auto kinds = layer_kinds(config, c.num_layers);
  Gpt2Model model(c.hidden_size, c.layer_norm_epsilon, config.opt_rate("embed_dropout", 0), c.attention.kv_shape(c.num_layers), w / "transformer",
                  [&](int layer, const Scope& block) { return gpt_neo_block(c, kinds[static_cast<std::size_t>(layer)] == "local", block); });
  return decoder_class(std::move(model), config, head, w,
                       {.d = c.hidden_size, .embeddings = "transformer.wte.weight", .tied = true, .token_classifier = "classifier"});
}

}  // namespace polymath
