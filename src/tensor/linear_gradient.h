// linear() on a tape.
#pragma once

#include "tensor/ops.h"
#include "tensor/tape.h"

namespace polymath {

bool linear_is_recorded(const Tensor& x, const Weight& w, const LinearOptions& options);
Tensor recorded_linear(Tape& tape, const Tensor& x, const Weight& w, const LinearOptions& options);

}  // namespace polymath
