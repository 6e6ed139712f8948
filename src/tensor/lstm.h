// A layer of long short-term memory over sequences of different lengths, without padding.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"
#include "tensor/weight.h"

namespace polymath {

struct LstmOptions {
  std::span<const std::int32_t> begin;  // [sequences + 1]: the rows of sequence s are [begin[s], begin[s+1])
  // [sequences, H]: what each sequence goes on from, through which nothing flows back; or empty: zeros.
  Tensor h, c;
  float weight_dropout = 0;  // of w's values, the same in all steps (Merity et al. 2017); dropout.h says when
};

// What the layer holds after each row: h, which is its output, and the cells, which carry no gradient.  [rows, H]
struct LstmStates {
  Tensor h, c;
};

// With a = gates[row] + h w^T + bias in four parts of H: c = sigmoid(a1) c + sigmoid(a0) tanh(a2), h = sigmoid(a3) tanh(c), as
// torch.nn.LSTM. Sequences take their steps together, the longest first, in one product a step; a row's bits do not depend on
// the others.
// gates: [rows, 4 H], what the inputs give; w: [4 H, H]; bias: [4 H] or empty
LstmStates lstm(const Tensor& gates, const Weight& w, const Vector& bias, const LstmOptions& options);

}  // namespace polymath
