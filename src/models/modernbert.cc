// ModernBERT (Warner et al. 2024, arXiv:2412.13663): pre-norm layers, rotary positions, gated feed forward,
// and attention that is local in most layers.
#include <algorithm>
#include <cmath>

#include "models/heads.h"
#include "nn/rope.h"

namespace polymath {
namespace {

struct ModernBertLayer {
  LayerNorm attn_norm, mlp_norm;
  Linear wqkv, attn_wo, wi, mlp_wo;
  float attention_dropout, mlp_dropout;
  bool normed, local;  // the first layer's attention takes the normed embeddings as they are

  ModernBertLayer(const Config& c, int index, bool is_local, const Scope& w)
      : attention_dropout(c.opt_rate("attention_dropout", 0)), mlp_dropout(c.opt_rate("mlp_dropout", 0)), normed(index != 0), local(is_local) {
    const auto d = c.req<std::int64_t>("hidden_size"), intermediate = c.req<std::int64_t>("intermediate_size");
    const double eps = c.opt("norm_eps", 1e-5);
    if (normed) attn_norm = LayerNorm(w / "attn_norm", d, eps);
    mlp_norm = LayerNorm(w / "mlp_norm", d, eps);
    wqkv = Linear(w / "attn.Wqkv", d, 3 * d);
    attn_wo = Linear(w / "attn.Wo", d, d);
    wi = Linear(w / "mlp.Wi", d, 2 * intermediate);
    mlp_wo = Linear(w / "mlp.Wo", intermediate, d);
  }

  // x: [rows, D]; window: -1 where attention is global
  Tensor operator()(Tensor x, const Step& step, int heads, std::int64_t window, Activation act, const RopeTable& rope) const {
    Tensor qkv = wqkv(normed ? attn_norm(x) : x);  // [rows, 3 D]
    rotate(qkv, 0, 2 * heads, rope.cos, rope.sin);  // queries and keys
    const Tensor attended = self_attention(qkv, {.heads = heads,
                                                 .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(x.dim(-1) / heads))),
                                                 .begin = step.begin,
                                                 .is_key = step.is_key,
                                                 .position = step.column,
                                                 .window = window,
                                                 .drop = DropMask::next(attention_dropout)});
    x = attn_wo(attended, /*residual=*/x, attention_dropout);
    return mlp_wo(dropout(gated(wi(mlp_norm(x)), act), mlp_dropout), /*residual=*/x);
  }
};

struct ModernBertEncoder {
  Embedding tok_embeddings;
  LayerNorm norm, final_norm;
  std::vector<ModernBertLayer> layers;
  int heads;
  std::int64_t window;
  RopeConfig global_rope_config, local_rope_config;
  Activation act;
  float embedding_dropout;

  ModernBertEncoder(const Config& c, const Scope& w)
      : tok_embeddings(w / "embeddings.tok_embeddings", c.req<std::int64_t>("hidden_size"), c.padding_idx(50283)),
        norm(w / "embeddings.norm", c.req<std::int64_t>("hidden_size"), c.opt("norm_eps", 1e-5)),
        final_norm(w / "final_norm", c.req<std::int64_t>("hidden_size"), c.opt("norm_eps", 1e-5)),
        heads(c.req_divisor("num_attention_heads", c.req<std::int64_t>("hidden_size"))),
        window(c.opt<std::int64_t>("local_attention", 128) / 2),
        global_rope_config(rope_config(c, /*local=*/false)),
        local_rope_config(rope_config(c, /*local=*/true)),
        act(activation_named(c.opt<std::string>("hidden_activation", "gelu"), "hidden_activation")),
        embedding_dropout(c.opt_rate("embedding_dropout", 0)) {
    const int count = c.req<int>("num_hidden_layers");
    for (int i = 0; i < count; ++i) layers.emplace_back(c, i, is_local(c, i), w / "layers" / i);
  }

  // v5 names each layer's kind, v4 every how many layers attention is global.
  static bool is_local(const Config& c, int i) {
    const Json* types = c.find("layer_types");
    if (types && types->is_array() && static_cast<std::size_t>(i) < types->size()) return (*types)[static_cast<std::size_t>(i)] == "sliding_attention";
    const int every = c.opt("global_attn_every_n_layers", 3);
    if (every < 1) throw Error(ErrorCode::kBadFile, "must be at least 1", c.path() + ": global_attn_every_n_layers");
    return i % every != 0;
  }

