#include "nn/encoder_decoder.h"

#include <algorithm>
#include <cmath>

#include "polymath/error.h"

namespace polymath {
namespace {

std::int64_t inner(const AttentionConfig& c) { return c.heads * c.head_dim; }

Linear merged_qkv(const AttentionConfig& c, const Scope& w) {
  return Linear({w / c.names.query, w / c.names.key, w / c.names.value}, c.d_model, inner(c));
}

// One of a layer's parts with its norm and its residual; f(x, residual) adds the residual.
template <class Function>
Tensor with_norm(bool pre_norm, const LayerNorm& norm, const Tensor& x, const Function& f) {
  return pre_norm ? f(norm(x), x) : norm(f(x, x));
}

}  // namespace

EncoderSelfAttention::EncoderSelfAttention(const AttentionConfig& c, const Scope& w)
    : c_(c), qkv_(merged_qkv(c, w)), out_(w / c.names.out, inner(c), c.d_model) {}

Tensor EncoderSelfAttention::operator()(const Tensor& x, const Step& source, const Tensor& residual,
                                        const std::shared_ptr<const ScoreTerm>& term) const {
  const AttentionOptions options{.heads = c_.heads, .scale = c_.scale, .begin = source.begin, .is_key = source.is_key, .term = term,
                                 .drop = DropMask::next(c_.dropout)};
  return out_(self_attention(qkv_(x), options), residual, c_.output_dropout);
}

DecoderSelfAttention::DecoderSelfAttention(const AttentionConfig& c, const Scope& w)
    : c_(c), qkv_(merged_qkv(c, w)), out_(w / c.names.out, inner(c), c.d_model) {}

Tensor DecoderSelfAttention::operator()(const Tensor& x, const Step& target, const PassCaches& caches, int layer, const Tensor& residual,
                                        const std::shared_ptr<const RelativeBiasTerm>& bias) const {
  const Tensor qkv = qkv_(x);  // [rows, 3 inner]
  cache_keys_values(qkv, inner(c_), 2 * inner(c_), layer, caches.all(), target.begin);
  const CachedAttentionOptions options{.heads = c_.heads,
                                       .scale = c_.scale,
                                       .begin = target.begin,
                                       .column = target.column,
                                       .alibi_slopes = {},
                                       .is_key = target.is_key,
                                       .blind_sees_all = !target.is_key.empty(),
                                       .term = bias,
                                       .drop = DropMask::next(c_.dropout)};
  return out_(cached_attention(qkv, layer, caches.all(), options), residual, c_.output_dropout);
}

VisibleSource::VisibleSource(const Tensor& encoded, const Step& source, std::vector<KvCache>& memory) : begin{0} {
  std::vector<std::int32_t> visible;
  for (int s = 0; s < source.sequences(); ++s) {
    const std::int32_t first = source.begin[static_cast<std::size_t>(s)], end = source.begin[static_cast<std::size_t>(s) + 1];
    if (first == end) throw Error(ErrorCode::kInvalidArgument, "holds no tokens", "input_ids");
    const auto is_key = [&](std::int32_t r) { return source.is_key.empty() || source.is_key[static_cast<std::size_t>(r)] != 0; };
    const auto old = visible.size();
    for (std::int32_t r = first; r < end; ++r) {
      if (is_key(r)) visible.push_back(r);
    }
    blind.push_back(visible.size() == old);
    for (std::int32_t r = first; blind.back() && r < end; ++r) visible.push_back(r);
    std::vector<std::int32_t> columns;
    for (std::size_t i = old; i < visible.size(); ++i) columns.push_back(source.column[static_cast<std::size_t>(visible[i])]);
    memory[static_cast<std::size_t>(s)].extend(columns);
    begin.push_back(static_cast<std::int32_t>(visible.size()));
  }
  rows = take_rows(encoded, visible);
}

CrossAttention::CrossAttention(const AttentionConfig& c, const Scope& w)
    : c_(c),
      query_(w / c.names.query, c.d_model, inner(c)),
      key_value_({w / c.names.key, w / c.names.value}, c.d_model, inner(c)),
      out_(w / c.names.out, inner(c), c.d_model) {}

void CrossAttention::remember(const VisibleSource& source, int layer, std::span<KvCache* const> memory) const {
  Tensor kv = key_value_(source.rows);  // [rows, 2 inner]
  std::vector<std::int32_t> hidden;
  for (std::size_t s = 0; s < source.blind.size(); ++s) {
    for (std::int32_t r = source.begin[s]; source.blind[s] && r < source.begin[s + 1]; ++r) hidden.push_back(r);
  }
  clear_rows(kv, hidden, 0, inner(c_));
  cache_keys_values(kv, 0, inner(c_), layer, memory, source.begin);
}

Tensor CrossAttention::operator()(const Tensor& x, const Step& target, int layer, const Tensor& residual) const {
  const CachedAttentionOptions options{.heads = c_.heads, .scale = c_.scale, .causal = false, .begin = target.begin,
                                       .drop = DropMask::next(c_.dropout)};
  return out_(cached_attention(query_(x), layer, target.memory, options), residual, c_.output_dropout);
}

BartEncoderLayer::BartEncoderLayer(const BartLayerConfig& c, const Scope& w)
    : pre_norm_(c.pre_norm),
      activation_function_(c.activation_function),
      activation_dropout_(c.activation_dropout),
      dropout_(c.dropout),
      self_attn_(c.attention, w / "self_attn"),
      self_attn_layer_norm_(w / "self_attn_layer_norm", c.attention.d_model, 1e-5),
      fc1_(w / "fc1", c.attention.d_model, c.ffn_dim),
      fc2_(w / "fc2", c.ffn_dim, c.attention.d_model),
      final_layer_norm_(w / "final_layer_norm", c.attention.d_model, 1e-5) {}

Tensor BartEncoderLayer::operator()(const Tensor& x, const Step& source) const {
  const Tensor y = with_norm(pre_norm_, self_attn_layer_norm_, x, [&](const Tensor& in, const Tensor& residual) { return self_attn_(in, source, residual); });
  return with_norm(pre_norm_, final_layer_norm_, y,
                   [&](const Tensor& in, const Tensor& residual) { return fc2_(dropout(fc1_(in, activation_function_), activation_dropout_), residual, dropout_); });
}

BartDecoderLayer::BartDecoderLayer(const BartLayerConfig& c, const Scope& w)
    : pre_norm_(c.pre_norm),
      activation_function_(c.activation_function),
      activation_dropout_(c.activation_dropout),
      dropout_(c.dropout),
      self_attn_(c.attention, w / "self_attn"),
      self_attn_layer_norm_(w / "self_attn_layer_norm", c.attention.d_model, 1e-5),
      encoder_attn_(c.attention, w / "encoder_attn"),
      encoder_attn_layer_norm_(w / "encoder_attn_layer_norm", c.attention.d_model, 1e-5),
      fc1_(w / "fc1", c.attention.d_model, c.ffn_dim),
      fc2_(w / "fc2", c.ffn_dim, c.attention.d_model),
      final_layer_norm_(w / "final_layer_norm", c.attention.d_model, 1e-5) {}

Tensor BartDecoderLayer::operator()(const Tensor& x, const Step& target, const PassCaches& caches, int layer) const {
  Tensor y = with_norm(pre_norm_, self_attn_layer_norm_, x,
                       [&](const Tensor& in, const Tensor& residual) { return self_attn_(in, target, caches, layer, residual); });
  y = with_norm(pre_norm_, encoder_attn_layer_norm_, y,
                [&](const Tensor& in, const Tensor& residual) { return encoder_attn_(in, target, layer, residual); });
  return with_norm(pre_norm_, final_layer_norm_, y,
                   [&](const Tensor& in, const Tensor& residual) { return fc2_(dropout(fc1_(in, activation_function_), activation_dropout_), residual, dropout_); });
}

}  // namespace polymath
