#include "nn/rope.h"

#include <algorithm>
#include <vector>

#include "nn/scalar_math.h"

namespace polymath {

RopeTable::RopeTable(std::int64_t d, double theta, std::span<const std::int32_t> positions) {
  const std::int64_t half = d / 2;
  std::int32_t last = 0;
  for (std::int32_t p : positions) last = std::max(last, p);
  cos = Tensor({last + 1, half});
  sin = Tensor({last + 1, half});
  std::vector<float> inv_freq(static_cast<std::size_t>(half));
  for (std::int64_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(d);
    inv_freq[static_cast<std::size_t>(i)] = 1.0f / static_cast<float>(scalar_pow(theta, exponent));
  }
  for (std::int32_t p = 0; p <= last; ++p) {
    for (std::int64_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(p) * inv_freq[static_cast<std::size_t>(i)];
      const SinCos sc = scalar_sin_cos(angle);
      cos.row(p)[i] = static_cast<float>(sc.cos);
      sin.row(p)[i] = static_cast<float>(sc.sin);
    }
  }
}

}  // namespace polymath
