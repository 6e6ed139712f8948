#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/threads.h"
#include "polymath/error.h"
#include "tensor/attention_head.h"
#include "tensor/tape.h"

namespace polymath {

void count_operations(std::int64_t rows, std::int64_t k, std::int64_t n);  // ops.cc

namespace {

using kernels::kLanes;
using kernels::table;

constexpr std::int64_t kQueryBlock = 48;

// The queries of one sequence that share one head of keys and values, against all blocks of its cache. Both products
// are those of linear layers, block by block in ascending order; a key that a query does not see has the weight 0,
// which leaves a sum's bits alone. So it does not matter how many queries come at once.
class CachedHead {
 public:
  CachedHead(const Tensor& q, int layer, const KvCache& cache, int sequence, int kv_head, const CachedAttentionOptions& options, Tensor& out)
      : q_(q), layer_(layer), cache_(cache), sequence_(sequence), kv_head_(kv_head), o_(options), out_(out),
        d_(cache.shape().head_dim), group_(options.heads / cache.shape().heads),
        begin_(options.begin[static_cast<std::size_t>(sequence)]), queries_(options.begin[static_cast<std::size_t>(sequence) + 1] - begin_),
        old_(cache.length() - queries_) {}

  void run() {
    if (queries_ == 0) return;
    // One query: the heads of the group are the rows. More: their queries are, a head at a time.
    if (queries_ == 1) {
      rows(begin_, 1, kv_head_ * group_, group_);
      return;
    }
    for (std::int64_t h = 0; h < group_; ++h) {
      for (std::int64_t i = 0; i < queries_; i += kQueryBlock) rows(begin_ + i, std::min(kQueryBlock, queries_ - i), kv_head_ * group_ + h, 1);
    }
  }

 private:
  std::int64_t sees(std::int64_t row) const { return o_.causal && !o_.blind_sees_all ? old_ + row - begin_ + 1 : cache_.length(); }  // keys

  // Whether key j of a cache whose last keys are the queries' own is one that the query sees.
  bool is_seen(std::int64_t row, std::int64_t j) const {
    const std::int64_t key_row = begin_ + j - old_;
    return j < old_ || (o_.is_key[static_cast<std::size_t>(key_row)] && !(o_.causal && key_row > row));
  }

  // `count` queries from `row` on of `heads` heads from `head` on; one of both is 1.
  void rows(std::int64_t row, std::int64_t count, std::int64_t head, std::int64_t heads) {
    const std::int64_t keys = sees(row + count - 1);
    const std::int64_t blocks = (keys + KvCache::kBlock - 1) / KvCache::kBlock, stride = blocks * KvCache::kBlock;
    const std::int64_t m = count * heads;
    Buffer buffer(static_cast<std::size_t>(m * stride));
    float* scores = buffer.data();
    count_operations(2 * m, keys, d_);

    kernels::Matmul x;
    x.m = static_cast<std::size_t>(m);
    x.a = q_.row(row) + head * d_;
    x.a_stride = static_cast<std::size_t>(heads > 1 ? d_ : q_.dim(-1));
    x.k = static_cast<std::size_t>(d_);
    x.panel_stride = static_cast<std::size_t>(d_) * kLanes;
    x.c_stride = static_cast<std::size_t>(stride);
    x.epilogue.scale = o_.scale;
    for (std::int64_t b = 0; b < blocks; ++b) {
      x.b = cache_.keys(b, layer_, kv_head_);
      x.c = scores + b * KvCache::kBlock;
      x.n = static_cast<std::size_t>(std::min(KvCache::kBlock, (keys - b * KvCache::kBlock + 15) / 16 * 16));
      table().matmul(Storage::kF32, x);
    }

    for (std::int64_t i = 0; i < m; ++i) {
      const std::int64_t r = row + (heads > 1 ? 0 : i), h = head + (heads > 1 ? i : 0);
      weigh(scores + i * stride, r, h, keys);
    }

    x = {};
    x.m = static_cast<std::size_t>(m);
    x.a_stride = static_cast<std::size_t>(stride);
    x.k_stride = static_cast<std::size_t>(cache_.value_stride());
    x.panel_stride = kLanes;
    x.c = out_.row(row) + head * d_;
    x.c_stride = static_cast<std::size_t>(heads > 1 ? d_ : out_.dim(-1));
    x.n = static_cast<std::size_t>(d_);
    for (std::int64_t b = 0; b < blocks; ++b) {
      x.a = scores + b * KvCache::kBlock;
      x.b = cache_.values(b, layer_, kv_head_);
      x.k = static_cast<std::size_t>(std::min(KvCache::kBlock, keys - b * KvCache::kBlock));
      x.accumulate = b > 0;
      table().matmul(Storage::kF32, x);
    }
  }

