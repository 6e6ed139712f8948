#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/threads.h"
#include "tensor/ops.h"

namespace polymath {

void count_operations(std::int64_t rows, std::int64_t k, std::int64_t n);  // ops.cc

namespace {

using kernels::kLanes;
using kernels::table;

// Queries at a time: their scores stay in the second cache up to some thousand keys.
constexpr std::int64_t kQueryBlock = 48;

// One head of one sequence. Keys and values are copied into panels of 16 columns, so that both
// products are those of linear layers: scores over the width of a head, then the sum over keys in
// ascending order. A key that is not attended to has the weight 0, which leaves a sum's bits alone.
class Head {
 public:
  Head(const Tensor& qkv, const AttentionOptions& options, int sequence, int head, Tensor& out)
      : qkv_(qkv), o_(options), sequence_(sequence), head_(head), out_(out),
        model_d_(qkv.dim(-1) / 3), d_(model_d_ / options.heads),
        begin_(options.begin[static_cast<std::size_t>(sequence)]),
        length_(options.begin[static_cast<std::size_t>(sequence) + 1] - begin_),
        padded_((length_ + 15) / 16 * 16), d_padded_((d_ + 15) / 16 * 16),
        query_block_(options.add_scores ? length_ : std::min(kQueryBlock, length_)),
        keys_(static_cast<std::size_t>(padded_ * d_)), values_(static_cast<std::size_t>(length_ * d_padded_)),
        scores_(static_cast<std::size_t>(query_block_ * padded_)) {}

  void run() {
    count_operations(2 * length_, length_, d_);
    pack();
    for (std::int64_t query = 0; query < length_; query += query_block_) block(query, std::min(query_block_, length_ - query));
  }

 private:
  const float* part(std::int64_t which, std::int64_t row) const {
    return qkv_.row(begin_ + row) + which * model_d_ + head_ * d_;
  }

  void pack() {
    float* k = keys_.data();
    for (std::int64_t panel = 0; panel < padded_; panel += 16, k += d_ * 16) {
      const std::int64_t rows = std::min<std::int64_t>(16, length_ - panel);
      if (rows < 16) std::memset(k, 0, static_cast<std::size_t>(d_) * 16 * sizeof(float));
      if (rows == 16) {
        table().transpose16(part(1, panel), static_cast<std::size_t>(3 * model_d_), static_cast<std::size_t>(d_), k);
      } else {
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t i = 0; i < d_; ++i) k[i * 16 + r] = part(1, panel + r)[i];
        }
      }
    }
    float* v = values_.data();
    for (std::int64_t column = 0; column < d_; column += 16) {
      const std::int64_t width = std::min<std::int64_t>(16, d_ - column);
      for (std::int64_t row = 0; row < length_; ++row, v += 16) {
        std::memcpy(v, part(2, row) + column, static_cast<std::size_t>(width) * sizeof(float));
        std::memset(v + width, 0, static_cast<std::size_t>(16 - width) * sizeof(float));
      }
    }
  }

  void mask(std::int64_t query, std::int64_t queries) {
    float* scores = scores_.data();
    if (!o_.is_key.empty()) {
      for (std::int64_t j = 0; j < length_; ++j) {
        if (o_.is_key[static_cast<std::size_t>(begin_ + j)]) continue;
        for (std::int64_t i = 0; i < queries; ++i) scores[i * padded_ + j] = -INFINITY;
      }
    }
    if (o_.window >= 0) {
      const std::int32_t* position = o_.position.data() + begin_;
      for (std::int64_t i = 0; i < queries; ++i) {
        for (std::int64_t j = 0; j < length_; ++j) {
          if (std::abs(position[query + i] - position[j]) > o_.window) scores[i * padded_ + j] = -INFINITY;
        }
      }
    }
    for (std::int64_t i = 0; o_.causal && i < queries; ++i) {
      std::fill(scores + i * padded_ + query + i + 1, scores + i * padded_ + length_, -INFINITY);
    }
    if (o_.is_key.empty()) return;
    // Transformers masks by adding the lowest number: a query without any key weighs all rows equally.
    for (std::int64_t i = 0; i < queries; ++i) {
      float* row = scores + i * padded_;
      const bool hidden = o_.pairwise_mask && !o_.is_key[static_cast<std::size_t>(begin_ + query + i)];
      if (hidden || std::all_of(row, row + length_, [](float s) { return s == -INFINITY; })) std::fill_n(row, length_, 0.0f);
    }
  }

  void block(std::int64_t query, std::int64_t queries) {
    float* scores = scores_.data();
    kernels::Matmul m;
    m.a = part(0, query);
    m.a_stride = static_cast<std::size_t>(3 * model_d_);
    m.b = keys_.data();
    m.panel_stride = static_cast<std::size_t>(d_) * kLanes;
    m.c = scores;
    m.c_stride = static_cast<std::size_t>(padded_);
    m.m = static_cast<std::size_t>(queries);
    m.k = static_cast<std::size_t>(d_);
    m.n = static_cast<std::size_t>(padded_);
    m.epilogue.scale = o_.scale;
    table().matmul(Storage::kF32, m);

    if (o_.add_scores) o_.add_scores({sequence_, head_, begin_, length_, scores, padded_});
    mask(query, queries);
    table().softmax(scores, static_cast<std::size_t>(queries), static_cast<std::size_t>(length_), static_cast<std::size_t>(padded_));

    m.a = scores;
    m.a_stride = static_cast<std::size_t>(padded_);
    m.b = values_.data();
    m.panel_stride = static_cast<std::size_t>(length_) * kLanes;
    m.c = out_.row(begin_ + query) + head_ * d_;
    m.c_stride = static_cast<std::size_t>(model_d_);
    m.k = static_cast<std::size_t>(length_);
    m.n = static_cast<std::size_t>(d_);
    m.epilogue.scale = 1.0f;
    table().matmul(Storage::kF32, m);
  }

  const Tensor& qkv_;
  const AttentionOptions& o_;
  const int sequence_, head_;
  Tensor& out_;
  const std::int64_t model_d_, d_, begin_, length_, padded_, d_padded_, query_block_;
  Buffer keys_;    // [padded / 16][d][16]
  Buffer values_;  // [d_padded / 16][length][16]
  Buffer scores_;  // [queries, padded]
};

}  // namespace

Tensor self_attention(const Tensor& qkv, const AttentionOptions& options) {
  Tensor out({qkv.rows(), qkv.dim(-1) / 3});
  const auto sequences = options.begin.size() - 1, heads = static_cast<std::size_t>(options.heads);
  ThreadPool::global().parallel_for(sequences * heads, [&](std::size_t task) {
    Head(qkv, options, static_cast<int>(task / heads), static_cast<int>(task % heads), out).run();
  });
  return out;
}

}  // namespace polymath
