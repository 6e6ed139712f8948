// The arithmetic of models: the only door to the kernels (and, one day, to another backend).
//
// Every op but attention works row by row: x: [rows, D]. All are thread safe and use the
// global ThreadPool; results do not depend on the number of threads, on the neighbours of
// a row or on the instruction set (DESIGN: same bits). Shapes must fit; models guarantee it
// by checking tensors when they load.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "kernels/kernels.h"
#include "tensor/tensor.h"
#include "tensor/weight.h"

namespace polymath {

using kernels::Activation;

struct LinearOptions {
  const float* bias = nullptr;  // [n rounded up to 16] or null
  Activation activation = Activation::kNone;
  float scale = 1.0f;               // on the product, before the bias
  const Tensor* residual = nullptr;  // [rows, n], added last
};

// y = act(scale * x w^T + bias) + residual.  x: [rows, k] -> [rows, n]
Tensor linear(const Tensor& x, const Weight& w, const LinearOptions& options = {});

// y = (x - mean) / sqrt(variance + eps) * weight + bias per row.  weight, bias: [D]; bias may be null.
Tensor layer_norm(const Tensor& x, const float* weight, const float* bias, float eps);

Tensor activate(const Tensor& x, Activation activation);
Tensor add(const Tensor& a, const Tensor& b);       // of the same size
Tensor multiply(const Tensor& a, const Tensor& b);  // of the same size

// act(first half of each row) * second half.  x: [rows, 2 D] -> [rows, D]
Tensor gated(const Tensor& x, Activation activation);

// The rows of x at these indices.  x: [rows, D] -> [indices, D]
Tensor take_rows(const Tensor& x, std::span<const std::int32_t> indices);

// Columns [begin, end) of x.  x: [rows, D] -> [rows, end - begin]
Tensor take_columns(const Tensor& x, std::int64_t begin, std::int64_t end);

void softmax_rows(Tensor& x);

// Rotary position embedding (RoFormer) on columns [begin, begin + heads * 2 * half) of x, in the halves' layout:
// the angles of row r are cos/sin[position[r]]: [positions, half].
void rotate(Tensor& x, std::int64_t begin, std::int64_t heads, std::span<const std::int32_t> position, const Tensor& cos,
            const Tensor& sin);

// The scores of one head of one sequence: scores[i][j] of query i and key j, in rows `stride` apart.
struct HeadScores {
  int sequence = 0, head = 0;
  std::int64_t begin = 0;  // the sequence's first row
  std::int64_t length = 0;  // its rows: queries and keys
  float* scores = nullptr;
  std::int64_t stride = 0;
};

struct AttentionOptions {
  int heads = 1;
  float scale = 1.0f;
  std::span<const std::int32_t> begin;     // [sequences + 1]: the rows of sequence s are [begin[s], begin[s+1])
  std::span<const std::uint8_t> is_key;    // [rows] or empty: rows that others may attend to
  std::span<const std::int32_t> position;  // [rows], needed by window
  std::int64_t window = -1;                // attend only where |position - position| <= window; -1: everywhere
  bool causal = false;  // attend to no row that follows
  // A query that is not a key itself weighs all rows of its sequence equally (DeBERTa's mask of pairs).
  bool pairwise_mask = false;
  // Adds what a model adds to the scaled scores (relative positions): called once per sequence and head, with all
  // its queries, from many threads.
  std::function<void(const HeadScores&)> add_scores;
};

// softmax(scale * q k^T + ...) v within each sequence and head.
// q, k, v: columns [0, D), [D, 2D), [2D, 3D) of qkv: [rows, 3 D] -> [rows, D]
Tensor self_attention(const Tensor& qkv, const AttentionOptions& options);

// Additions and multiplications done by products so far, by all threads; for measuring.
std::uint64_t operations_done();

}  // namespace polymath
