#include "tensor/attention_head.h"

#include <algorithm>
#include <cmath>

#include "tensor/product.h"

namespace polymath {

void count_operations(std::int64_t rows, std::int64_t k, std::int64_t n);  // ops.cc

namespace {

constexpr std::int64_t kQueryBlock = 48;

std::span<const std::int32_t> key_begin(const AttentionOptions& o) { return o.key_begin.empty() ? o.begin : o.key_begin; }
std::int64_t length(std::span<const std::int32_t> begin, int sequence) {
  return begin[static_cast<std::size_t>(sequence) + 1] - begin[static_cast<std::size_t>(sequence)];
}

}  // namespace

AttentionHead::AttentionHead(const AttentionSides& sides, const AttentionOptions& options, int sequence, int head)
    : d(sides.d),
      first_query(options.begin[static_cast<std::size_t>(sequence)]),
      first_key(key_begin(options)[static_cast<std::size_t>(sequence)]),
      queries(length(options.begin, sequence)),
      keys(length(key_begin(options), sequence)),
      padded((keys + 15) / 16 * 16),
      kv_head(options.kv_heads > 0 ? head / (options.heads / options.kv_heads) : head),
      s_(sides),
      o_(options),
      sequence_(sequence),
      head_(head) {}

std::int64_t AttentionHead::block() const { return o_.term ? queries : std::min(kQueryBlock, queries); }

void AttentionHead::probabilities(std::int64_t first, std::int64_t count, const Buffer& key_panels, float* p, float* slopes) const {
  count_operations(count, d, keys);
  Product scores{.a = query(first), .a_stride = s_.q.dim(-1), .rows = count, .c = p, .c_stride = padded};
  scores.epilogue.scale = o_.scale;
  multiply_alone(scores, Panels(key_panels, padded, d));

  adapt(count, p, slopes);
  if (o_.term) o_.term->add({sequence_, head_, first_query, queries, p, padded}, s_.q);
  mask(first, count, p);
  kernels::table().softmax(p, static_cast<std::size_t>(count), static_cast<std::size_t>(keys), static_cast<std::size_t>(padded));
}

void AttentionHead::drop(std::int64_t first, std::int64_t count, float* p) const {
  for (std::int64_t i = 0; o_.drop && i < count; ++i) {
    const std::int64_t row = head_ * s_.q.rows() + first_query + first + i;
    o_.drop.apply(row, p + i * padded, keys);
  }
}

void AttentionHead::adapt(std::int64_t count, float* scores, float* slopes) const {
  const auto n = static_cast<std::size_t>(keys);
  for (std::int64_t i = 0; i < count; ++i, scores += padded, slopes += slopes ? padded : 0) {
    if (o_.softcap > 0) {
      for (std::int64_t j = 0; j < keys; ++j) scores[j] /= o_.softcap;
      kernels::table().activate(Activation::kTanh, scores, n, scores);
      for (std::int64_t j = 0; slopes && j < keys; ++j) slopes[j] = 1.0f - scores[j] * scores[j];
      for (std::int64_t j = 0; j < keys; ++j) scores[j] *= o_.softcap;
    }
    if (!o_.alibi_slopes.empty()) {
      const float slope = o_.alibi_slopes[static_cast<std::size_t>(head_)];
      std::int64_t place = 0;  // among the keys that are shown
      for (std::int64_t j = 0; j < keys; ++j) {
        scores[j] += slope * static_cast<float>(place);
        place += o_.is_key.empty() || o_.is_key[static_cast<std::size_t>(first_key + j)];
      }
    }
  }
}

void AttentionHead::mask(std::int64_t first, std::int64_t count, float* scores) const {
  if (!o_.is_key.empty()) {
    for (std::int64_t j = 0; j < keys; ++j) {
      if (o_.is_key[static_cast<std::size_t>(first_key + j)]) continue;
      for (std::int64_t i = 0; i < count; ++i) scores[i * padded + j] = -INFINITY;
    }
  }
  if (o_.window >= 0) {
    const std::int32_t *of_query = o_.position.data() + first_query, *of_key = o_.position.data() + first_key;
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t j = 0; j < keys; ++j) {
        if (std::abs(of_query[first + i] - of_key[j]) > o_.window) scores[i * padded + j] = -INFINITY;
      }
    }
  }
  for (std::int64_t i = 0; o_.causal && i < count; ++i) {
    std::fill(scores + i * padded + first + i + 1, scores + i * padded + keys, -INFINITY);
  }
  if (o_.is_key.empty()) return;
  // Transformers masks by adding the lowest number: a query without any key weighs all rows equally.
  for (std::int64_t i = 0; i < count; ++i) {
    float* row = scores + i * padded;
    const bool hidden = o_.pairwise_mask && !o_.is_key[static_cast<std::size_t>(first_query + first + i)];
    if (hidden || std::all_of(row, row + keys, [](float s) { return s == -INFINITY; })) std::fill_n(row, keys, 0.0f);
  }
}

bool AttentionHead::blind(std::int64_t i) const {
  if (!o_.is_key[static_cast<std::size_t>(first_query + i)]) return true;  // of a pairwise mask
  for (std::int64_t j = 0; j < keys; ++j) {
    if (o_.is_key[static_cast<std::size_t>(first_key + j)]) return false;
  }
  return true;
}

}  // namespace polymath
