#include <algorithm>
#include <utility>
#include <vector>

#include "base/threads.h"
#include "tensor/attention_head.h"
#include "tensor/product.h"
#include "tensor/tape.h"

namespace polymath {

void count_operations(std::int64_t rows, std::int64_t k, std::int64_t n);  // ops.cc

namespace {

// Keys and values are copied into panels of 16 columns, so that both products are those of linear layers: scores over
// the width of a head, then the sum over keys in ascending order. A key that is not attended to has the weight 0, which
// leaves a sum's bits alone.
void forward_of_head(const AttentionHead& head, std::int64_t stride, float* out, std::int64_t out_stride) {
  if (head.queries == 0 || head.keys == 0) return;
  const Buffer keys = column_panels(head.key(0), stride, head.keys, head.d), values = row_panels(head.value(0), stride, head.keys, head.d);
  const std::int64_t block = head.block();
  Buffer weights(static_cast<std::size_t>(block * head.padded));
  for (std::int64_t query = 0; query < head.queries; query += block) {
    const std::int64_t count = std::min(block, head.queries - query);
    head.probabilities(query, count, keys, weights.data());
    head.drop(query, count, weights.data());
    count_operations(count, head.keys, head.d);
    multiply_alone({.a = weights.data(), .a_stride = head.padded, .rows = count, .c = out + query * out_stride, .c_stride = out_stride},
                   Panels(values, head.d, head.keys));
  }
}

// Options that own what they point to, for a closure.
struct OwnedOptions {
  AttentionOptions options;
  std::vector<std::int32_t> begin, key_begin, position;
  std::vector<std::uint8_t> is_key;
  std::vector<float> alibi_slopes;

  explicit OwnedOptions(const AttentionOptions& o)
      : options(o),
        begin(o.begin.begin(), o.begin.end()),
        key_begin(o.key_begin.begin(), o.key_begin.end()),
        position(o.position.begin(), o.position.end()),
        is_key(o.is_key.begin(), o.is_key.end()),
        alibi_slopes(o.alibi_slopes.begin(), o.alibi_slopes.end()) {
    options.begin = begin;
    options.key_begin = key_begin;
    options.position = position;
    options.is_key = is_key;
    options.alibi_slopes = alibi_slopes;
  }
  OwnedOptions(const OwnedOptions&) = delete;
};

}  // namespace

Tensor attention_forward(const AttentionSides& sides, const AttentionOptions& options) {
  const auto sequences = options.begin.size() - 1, heads = static_cast<std::size_t>(options.heads);
  Tensor out({sides.q.rows(), options.heads * sides.d});
  ThreadPool::global().parallel_for(sequences * heads, [&](std::size_t task) {
    const int sequence = static_cast<int>(task / heads), head = static_cast<int>(task % heads);
    const AttentionHead one(sides, options, sequence, head);
    forward_of_head(one, sides.kv.dim(-1), out.data() + one.first_query * out.dim(-1) + head * sides.d, out.dim(-1));
  });
  return out;
}

Tensor attention(const AttentionSides& sides, const AttentionOptions& options) {
  Tensor out = attention_forward(sides, options);
  if (Tape* tape = Tape::of(sides.q, sides.kv)) {
    tape->record(out, [sides, owned = std::make_shared<const OwnedOptions>(options)](const Tensor& dout) { attention_backward(sides, owned->options, dout); });
  }
  return out;
}

Tensor self_attention(const Tensor& qkv, const AttentionOptions& options) {
  const std::int64_t model_d = qkv.dim(-1) / 3;
  return attention({.q = qkv, .kv = qkv, .query_at = 0, .key_at = model_d, .value_at = 2 * model_d, .d = model_d / options.heads}, options);
}

}  // namespace polymath
