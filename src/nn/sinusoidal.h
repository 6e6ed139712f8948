// Positions of sines and cosines (Vaswani et al. 2017, arXiv:1706.03762): all sines first, then all cosines.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace polymath {

class SinusoidalPositions {
 public:
  // The angles are position / 10000^(2 i / d), in double.
  static SinusoidalPositions of_fractions(std::int64_t d);
  // position * exp(-i log(10000) / (d / 2 - 1)), in float32; the last column of an odd d stays as it is. d: at least 4
  static SinusoidalPositions of_steps(std::int64_t d);

  // y[r] += the vector of positions[r], or nothing where that is negative.  y: [rows, d]
  void add_to(Tensor& y, std::span<const std::int32_t> positions) const;

 private:
  std::int64_t sines_ = 0, cosines_ = 0;
  std::vector<double> frequencies_;  // [sines]
  bool float_angles_ = false;
};

}  // namespace polymath
