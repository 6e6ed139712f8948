// linear() on a tape.
#pragma once

#include "tensor/ops.h"
#include "tensor/tape.h"

namespace polymath {

bool linear_is_recorded(const Tensor& x, const Weight& w, const LinearOptions& options);
Tensor recorded_linear(Tape& tape, const Tensor& x, const Weight& w, const LinearOptions& options);

// The gradients of the parameters that w was packed from: dw = dy^T x.  dy: [rows, n], x: [rows, k]
void add_weight_gradient(const Weight& w, const Tensor& dy, const Tensor& x);

// dy^T x.  -> [n, k]
Tensor weight_gradient(const Tensor& dy, const Tensor& x);

// The sum of each column's rows in ascending order.  -> [columns rounded up to 16]
Buffer sum_rows(const Tensor& x);

}  // namespace polymath
