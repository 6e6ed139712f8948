#include <algorithm>
#include <cstring>

#include "base/threads.h"
#include "tensor/attention_head.h"
#include "tensor/product.h"
#include "tensor/tape.h"

namespace polymath {

void count_operations(std::int64_t rows, std::int64_t k, std::int64_t n);  // ops.cc

namespace {

using kernels::kLanes;
using kernels::table;

// c (+)= scale * a b.  a: [m, k], b: panels [n / 16][k][16], c: [m, n]
void product(const float* a, std::int64_t a_stride, const Buffer& b, float* c, std::int64_t c_stride, std::int64_t m, std::int64_t k, std::int64_t n,
             bool accumulate) {
  count_operations(m, k, n);
  kernels::Matmul x;
  x.a = a;
  x.a_stride = static_cast<std::size_t>(a_stride);
  x.b = b.data();
  x.panel_stride = static_cast<std::size_t>(k) * kLanes;
  x.c = c;
  x.c_stride = static_cast<std::size_t>(c_stride);
  x.m = static_cast<std::size_t>(m);
  x.k = static_cast<std::size_t>(k);
  x.n = static_cast<std::size_t>(n);
  x.accumulate = accumulate;
  table().matmul(Storage::kF32, x);
}

void scale_block(float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float factor) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < n; ++i) x[r * stride + i] *= factor;
  }
}

// The probabilities p are computed anew. With dp = dout v^T: dscores = p (dp - sum(p dp)), dv = p^T dout,
// dq = scale dscores k, dk = scale dscores^T q.
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
    Buffer p(cells), ds(cells), slopes(o_.softcap > 0 ? cells : 0), turned(static_cast<std::size_t>(h.keys * turned_stride));
    for (std::int64_t first = 0; first < h.queries; first += block) {
      const std::int64_t count = std::min(block, h.queries - first);
      h.probabilities(first, count, keys.data(), p.data(), o_.softcap > 0 ? slopes.data() : nullptr);
      const float* dout = dout_.row(h.first_query + first) + head * d;

      transpose(p.data(), h.padded, count, h.keys, turned.data(), turned_stride);
      product(turned.data(), turned_stride, row_panels(dout, out_stride, count, d), dv, kv_stride, h.keys, count, d, /*accumulate=*/true);

      product(dout, out_stride, values, ds.data(), h.padded, count, d, h.padded, /*accumulate=*/false);
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

      product(ds.data(), h.padded, key_rows, dq_.row(h.first_query + first) + s_.query_at + head * d, q_stride, count, h.keys, d, /*accumulate=*/true);
      transpose(ds.data(), h.padded, count, h.keys, turned.data(), turned_stride);
      product(turned.data(), turned_stride, row_panels(h.query(first), q_stride, count, d), dk, kv_stride, h.keys, count, d, /*accumulate=*/true);
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
