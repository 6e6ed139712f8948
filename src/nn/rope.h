// Rotary position embedding (Su et al. 2021, arXiv:2104.09864).
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace polymath {

// cos and sin of position * theta^(-2i/d): [largest position + 1, d/2]. The angles are rounded to
// float32 where Transformers rounds them; the functions are our own, in double.
struct RopeTable {
  Tensor cos, sin;
  RopeTable(std::int64_t d, double theta, std::span<const std::int32_t> positions);
};

}  // namespace polymath