  // Turns the scores of one query into weights, 0 for what it does not see.  s: [keys]
  void weigh(float* s, std::int64_t row, std::int64_t head, std::int64_t keys) {
    const std::int64_t n = sees(row);
    const std::int32_t* key_column = cache_.columns().data();
    const auto size = static_cast<std::size_t>(n);
    if (o_.softcap > 0) {
      for (std::int64_t j = 0; j < n; ++j) s[j] /= o_.softcap;
      table().activate(Activation::kTanh, s, size, s);
      for (std::int64_t j = 0; j < n; ++j) s[j] *= o_.softcap;
    }
    if (!o_.alibi_slopes.empty()) {
      const float slope = o_.alibi_slopes[static_cast<std::size_t>(head)];
      for (std::int64_t j = 0; j < n; ++j) s[j] += slope * static_cast<float>(j);
    }
    if (o_.term) o_.term->add(QueryScores{sequence_, static_cast<int>(head), row, n, key_column, s});
    if (o_.window >= 0) {
      const std::int32_t column = o_.column[static_cast<std::size_t>(row)];
      for (std::int64_t j = 0; j < n; ++j) {
        if (std::abs(column - key_column[j]) >= o_.window) s[j] = -INFINITY;
      }
    }
    if (!o_.is_key.empty()) {
      bool sees_any = false;
      for (std::int64_t j = 0; j < n; ++j) {
        if (is_seen(row, j)) sees_any = true;
        else s[j] = -INFINITY;
      }
      if (!sees_any && o_.blind_sees_all) std::fill_n(s, n, 0.0f);
    }
    table().softmax(s, 1, size, size);
    std::memset(s + n, 0, static_cast<std::size_t>(keys - n) * sizeof(float));
  }

  const Tensor& q_;
  const int layer_;
  const KvCache& cache_;
  const int sequence_, kv_head_;
  const CachedAttentionOptions& o_;
  Tensor& out_;
  const std::int64_t d_, group_, begin_, queries_, old_;
};

// On a tape nothing is cached: the rows' own keys and values are all there is, and they lie where the model computed them.
Tensor recorded_attention(const Tensor& q, int layer, std::span<KvCache* const> caches, const CachedAttentionOptions& o) {
  const KvShape& shape = caches[0]->shape();
  const KvCache::Recorded kv = caches[0]->recorded.at(static_cast<std::size_t>(layer));
  std::vector<std::int32_t> key_begin{static_cast<std::int32_t>(kv.first_row)};
  for (KvCache* cache : caches) {
    key_begin.push_back(key_begin.back() + static_cast<std::int32_t>(cache->length()));
    if (kv.x.data() == q.data()) cache->recorded[static_cast<std::size_t>(layer)] = {};  // read once
  }
  return attention({.q = q, .kv = kv.x, .query_at = 0, .key_at = kv.key_at, .value_at = kv.value_at, .d = shape.head_dim},
                   {.heads = o.heads,
                    .kv_heads = shape.heads,
                    .scale = o.scale,
                    .begin = o.begin,
                    .key_begin = key_begin,
                    .is_key = o.is_key,
                    .position = o.column,
                    .window = o.window >= 0 ? o.window - 1 : -1,
                    .causal = o.causal,
                    .softcap = o.softcap,
                    .alibi_slopes = o.alibi_slopes,
                    .term = o.term,
                    .drop = o.drop});
}

}  // namespace

void cache_keys_values(const Tensor& x, std::int64_t key_at, std::int64_t value_at, int layer, std::span<KvCache* const> caches,
                       std::span<const std::int32_t> begin) {
  if (Tape::current()) {
    for (std::size_t s = 0; s < caches.size(); ++s) {
      KvCache& cache = *caches[s];
      if (cache.shape().layers > 0 || cache.length() != begin[s + 1] - begin[s]) {
        throw Error(ErrorCode::kUnsupported, "nothing can be trained with a cache of one's own", "cache");
      }
      if (cache.recorded.size() <= static_cast<std::size_t>(layer)) cache.recorded.resize(static_cast<std::size_t>(layer) + 1);
      cache.recorded[static_cast<std::size_t>(layer)] = {x, begin[s], key_at, value_at};
    }
    return;
  }
  ThreadPool::global().parallel_for(caches.size(), [&](std::size_t s) {
    KvCache& cache = *caches[s];
    const std::int64_t rows = begin[s + 1] - begin[s], old = cache.length() - rows, d = cache.shape().head_dim;
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* row = x.row(begin[s] + i);
      for (int h = 0; h < cache.shape().heads; ++h) cache.write(old + i, layer, h, row + key_at + h * d, row + value_at + h * d);
    }
  });
}

Tensor cached_attention(const Tensor& q, int layer, std::span<KvCache* const> caches, const CachedAttentionOptions& options) {
  if (Tape::current()) return recorded_attention(q, layer, caches, options);
  const KvShape& shape = caches[0]->shape();
  Tensor out({q.rows(), options.heads * shape.head_dim});
  const auto heads = static_cast<std::size_t>(shape.heads);
  ThreadPool::global().parallel_for(caches.size() * heads, [&](std::size_t task) {
    const auto s = task / heads;
    CachedHead(q, layer, *caches[s], static_cast<int>(s), static_cast<int>(task % heads), options, out).run();
  });
  return out;
}

}  // namespace polymath
