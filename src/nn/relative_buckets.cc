#include "nn/relative_buckets.h"

#include <algorithm>

#include "nn/scalar_math.h"

namespace polymath {
namespace {

constexpr std::int64_t kTable = 512;  // distances looked up rather than computed

}  // namespace

RelativeBuckets::RelativeBuckets(int buckets, std::int64_t max_distance, bool bidirectional)
    : half_(bidirectional ? buckets / 2 : buckets), max_distance_(max_distance), bidirectional_(bidirectional) {
  for (std::int64_t n = 0; n < kTable; ++n) near_.push_back(n < half_ / 2 ? static_cast<int>(n) : far_bucket(static_cast<double>(n)));
}

int RelativeBuckets::far_bucket(double distance) const {
  const int exact = half_ / 2;
  if (distance >= static_cast<double>(max_distance_)) return half_ - 1;
  // In float32, where Transformers rounds.
  const auto ratio = static_cast<float>(scalar_log(static_cast<double>(static_cast<float>(distance) / static_cast<float>(exact))));
  const auto most = static_cast<float>(scalar_log(static_cast<double>(max_distance_) / exact));
  return std::min(exact + static_cast<int>(ratio / most * static_cast<float>(half_ - exact)), half_ - 1);
}

}  // namespace polymath
