// The arithmetic of models: the only door to the kernels (and, one day, to another backend).
//
// Every op but attention works row by row: x: [rows, D]. All are thread safe and use the
// global ThreadPool; results do not depend on the number of threads, on the neighbours of
// a row or on the instruction set (DESIGN: same bits). Shapes must fit; models guarantee it
// by checking tensors when they load. Where the calling thread has a tape, ops record what their gradients need (tape.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "tensor/dropout.h"
#include "tensor/kv_cache.h"
#include "tensor/tensor.h"
#include "tensor/weight.h"

namespace polymath {

using kernels::Activation;

struct LinearOptions {
  const Vector* bias = nullptr;  // [n] or null
  Activation activation = Activation::kNone;
  float scale = 1.0f;               // on the product, before the bias
  const Tensor* residual = nullptr;  // [rows, n], added last
};

// y = act(scale * x w^T + bias) + residual.  x: [rows, k] -> [rows, n]
Tensor linear(const Tensor& x, const Weight& w, const LinearOptions& options = {});

// y = (x - mean) / sqrt(variance + eps) * weight + bias per row.  weight, bias: [D]; bias may be empty.
Tensor layer_norm(const Tensor& x, const Vector& weight, const Vector& bias, float eps);

// y = x / sqrt(mean(x^2) + eps) * weight per row.  weight: [D]
Tensor rms_norm(const Tensor& x, const Vector& weight, float eps);
// The same within each of `heads` vectors of d from column `begin` on, in place.  weight: [d]
void rms_norm_heads(Tensor& x, std::int64_t begin, std::int64_t heads, const Vector& weight, float eps);

Tensor activate(const Tensor& x, Activation activation);
Tensor scaled(const Tensor& x, float factor);
// Divides a vector by its length, or by 1e-12 if that is more, as torch.nn.functional.normalize does. Not recorded.
void to_unit_length(std::span<float> x);
Tensor add(const Tensor& a, const Tensor& b);       // of the same size
Tensor multiply(const Tensor& a, const Tensor& b);  // of the same size

// cap * tanh(x / cap)
Tensor softcapped(const Tensor& x, float cap);

// act(first half of each row) * second half.  x: [rows, 2 D] -> [rows, D]
Tensor gated(const Tensor& x, Activation activation);

// The rows of x at these indices, zeros where one is below 0.  x: [rows, D] -> [indices, D]
Tensor take_rows(const Tensor& x, std::span<const std::int32_t> indices);

// Columns [begin, end) of x.  x: [rows, D] -> [rows, end - begin]
Tensor take_columns(const Tensor& x, std::int64_t begin, std::int64_t end);

// Side by side.  parts: [rows, ...] each -> [rows, sum of their widths]
Tensor join_columns(std::span<const Tensor> parts);

// Sets columns [begin, end) of these rows to 0.
void clear_rows(Tensor& x, std::span<const std::int32_t> rows, std::int64_t begin, std::int64_t end);

// The mean of each group of rows.  x: [rows, D] -> [groups, D]
Tensor mean_of_rows(const Tensor& x, std::span<const std::vector<std::int32_t>> groups);

// The largest of each group of rows, column by column; the first where several are.  x: [rows, D] -> [groups, D]
Tensor max_of_rows(const Tensor& x, std::span<const std::vector<std::int32_t>> groups);

void softmax_rows(Tensor& x);

// y[r] = table[ids[r]], which must be in the table.  -> [ids, d]. In training, nothing flows to row padding_idx.
Tensor look_up(const EmbeddingTable& table, std::span<const std::int32_t> ids, std::optional<std::int64_t> padding_idx = {});
void add_looked_up(Tensor& y, const EmbeddingTable& table, std::span<const std::int32_t> ids, std::optional<std::int64_t> padding_idx = {});  // y[r] += ...

// The `count` largest values of each row, the first where several are equal, as shares of their sum.
struct TopShares {
  std::vector<std::int32_t> columns;  // [rows * count]
  Tensor shares;                      // [rows, count]
};
TopShares top_shares(const Tensor& x, int count);

// y[rows[i]] += the value of `weights` in cells[i] * x[i].  x: [rows, D]
void add_weighted_rows(Tensor& y, const Tensor& x, std::span<const std::int32_t> rows, const Tensor& weights, std::span<const std::int32_t> cells);

// Rotary position embedding (RoFormer) on the first 2 * half columns of each of `heads` vectors of head_dim from column
// `begin` on, in the halves' layout: the angles of row r are cos/sin[r]: [rows, half]. head_dim 0: 2 * half.
void rotate(Tensor& x, std::int64_t begin, std::int64_t heads, const Tensor& cos, const Tensor& sin, std::int64_t head_dim = 0);

// The scores of one head of one sequence: scores[i][j] of query i and key j, in rows `stride` apart.
struct HeadScores {
  int sequence = 0, head = 0;
  std::int64_t begin = 0;  // the sequence's first row
  std::int64_t length = 0;  // its rows: queries and keys
  float* scores = nullptr;
  std::int64_t stride = 0;
};

// What a model adds to the scaled scores (relative positions). It owns what it reads of a pass, since a tape keeps it.
class ScoreTerm {
 public:
  virtual ~ScoreTerm() = default;
  // Called once per sequence and head, with all its queries, from many threads.
  virtual void add(const HeadScores& scores, const Tensor& qkv) const = 0;
  // The way back: d holds the gradients of the scores of all heads of a sequence, head h's from h * length * stride on.
  // Adds to the gradients of what add() read: of parameters, and of qkv. Called for one sequence after the other.
  virtual void backward(const HeadScores& d, int heads, const Tensor& qkv, Tensor& dqkv) const = 0;
};

struct AttentionOptions {
  int heads = 1;
  int kv_heads = 0;  // of keys and values, which neighbours share; 0: as many
  float scale = 1.0f;
  std::span<const std::int32_t> begin;      // [sequences + 1]: the rows of sequence s are [begin[s], begin[s+1])
  std::span<const std::int32_t> key_begin;  // the same of the keys, where they are others than the queries; or empty
  std::span<const std::uint8_t> is_key;     // [rows] or empty: rows that others may attend to
  std::span<const std::int32_t> position;   // [rows], needed by window
  std::int64_t window = -1;                 // attend only where |position - position| <= window; -1: everywhere
  bool causal = false;  // attend to no row that follows
  // A query that is not a key itself weighs all rows of its sequence equally (DeBERTa's mask of pairs).
  bool pairwise_mask = false;
  float softcap = 0;                    // scores <- softcap * tanh(scores / softcap); 0: not
  std::span<const float> alibi_slopes;  // [heads] or empty: scores += slope * key's place (Press et al. 2021, arXiv:2108.12409)
  std::shared_ptr<const ScoreTerm> term;  // or null
  DropMask drop;  // of the weights that softmax gives
};

// softmax(scale * q k^T + ...) v within each sequence and head.
// q, k, v: columns [0, D), [D, 2D), [2D, 3D) of qkv: [rows, 3 D] -> [rows, D]
Tensor self_attention(const Tensor& qkv, const AttentionOptions& options);

// Writes keys and values of all rows into the caches, where KvCache::extend made room: those of head h are the columns
// from key_at + h * head_dim and value_at + h * head_dim on.  x: [rows, ...]
void cache_keys_values(const Tensor& x, std::int64_t key_at, std::int64_t value_at, int layer, std::span<KvCache* const> caches,
                       std::span<const std::int32_t> begin);

// The scores of one query row: scores[j] of key j < keys, which came from column key_column[j].
struct QueryScores {
  int sequence = 0, head = 0;
  std::int64_t row = 0, keys = 0;
  const std::int32_t* key_column = nullptr;
  float* scores = nullptr;
};

// A term that can also be added to one query at a time.
class CachedScoreTerm : public ScoreTerm {
 public:
  using ScoreTerm::add;
  virtual void add(const QueryScores& scores) const = 0;  // called once per query row and head, from many threads
};

struct CachedAttentionOptions {
  int heads = 1;  // of queries, a multiple of the cache's: neighbours share a head of keys and values
  float scale = 1.0f;
  bool causal = true;                     // a row sees what was cached before it and itself; else all
  std::span<const std::int32_t> begin;    // [sequences + 1], as in AttentionOptions
  std::span<const std::int32_t> column;   // [rows], needed by window
  std::int64_t window = -1;               // see only keys less than this many columns away; -1: all
  float softcap = 0;                      // scores <- softcap * tanh(scores / softcap); 0: not
  std::span<const float> alibi_slopes;    // [heads] or empty: scores += slope * key's place in the cache (Press et al. 2021, arXiv:2108.12409)
  std::span<const std::uint8_t> is_key;  // [rows] or empty: rows that others may attend to
  // A query that sees nothing weighs all that is cached equally, as Transformers' eager attention does; else it gets 0.
  bool blind_sees_all = false;
  std::shared_ptr<const CachedScoreTerm> term;  // or null
  DropMask drop;  // of the weights that softmax gives, on a tape
};

// softmax(scale * q k^T + ...) v over each sequence's cache.
// q: [rows, at least heads * head_dim], the queries first -> [rows, heads * head_dim]
Tensor cached_attention(const Tensor& q, int layer, std::span<KvCache* const> caches, const CachedAttentionOptions& options);

// Additions and multiplications done by products so far, by all threads; for measuring.
std::uint64_t operations_done();
// Bytes of weights that products went through so far; what one pass reads where it has few rows.
std::uint64_t weight_bytes_read();

}  // namespace polymath
