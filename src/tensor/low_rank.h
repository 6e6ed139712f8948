// Changes of low rank to the matrices of linear layers, which stay as they are: LoRA (Hu et al. 2021, arXiv:2106.09685).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/ops.h"
#include "tensor/weight.h"

namespace polymath {

// What changes a tensor of a checkpoint that is a layer's [n, k]: the layer multiplies by it + scale * b a.
struct LowRankTensors {
  TensorView a, b;    // a: [r, k], b: [n, r], in float types; their parameters are trained, if they have some
  float scale = 1.0f;
  Bytes changed;      // the tensor's own bytes: rows of it go with the same rows of b
};

// The same of the outputs [at, at + b.n()) of a Weight.
struct LowRankChange {
  Weight a, b;  // float32
  float scale = 1.0f;
  std::int64_t at = 0;
};

// The changes that belong to tensors whose outputs are stacked to one Weight. Throws Error naming one whose sizes do not fit.
std::vector<LowRankChange> low_rank_changes(std::span<const TensorView* const> tensors, bool transposed);

// linear() of a weight that has changes.
Tensor changed_linear(const Tensor& x, const Weight& w, const LinearOptions& options);

}  // namespace polymath
