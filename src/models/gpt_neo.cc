// GPT-Neo (Black et al. 2021, doi:10.5281/zenodo.5297715): GPT-2 with unscaled scores and windows in every other layer.
#include "models/heads.h"
#include "nn/decoder.h"

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
  CausalAttentionConfig attention;

  explicit GptNeoConfig(const Config& c)
      : hidden_size(c.req<std::int64_t>("hidden_size")),
        intermediate_size(c.opt<std::int64_t>("intermediate_size", 4 * hidden_size)),
        num_layers(c.req<int>("num_layers")),
        layer_norm_epsilon(c.opt("layer_norm_epsilon", 1e-5)),
        activation_function(activation_named(c.opt<std::string>("activation_function", "gelu_new"), "activation_function")),
        window_size(c.opt<std::int64_t>("window_size", 256)) {
    const int heads = c.req<int>("num_heads");
    if (hidden_size % heads != 0) throw Error(ErrorCode::kBadFile, "must divide hidden_size, " + std::to_string(hidden_size), c.path() + ": num_heads");
    if (window_size < 1) throw Error(ErrorCode::kBadFile, "must be at least 1", c.path() + ": window_size");
    attention = CausalAttentionConfig::checked(c, hidden_size, hidden_size / heads, heads, heads);
    attention.scale = 1.0;
  }
};

struct GptNeoBlock {
  LayerNorm ln_1, ln_2;
  CausalAttentionConfig attention;
  Linear qkv_proj, out_proj, c_fc, c_proj;
  Activation act;

  GptNeoBlock(const GptNeoConfig& c, bool local, const Scope& w)
      : ln_1(w / "ln_1", c.hidden_size, c.layer_norm_epsilon),
        ln_2(w / "ln_2", c.hidden_size, c.layer_norm_epsilon),
        attention(c.attention),
        qkv_proj({w / "attn.attention.q_proj", w / "attn.attention.k_proj", w / "attn.attention.v_proj"}, c.hidden_size, c.hidden_size),
        out_proj(w / "attn.attention.out_proj", c.hidden_size, c.hidden_size),
        c_fc(w / "mlp.c_fc", c.hidden_size, c.intermediate_size),
        c_proj(w / "mlp.c_proj", c.intermediate_size, c.hidden_size),
        act(c.activation_function) {
    if (local) attention.window = c.window_size;
  }

  // x: [rows, D]
  Tensor operator()(Tensor x, const Step& step, const PassCaches& caches, int layer) const {
    x = out_proj(attend(qkv_proj(ln_1(x)), attention, step, caches, layer), /*residual=*/x);
    return c_proj(c_fc(ln_2(x), act), /*residual=*/x);
  }
};

struct GptNeoModel {
  GptNeoConfig c;
  Embedding wte, wpe;
  std::vector<GptNeoBlock> h;
  LayerNorm ln_f;

  GptNeoModel(const Config& config, const Scope& w)
      : c(config), wte(w / "wte", c.hidden_size), wpe(w / "wpe", c.hidden_size), ln_f(w / "ln_f", c.hidden_size, c.layer_norm_epsilon) {
    const auto kinds = layer_kinds(config, c.num_layers);
    for (int i = 0; i < c.num_layers; ++i) h.emplace_back(c, kinds[static_cast<std::size_t>(i)] == "local", w / "h" / i);
  }

  KvShape kv_shape() const { return c.attention.kv_shape(c.num_layers); }

  Tensor operator()(const Step& step) const {
    const PassCaches caches(step, kv_shape());
    Tensor x = wte(step.ids, "input_ids");
    wpe.add_to(x, step.positions(), "the number of tokens");
    if (!step.type_ids.empty()) wte.add_to(x, step.type_ids, "token_type_ids");  // token types are tokens
    for (int i = 0; i < c.num_layers; ++i) x = h[static_cast<std::size_t>(i)](std::move(x), step, caches, i);
    return ln_f(x);
  }
};

}  // namespace

std::unique_ptr<Model> make_gpt_neo(const Config& c, Head head, const Scope& w) {
  return decoder_class(GptNeoModel(c, w / "transformer"), c, head, w,
                       {.d = c.req<std::int64_t>("hidden_size"), .embeddings = "transformer.wte.weight", .tied = true, .token_classifier = "classifier"});
}

}  // namespace polymath
