// T5 (Raffel et al. 2019, arXiv:1910.10683), its versions 1.1 and Flan (2210.11416), and mT5 (2010.11934): relative positions
// that all layers share, RMS norms before a layer's parts, no biases, unscaled scores.
#include <cmath>
#include <optional>

#include "models/encoder_decoder.h"
#include "nn/encoder_decoder.h"
#include "polymath/error.h"

namespace polymath {
namespace {

struct T5Config {
  std::int64_t d_model, d_ff, relative_attention_max_distance;
  int num_layers, num_decoder_layers, num_heads, relative_attention_num_buckets;
  double layer_norm_epsilon;
  bool is_gated_act = false;
  Activation dense_act_fn;
  float dropout_rate;
  AttentionConfig attention;

  explicit T5Config(const Config& c)
      : d_model(c.req<std::int64_t>("d_model")),
        d_ff(c.req<std::int64_t>("d_ff")),
        relative_attention_max_distance(c.opt<std::int64_t>("relative_attention_max_distance", 128)),
        num_layers(c.req<int>("num_layers")),
        num_decoder_layers(c.find("num_decoder_layers") && !c.find("num_decoder_layers")->is_null() ? c.req<int>("num_decoder_layers") : num_layers),
        num_heads(c.req<int>("num_heads")),
        relative_attention_num_buckets(c.opt("relative_attention_num_buckets", 32)),
        layer_norm_epsilon(c.opt("layer_norm_epsilon", 1e-6)),
        dropout_rate(c.opt_rate("dropout_rate", 0.1)) {
    const auto d_kv = c.req<std::int64_t>("d_kv");
    if (d_kv > 1 << 20) throw Error(ErrorCode::kBadFile, std::to_string(d_kv) + " is out of range", c.path() + ": d_kv");
    attention = {.d_model = d_model, .head_dim = d_kv, .heads = num_heads, .scale = 1.0f, .names = {.query = "q", .key = "k", .value = "v", .out = "o"},
                 .dropout = dropout_rate, .output_dropout = dropout_rate};
    if (relative_attention_num_buckets < 4) throw Error(ErrorCode::kUnsupported, "must be at least 4", c.path() + ": relative_attention_num_buckets");
    if (relative_attention_max_distance <= relative_attention_num_buckets / 2) {
      throw Error(ErrorCode::kUnsupported, "must be more than half of relative_attention_num_buckets", c.path() + ": relative_attention_max_distance");
    }
    auto act = c.opt<std::string>("feed_forward_proj", "relu");
    const bool gated = act.starts_with("gated-");
    if (gated) act.erase(0, 6);
    if (gated && act == "gelu") act = "gelu_new";
    // What follows from that field is written out too, and then counts.
    is_gated_act = c.opt("is_gated_act", gated);
    const bool written = c.find("dense_act_fn") && !c.find("dense_act_fn")->is_null();
    dense_act_fn = activation_named(c.opt("dense_act_fn", act), written ? "dense_act_fn" : "feed_forward_proj");
  }
};

class T5FeedForward {
 public:
  T5FeedForward(const T5Config& c, const Scope& w)
      : gated_(c.is_gated_act),
        act_(c.dense_act_fn),
        dropout_(c.dropout_rate),
        wi_(gated_ ? std::vector{w / "DenseReluDense.wi_0", w / "DenseReluDense.wi_1"} : std::vector{w / "DenseReluDense.wi"}, c.d_model, c.d_ff),
        wo_(w / "DenseReluDense.wo", c.d_ff, c.d_model),
        layer_norm_(w / "layer_norm", c.d_model, c.layer_norm_epsilon) {}

  Tensor operator()(const Tensor& x) const {  // x: [rows, D]
    const Tensor in = layer_norm_(x);
    return wo_(dropout(gated_ ? gated(wi_(in), act_) : wi_(in, act_), dropout_), /*residual=*/x, dropout_);
  }

 private:
  bool gated_;
  Activation act_;
  float dropout_;
  Linear wi_, wo_;
  RmsNorm layer_norm_;
};

std::shared_ptr<const RelativeBias> position_bias(const T5Config& c, const Scope& stack, bool bidirectional) {
  const Scope table = stack / "block.0.layer.0.SelfAttention.relative_attention_bias";
  const RelativeBuckets bucket(c.relative_attention_num_buckets, c.relative_attention_max_distance, bidirectional);
  return std::make_shared<const RelativeBias>(RelativeBias{bucket, c.num_heads, Vector(table.tensor("weight", {c.relative_attention_num_buckets, c.num_heads}))});
}

struct T5EncoderBlock {
  EncoderSelfAttention attention;
  RmsNorm layer_norm;
  T5FeedForward feed_forward;

  T5EncoderBlock(const T5Config& c, const Scope& w)
      : attention(c.attention, w / "layer.0.SelfAttention"),
        layer_norm(w / "layer.0.layer_norm", c.d_model, c.layer_norm_epsilon),
        feed_forward(c, w / "layer.1") {}

  // x: [rows, D]
  Tensor operator()(const Tensor& x, const Step& step, const std::shared_ptr<const RelativeBiasTerm>& bias) const {
    return feed_forward(attention(layer_norm(x), step, /*residual=*/x, bias));
  }
};

struct T5DecoderBlock {
  DecoderSelfAttention attention;
  CrossAttention cross_attention;
  RmsNorm layer_norm, cross_layer_norm;
  T5FeedForward feed_forward;

  T5DecoderBlock(const T5Config& c, const Scope& w)
      : attention(c.attention, w / "layer.0.SelfAttention"),
        cross_attention(c.attention, w / "layer.1.EncDecAttention"),
        layer_norm(w / "layer.0.layer_norm", c.d_model, c.layer_norm_epsilon),
        cross_layer_norm(w / "layer.1.layer_norm", c.d_model, c.layer_norm_epsilon),
        feed_forward(c, w / "layer.2") {}

