#include <algorithm>
#include <cstring>

#include "base/threads.h"
#include "tensor/attention_head.h"
#include "tensor/product.h"
#include "tensor/tape.h"

namespace polymath {

void count_operations(std::int64_t rows, std::int64_t k, std::int64_t n);  // ops.cc

namespace {

using kernels::table;

void scale_block(float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float factor) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < n; ++i) x[r * stride + i] *= factor;
  }
}

// The probabilities p are computed anew. With dp = dout v^T: dscores = p (dp - sum(p dp)), dv = p^T dout,
// dq = scale dscores k, dk = scale dscores^T q. Where some are dropped, so are their dp, and dv has what is left of p.
class HeadGradient {
 public:
  HeadGradient(const AttentionSides& sides, const AttentionOptions& options, const Tensor& dout, Tensor& dq, Tensor& dkv)
      : s_(sides), o_(options), dout_(dout), dq_(dq), dkv_(dkv) {}

  // kept: null, or [queries, padded] <- the gradient of the scores to which a term was added.
  void run(int sequence, int head, float* kept) {
    const AttentionHead h(s_, o_, sequence, head);
    if (h.queries == 0 || h.keys == 0) return;
    const std::int64_t kv_stride = s_.kv.dim(-1), q_stride = s_.q.dim(-1), d = h.d, out_stride = dout_.dim(-1);
    const Buffer keys = column_panels(h.key(0), kv_stride, h.keys, d), key_rows = row_panels(h.key(0), kv_stride, h.keys, d);
    const Buffer values = column_panels(h.value(0), kv_stride, h.keys, d);
    float* dk = dkv_.row(h.first_key) + s_.key_at + h.kv_head * d;
    float* dv = dkv_.row(h.first_key) + s_.value_at + h.kv_head * d;

    const std::int64_t block = h.block(), turned_stride = (block + 15) / 16 * 16 + 16;
    const auto cells = static_cast<std::size_t>(block * h.padded);
    Buffer p(cells), ds(cells), slopes(o_.softcap > 0 ? cells : 0), dropped(o_.drop ? cells : 0), turned(static_cast<std::size_t>(h.keys * turned_stride));
    for (std::int64_t first = 0; first < h.queries; first += block) {
      const std::int64_t count = std::min(block, h.queries - first);
      count_operations(4 * count, h.keys, d);  // the products below; probabilities counts its own
      h.probabilities(first, count, keys, p.data(), o_.softcap > 0 ? slopes.data() : nullptr);
      const float* dout = dout_.row(h.first_query + first) + head * d;

      const float* left = p.data();
      if (o_.drop) {
        std::memcpy(dropped.data(), p.data(), static_cast<std::size_t>(count * h.padded) * sizeof(float));
        h.drop(first, count, dropped.data());
        left = dropped.data();
      }
      transpose(left, h.padded, count, h.keys, turned.data(), turned_stride);
      multiply_alone({.a = turned.data(), .a_stride = turned_stride, .rows = h.keys, .c = dv, .c_stride = kv_stride, .accumulate = true},
                     Panels(row_panels(dout, out_stride, count, d), d, count));

      multiply_alone({.a = dout, .a_stride = out_stride, .rows = count, .c = ds.data(), .c_stride = h.padded}, Panels(values, h.padded, d));
      h.drop(first, count, ds.data());
      table().softmax_gradient(p.data(), ds.data(), static_cast<std::size_t>(count), static_cast<std::size_t>(h.keys), static_cast<std::size_t>(h.padded));
      for (std::int64_t i = 0; i < count; ++i) {
        if (h.fixed(first + i)) std::fill_n(ds.data() + i * h.padded, h.keys, 0.0f);
      }
      if (kept) std::memcpy(kept + first * h.padded, ds.data(), static_cast<std::size_t>(count * h.padded) * sizeof(float));
      if (o_.softcap > 0) {
        for (std::int64_t i = 0; i < count; ++i) {
          const auto at = i * h.padded;
          table().multiply(ds.data() + at, slopes.data() + at, static_cast<std::size_t>(h.keys), ds.data() + at);
        }
      }
      scale_block(ds.data(), h.padded, count, h.keys, o_.scale);

      float* dq = dq_.row(h.first_query + first) + s_.query_at + head * d;
      multiply_alone({.a = ds.data(), .a_stride = h.padded, .rows = count, .c = dq, .c_stride = q_stride, .accumulate = true}, Panels(key_rows, d, h.keys));
      transpose(ds.data(), h.padded, count, h.keys, turned.data(), turned_stride);
      multiply_alone({.a = turned.data(), .a_stride = turned_stride, .rows = h.keys, .c = dk, .c_stride = kv_stride, .accumulate = true},
                     Panels(row_panels(h.query(first), q_stride, count, d), d, count));
    }
  }

 private:
  const AttentionSides& s_;
  const AttentionOptions& o_;
  const Tensor& dout_;
  Tensor &dq_, &dkv_;
};

}  // namespace

void attention_backward(const AttentionSides& sides, const AttentionOptions& o, const Tensor& dout) {
  const bool one_side = sides.q.data() == sides.kv.data();
  Tensor dq = zeros(sides.q.shape()), other = one_side ? Tensor() : zeros(sides.kv.shape());
  Tensor& dkv = one_side ? dq : other;
  HeadGradient gradient(sides, o, dout, dq, dkv);
  const int kv_heads = o.kv_heads > 0 ? o.kv_heads : o.heads, group = o.heads / kv_heads;
  const auto sequences = static_cast<int>(o.begin.size()) - 1;

  if (!o.term) {  // heads that share keys and values add to the same gradients, one after the other
    ThreadPool::global().parallel_for(static_cast<std::size_t>(sequences * kv_heads), [&](std::size_t task) {
      const int sequence = static_cast<int>(task) / kv_heads, kv_head = static_cast<int>(task) % kv_heads;
      for (int i = 0; i < group; ++i) gradient.run(sequence, kv_head * group + i, nullptr);
    });
  }
  for (int s = 0; o.term && s < sequences; ++s) {  // a term's own gradients are sums over sequences and heads, in order
    const AttentionHead any(sides, o, s, 0);
    const std::int64_t cells = any.queries * any.padded;
    Buffer kept(static_cast<std::size_t>(o.heads * cells));
    ThreadPool::global().parallel_for(static_cast<std::size_t>(kv_heads), [&](std::size_t kv_head) {
      for (int i = 0; i < group; ++i) {
        const int head = static_cast<int>(kv_head) * group + i;
        gradient.run(s, head, kept.data() + head * cells);
      }
    });
    if (cells > 0) o.term->backward({s, 0, any.first_query, any.queries, kept.data(), any.padded}, o.heads, sides.q, dq);
  }
  add_gradient(sides.q, std::move(dq));
  if (!one_side) add_gradient(sides.kv, std::move(other));
}

}  // namespace polymath