  // v5 keeps rope_parameters per kind of layer, v4 two fields; a null local_rope_theta means the global one.
  static RopeConfig rope_config(const Config& c, bool local) {
    const double most = c.opt("max_position_embeddings", 8192.0), global = c.opt("global_rope_theta", 160000.0);
    const Json* field = c.find("local_rope_theta");
    const double theta = !local ? global : field && field->is_null() ? global : c.opt("local_rope_theta", 10000.0);
    const char* kind = local ? "sliding_attention" : "full_attention";
    const Json* parameters = c.find("rope_parameters");
    if (parameters && parameters->is_object() && parameters->contains(kind)) {
      RopeConfig rope{(*parameters)[kind], theta, most, c.path() + ": rope_parameters: " + kind};
      rope.truncate = true;  // Transformers looks for it beside the kinds, where it is not
      return rope;
    }
    const Json* scaling = c.find("rope_scaling");
    return {scaling ? *scaling : Json(), theta, most, c.path() + ": rope_scaling"};
  }

  Tensor operator()(const Step& step) const {
    Tensor x = dropout(norm(tok_embeddings(step.ids, "input_ids")), embedding_dropout);
    const std::int64_t head_d = x.dim(-1) / heads;
    const RopeTable global_rope(head_d, global_rope_config, step), local_rope(head_d, local_rope_config, step);
    for (const ModernBertLayer& layer : layers) x = run_layer(layer, x, step, heads, layer.local ? window : std::int64_t{-1}, act, layer.local ? local_rope : global_rope);
    return final_norm(x);
  }
};

// The first row of every sequence that is not padding.  -> [sequences, D]
Tensor first_shown_rows(const Tensor& hidden, const Step& step) {
  std::vector<std::int32_t> rows(step.begin.begin(), step.begin.end() - 1);
  for (std::size_t s = 0; s < rows.size() && !step.is_key.empty(); ++s) {
    const std::int32_t begin = step.begin[s], end = step.begin[s + 1];
    const auto shown = std::find(step.is_key.begin() + begin, step.is_key.begin() + end, std::uint8_t{1});
    if (shown != step.is_key.begin() + end) rows[s] = static_cast<std::int32_t>(shown - step.is_key.begin());
  }
  return take_rows(hidden, rows);
}

}  // namespace

std::unique_ptr<Model> make_modernbert(const Config& c, Head head, const Scope& w) {
  const auto d = c.req<std::int64_t>("hidden_size"), labels = c.num_labels();
  // ModernBertPredictionHead: norm(act(dense(x)))
  struct Prediction {
    Linear dense;
    Activation act;
    LayerNorm norm;
    Tensor operator()(const Tensor& x) const { return norm(dense(x, act)); }
  };
  auto prediction = [&] {
    return Prediction{Linear(w / "head.dense", d, d),
                      activation_named(c.opt<std::string>("classifier_activation", "gelu"), "classifier_activation"),
                      LayerNorm(w / "head.norm", d, c.opt("norm_eps", 1e-5))};
  };
  const float dropped = c.opt_rate("classifier_dropout", 0);
  HeadFunction f;
  switch (head) {
    case Head::kBase: f = base_head(); break;
    case Head::kMaskedLm: {
      const Prediction p = prediction();
      f = masked_lm_head({p.dense, p.act, p.norm,
                          tied_decoder(c, w, "decoder.weight", "model.embeddings.tok_embeddings.weight", {"decoder.bias"})});
      break;
    }
    case Head::kSequenceClassification:
    case Head::kMultipleChoice: {
      const auto pooling = c.opt<std::string>("classifier_pooling", "cls");
      if (pooling != "cls" && pooling != "mean") {
        throw Error(ErrorCode::kBadFile, "\"" + pooling + "\" is neither cls nor mean", c.path() + ": classifier_pooling");
      }
      const bool choices = head == Head::kMultipleChoice;
      f = sequence_classification_head(
          [p = prediction(), mean = pooling == "mean", choices](const Tensor& hidden, const Step& step) {
            return p(mean ? mean_of_rows(hidden, key_rows(step)) : choices ? first_shown_rows(hidden, step) : first_rows(hidden, step));
          },
          Linear(w / "classifier", d, choices ? 1 : labels), dropped);
      break;
    }
    case Head::kTokenClassification:
      f = [p = prediction(), token = token_classification_head(Linear(w / "classifier", d, labels), dropped)](const Tensor& hidden, const Step& step) {
        return token(p(hidden), step);
      };
      break;
    case Head::kQuestionAnswering:
      f = [p = prediction(), qa = question_answering_head(Linear(w / "classifier", d, 2), dropped)](const Tensor& hidden, const Step& step) {
        return qa(p(hidden), step);
      };
      break;
    default: no_such_head(c);
  }
  return encoder_model(ModernBertEncoder(c, w / "model"), std::move(f));
}

}  // namespace polymath