  // x: [rows, D]
  Tensor operator()(Tensor x, const Step& target, const PassCaches& caches, int layer, const std::shared_ptr<const RelativeBiasTerm>& bias) const {
    x = attention(layer_norm(x), target, caches, layer, /*residual=*/x, bias);
    return feed_forward(cross_attention(cross_layer_norm(x), target, layer, /*residual=*/x));
  }

  void remember(const VisibleSource& source, int layer, std::span<KvCache* const> memory) const { cross_attention.remember(source, layer, memory); }
};

Scope embed_tokens(const Scope& w, const std::string& side) {
  return first_with_weight({w / side / "embed_tokens", w / "shared", w / "encoder.embed_tokens", w / "decoder.embed_tokens", w / "lm_head"});
}

struct T5Encoder {
  Embedding embed;
  std::vector<T5EncoderBlock> block;
  std::shared_ptr<const RelativeBias> bias;
  RmsNorm final_layer_norm;
  float dropout_rate;

  T5Encoder(const T5Config& c, const Scope& w)
      : embed(embed_tokens(w, "encoder"), c.d_model),
        block(each<T5EncoderBlock>(c.num_layers, w / "encoder.block", c)),
        bias(position_bias(c, w / "encoder", /*bidirectional=*/true)),
        final_layer_norm(w / "encoder.final_layer_norm", c.d_model, c.layer_norm_epsilon),
        dropout_rate(c.dropout_rate) {}

  Tensor operator()(const Step& step) const {
    const auto term = std::make_shared<const RelativeBiasTerm>(bias, step.column);
    Tensor x = dropout(embed(step.ids, "input_ids"), dropout_rate);
    for (const T5EncoderBlock& b : block) x = run_layer(b, x, step, term);
    return dropout(final_layer_norm(x), dropout_rate);
  }
};

struct T5Body {
  T5Encoder encoder;
  Embedding embed;
  std::vector<T5DecoderBlock> block;
  std::shared_ptr<const RelativeBias> bias;
  RmsNorm final_layer_norm;
  KvShape shape;

  T5Body(const T5Config& c, const Scope& w)
      : encoder(c, w),
        embed(embed_tokens(w, "decoder"), c.d_model),
        block(each<T5DecoderBlock>(c.num_decoder_layers, w / "decoder.block", c)),
        bias(position_bias(c, w / "decoder", /*bidirectional=*/false)),
        final_layer_norm(w / "decoder.final_layer_norm", c.d_model, c.layer_norm_epsilon),
        shape(c.attention.kv_shape(c.num_decoder_layers)) {}

  KvShape kv_shape() const { return shape; }
  Tensor encode(const Step& source) const { return encoder(source); }
  std::vector<KvCache> remember(const Tensor& encoded, const Step& source) const { return remember_source(block, shape, encoded, source); }

  Tensor decode(const Step& target) const {
    const auto term = std::make_shared<const RelativeBiasTerm>(bias, target.column);
    Tensor x = dropout(embed(target.ids, "decoder_input_ids"), encoder.dropout_rate);
    const PassCaches caches(target, shape);
    for (std::size_t i = 0; i < block.size(); ++i) x = run_layer(block[i], x, target, caches, static_cast<int>(i), term);
    return dropout(final_layer_norm(x), encoder.dropout_rate);
  }
};

// The first T5 scales what its head reads. Version 1.1 does not: Transformers knows it by tie_word_embeddings, which since its
// version 5 only says that; mT5 is like 1.1.
HeadFunction t5_generation_head(const Config& c, const Scope& w, std::int64_t d) {
  HeadFunction head = generation_head(w, {w / "lm_head", w / "shared", w / "decoder.embed_tokens", w / "encoder.embed_tokens"}, d);
  if (c.model_type() == "mt5" || !c.opt("scale_decoder_outputs", c.opt("tie_word_embeddings", true))) return head;
  return [head, scale = static_cast<float>(1 / std::sqrt(static_cast<double>(d)))](const Tensor& hidden, const Step& step) {
    return head(scaled(hidden, scale), step);
  };
}

}  // namespace

std::unique_ptr<Model> make_t5(const Config& config, Head head, const Scope& w) {
  const T5Config c(config);
  const auto shift = [start = config.opt<std::int64_t>("decoder_start_token_id", -1)](const Step& source) {
    if (start < 0 || start > INT32_MAX) throw Error(ErrorCode::kBadFile, "is no token, and decoder_input_ids are missing", "config.json: decoder_start_token_id");
    return shifted_right(source, [start](auto) { return static_cast<std::int32_t>(start); });
  };
  const float dropped = config.opt_rate("classifier_dropout", 0);
  switch (head) {
    case Head::kBase: return encoder_decoder_model(T5Body(c, w), base_head());
    case Head::kConditionalGeneration: return encoder_decoder_model(T5Body(c, w), t5_generation_head(config, w, c.d_model));
    case Head::kEncoder: return encoder_model(T5Encoder(c, w), base_head());
    case Head::kTokenClassification:
      return encoder_model(T5Encoder(c, w / "transformer"), token_classification_head(Linear(w / "classifier", c.d_model, config.num_labels()), dropped));
    case Head::kSequenceClassification:
      return encoder_decoder_model(T5Body(c, w / "transformer"), last_eos_classification_head(config, w / "classification_head", c.d_model, 1, dropped), shift);
    case Head::kQuestionAnswering:
      return encoder_decoder_model(T5Body(c, w), question_answering_head(Linear(w / "qa_outputs", c.d_model, 2)), shift);
    default: no_such_head(config);
  }
}

}  // namespace polymath
