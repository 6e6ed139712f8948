// BART (Lewis et al. 2019, arXiv:1910.13461).
#include "models/bart.h"

#include <cmath>

#include "nn/sinusoidal.h"
#include "polymath/error.h"

namespace polymath {
namespace {

float dropout_of(const Config& c) { return c.opt_rate("dropout", 0.1); }

BartLayerConfig layer_config(const Config& c, const std::string& side, bool pre_norm) {
  const auto d = c.req<std::int64_t>("d_model");
  const int heads = c.req_divisor(side + "_attention_heads", d);
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d / heads)));
  const float dropped = dropout_of(c);
  return {.attention = {.d_model = d, .head_dim = d / heads, .heads = heads, .scale = scale, .names = {}, .dropout = c.opt_rate("attention_dropout", 0),
                        .output_dropout = dropped},
          .ffn_dim = c.req<std::int64_t>(side + "_ffn_dim"),
          .activation_function = activation_named(c.opt<std::string>("activation_function", "gelu"), "activation_function"),
          .pre_norm = pre_norm,
          .activation_dropout = c.opt_rate("activation_dropout", 0),
          .dropout = dropped};
}

}  // namespace

EmbedFunction scaled_tokens(const Config& c, const Scope& model, const std::string& side) {
  const auto d = c.req<std::int64_t>("d_model");
  const Scope table = first_with_weight({model / side / "embed_tokens", model / "shared", model / "decoder.embed_tokens", model / "encoder.embed_tokens",
                                         {model.weights, "lm_head"}});
  const float scale = c.opt("scale_embedding", false) ? static_cast<float>(std::sqrt(static_cast<double>(d))) : 1.0f;
  return [embed_tokens = Embedding(table, d, c.padding_idx()), scale, what = side == "encoder" ? "input_ids" : "decoder_input_ids"](const Step& step) {
    Tensor x = embed_tokens(step.ids, what);
    return scale == 1.0f ? x : scaled(x, scale);
  };
}

EmbedFunction learned_embeddings(const Config& c, const Scope& model, const std::string& side) {
  const auto d = c.req<std::int64_t>("d_model");
  return [tokens = scaled_tokens(c, model, side), embed_positions = Embedding(model / side / "embed_positions", d),
          layernorm_embedding = LayerNorm(model / side / "layernorm_embedding", d, 1e-5)](const Step& step) {
    Tensor x = tokens(step);
    std::vector<std::int32_t> positions = step.column;
    for (std::int32_t& p : positions) p += 2;
    embed_positions.add_to(x, positions, "the number of tokens");
    return layernorm_embedding(x);
  };
}

EmbedFunction sinusoidal_embeddings(const Config& c, const Scope& model, const std::string& side) {
  const auto d = c.req<std::int64_t>("d_model"), most = c.req<std::int64_t>("max_position_embeddings");
  const EmbedFunction tokens = scaled_tokens(c, model, side);
  const Scope table = model / side / "embed_positions";
  if (table.find("weight")) {
    return [tokens, embed_positions = Embedding(table, d)](const Step& step) {
      Tensor x = tokens(step);
      embed_positions.add_to(x, step.column, "the number of tokens");
      return x;
    };
  }
  return [tokens, embed_positions = SinusoidalPositions::of_fractions(d), most](const Step& step) {
    Tensor x = tokens(step);
    for (const std::int32_t column : step.column) {
      if (column < most) continue;
      throw Error(ErrorCode::kInvalidArgument, "is more than the model's " + std::to_string(most) + " positions", "the number of tokens");
    }
    embed_positions.add_to(x, step.column);
    return x;
  };
}

BartBody::BartBody(const Config& c, const Scope& model, bool pre_norm, SideEmbeddings embeddings)
    : embed_source_(embeddings(c, model, "encoder")), embed_target_(embeddings(c, model, "decoder")), dropout_(dropout_of(c)) {
  const BartLayerConfig decoder = layer_config(c, "decoder", pre_norm);
  encoder_layers_ = each<BartEncoderLayer>(c.req<int>("encoder_layers"), model / "encoder.layers", layer_config(c, "encoder", pre_norm));
  decoder_layers_ = each<BartDecoderLayer>(c.req<int>("decoder_layers"), model / "decoder.layers", decoder);
  kv_shape_ = decoder.attention.kv_shape(static_cast<int>(decoder_layers_.size()));
  if (!pre_norm) return;
  encoder_norm_ = LayerNorm(model / "encoder.layer_norm", decoder.attention.d_model, 1e-5);
  decoder_norm_ = LayerNorm(model / "decoder.layer_norm", decoder.attention.d_model, 1e-5);
}

Tensor BartBody::encode(const Step& source) const {
  Tensor x = dropout(embed_source_(source), dropout_);
  for (const BartEncoderLayer& layer : encoder_layers_) x = run_layer(layer, x, source);
  return encoder_norm_ ? (*encoder_norm_)(x) : x;
}

Tensor BartBody::decode(const Step& target) const {
  Tensor x = dropout(embed_target_(target), dropout_);
  const PassCaches caches(target, kv_shape_);
  for (std::size_t i = 0; i < decoder_layers_.size(); ++i) x = run_layer(decoder_layers_[i], x, target, caches, static_cast<int>(i));
  return decoder_norm_ ? (*decoder_norm_)(x) : x;
}

HeadFunction bart_head(const Config& c, Head head, const Scope& w) {
  const auto d = c.req<std::int64_t>("d_model");
  switch (head) {
    case Head::kBase: return base_head();
    case Head::kMaskedLm:
    case Head::kConditionalGeneration:
      return generation_head(w, {w / "lm_head", w / "model.shared", w / "model.decoder.embed_tokens", w / "model.encoder.embed_tokens"}, d);
    case Head::kSequenceClassification: return last_eos_classification_head(c, w / "classification_head", d, 2, c.opt_rate("classifier_dropout", 0));
    case Head::kQuestionAnswering: return question_answering_head(Linear(w / "qa_outputs", d, 2));
    default: no_such_head(c);
  }
}

std::unique_ptr<Model> bart_writer(const Config& c, Head head, const Scope& w, bool pre_norm, SideEmbeddings embeddings) {
  if (head != Head::kBase && head != Head::kConditionalGeneration) no_such_head(c);
  return encoder_decoder_model(BartBody(c, w / "model", pre_norm, embeddings), bart_head(c, head, w));
}

std::unique_ptr<Model> make_bart(const Config& c, Head head, const Scope& w) {
  const auto start = static_cast<std::int32_t>(c.opt("decoder_start_token_id", 2));
  return encoder_decoder_model(BartBody(c, w / "model", /*pre_norm=*/false, learned_embeddings), bart_head(c, head, w),
                               [start](const Step& source) { return shifted_right(source, [start](auto) { return start; }); });
}

}  // namespace polymath
