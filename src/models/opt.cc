// OPT (Zhang et al. 2022, arXiv:2205.01068).
#include "models/heads.h"
#include "nn/decoder.h"

namespace polymath {
namespace {

constexpr double kNormEps = 1e-5;
constexpr std::int32_t kFirstPosition = 2;  // the table's first rows are the padding's

struct OptConfig {
  std::int64_t hidden_size, ffn_dim, word_embed_proj_dim;
  int num_hidden_layers;
  Activation activation_function;
  bool do_layer_norm_before, affine;
  float dropped;
  CausalAttentionConfig attention;

  explicit OptConfig(const Config& c)
      : hidden_size(c.req<std::int64_t>("hidden_size")),
        ffn_dim(c.req<std::int64_t>("ffn_dim")),
        word_embed_proj_dim(c.opt<std::int64_t>("word_embed_proj_dim", hidden_size)),
        num_hidden_layers(c.req<int>("num_hidden_layers")),
        activation_function(activation_named(c.opt<std::string>("activation_function", "relu"), "activation_function")),
        do_layer_norm_before(c.opt("do_layer_norm_before", true)),
        affine(c.opt("layer_norm_elementwise_affine", true)),
        dropped(c.opt_rate("dropout", 0.1)) {
    const int heads = c.req_divisor("num_attention_heads", hidden_size);
    attention = CausalAttentionConfig::checked(c, hidden_size, hidden_size / heads, heads, heads);
  }

  LayerNorm norm(const Scope& w) const {
    if (affine) return LayerNorm(w, hidden_size, kNormEps);
    if (hidden_size > 1 << 24) throw Error(ErrorCode::kBadFile, std::to_string(hidden_size) + " is out of range", "config.json: hidden_size");
    return LayerNorm::without_weights(hidden_size, kNormEps);
  }
};

struct OptLayer {
  Linear qkv_proj, out_proj, fc1, fc2;
  LayerNorm self_attn_layer_norm, final_layer_norm;

  OptLayer(const OptConfig& c, const Scope& w)
      : qkv_proj({w / "self_attn.q_proj", w / "self_attn.k_proj", w / "self_attn.v_proj"}, c.hidden_size, c.hidden_size),
        out_proj(w / "self_attn.out_proj", c.hidden_size, c.hidden_size),
        fc1(w / "fc1", c.hidden_size, c.ffn_dim),
        fc2(w / "fc2", c.ffn_dim, c.hidden_size),
        self_attn_layer_norm(c.norm(w / "self_attn_layer_norm")),
        final_layer_norm(c.norm(w / "final_layer_norm")) {}

  // x: [rows, D]
  Tensor operator()(Tensor x, const OptConfig& c, const Step& step, const PassCaches& caches, int layer) const {
    const auto attended = [&](const Tensor& y) { return attend(qkv_proj(y), c.attention, step, caches, layer); };
    if (c.do_layer_norm_before) {
      x = out_proj(attended(self_attn_layer_norm(x)), /*residual=*/x, c.dropped);
      return fc2(fc1(final_layer_norm(x), c.activation_function), /*residual=*/x, c.dropped);
    }
    x = self_attn_layer_norm(out_proj(attended(x), /*residual=*/x, c.dropped));
    return final_layer_norm(fc2(fc1(x, c.activation_function), /*residual=*/x, c.dropped));
  }
};

// The places of the rows in their sequences, padding not counted; what the mask hides is before all.
std::vector<std::int32_t> positions_of(const Step& step, const PassCaches& caches) {
  std::vector<std::int32_t> positions = step.position_ids;
  for (std::size_t s = 0; step.position_ids.empty() && s < caches.all().size(); ++s) {
    const std::int32_t rows = step.begin[s + 1] - step.begin[s];
    auto next = static_cast<std::int32_t>(caches.all()[s]->length()) - rows;
    for (auto r = static_cast<std::size_t>(step.begin[s]); r < static_cast<std::size_t>(step.begin[s + 1]); ++r) {
      positions.push_back(step.is_key.empty() || step.is_key[r] ? next++ : -1);
    }
  }
  for (std::int32_t& p : positions) p += kFirstPosition;
  return positions;
}

struct OptDecoder {
  OptConfig c;
  Embedding embed_tokens, embed_positions;
  bool project, norm;
  Linear project_in, project_out;
  std::vector<OptLayer> layers;
  LayerNorm final_layer_norm;

  OptDecoder(const Config& config, const Scope& w)
      : c(config),
        embed_tokens(w / "embed_tokens", c.word_embed_proj_dim, config.padding_idx()),
        embed_positions(w / "embed_positions", c.hidden_size),
        project(c.word_embed_proj_dim != c.hidden_size),
        norm(c.do_layer_norm_before && !config.opt("_remove_final_layer_norm", false)),
        layers(each<OptLayer>(c.num_hidden_layers, w / "layers", c)) {
    if (project) {
      project_in = Linear(w / "project_in", c.word_embed_proj_dim, c.hidden_size);
      project_out = Linear(w / "project_out", c.hidden_size, c.word_embed_proj_dim);
    }
    if (norm) final_layer_norm = c.norm(w / "final_layer_norm");
  }

  KvShape kv_shape() const { return c.attention.kv_shape(c.num_hidden_layers); }

  Tensor operator()(const Step& step) const {
    const PassCaches caches(step, kv_shape());
    Tensor x = embed_tokens(step.ids, "input_ids");
    if (project) x = project_in(x);
    embed_positions.add_to(x, positions_of(step, caches), "the number of tokens");
    for (int i = 0; i < c.num_hidden_layers; ++i) x = run_layer(layers[static_cast<std::size_t>(i)], x, c, step, caches, i);
    if (norm) x = final_layer_norm(x);
    return project ? project_out(x) : x;
  }
};

}  // namespace

std::unique_ptr<Model> make_opt(const Config& c, Head head, const Scope& w) {
  const auto d = c.opt<std::int64_t>("word_embed_proj_dim", c.req<std::int64_t>("hidden_size"));
  return decoder_class(OptDecoder(c, w / "model.decoder"), c, head, w, {.d = d, .embeddings = "model.decoder.embed_tokens.weight", .tied = true});
}

}  // namespace polymath
