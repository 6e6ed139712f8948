#include "nn/sinusoidal.h"

#include "nn/scalar_math.h"

namespace polymath {

SinusoidalPositions SinusoidalPositions::of_fractions(std::int64_t d) {
  SinusoidalPositions p;
  p.sines_ = d - d / 2;
  p.cosines_ = d / 2;
  for (std::int64_t i = 0; i < p.sines_; ++i) p.frequencies_.push_back(1 / scalar_pow(10000, static_cast<double>(2 * i) / static_cast<double>(d)));
  return p;
}

SinusoidalPositions SinusoidalPositions::of_steps(std::int64_t d) {
  SinusoidalPositions p;
  p.sines_ = p.cosines_ = d / 2;
  p.float_angles_ = true;
  const auto step = static_cast<float>(-scalar_log(10000) / static_cast<double>(d / 2 - 1));
  for (std::int64_t i = 0; i < p.sines_; ++i) {
    p.frequencies_.push_back(static_cast<double>(static_cast<float>(scalar_exp(static_cast<double>(static_cast<float>(i) * step)))));
  }
  return p;
}

void SinusoidalPositions::add_to(Tensor& y, std::span<const std::int32_t> positions) const {
  for (std::size_t r = 0; r < positions.size(); ++r) {
    if (positions[r] < 0) continue;
    float* row = y.row(static_cast<std::int64_t>(r));
    for (std::int64_t i = 0; i < sines_; ++i) {
      double angle = positions[r] * frequencies_[static_cast<std::size_t>(i)];
      if (float_angles_) angle = static_cast<double>(static_cast<float>(angle));
      const SinCos at = scalar_sin_cos(angle);
      row[i] += static_cast<float>(at.sin);
      if (i < cosines_) row[sines_ + i] += static_cast<float>(at.cos);
    }
  }
}

}  // namespace polymath
