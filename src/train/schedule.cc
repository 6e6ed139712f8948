#include "train/schedule.h"

#include <algorithm>
#include <cmath>

#include "base/printable.h"
#include "nn/scalar_math.h"
#include "polymath/error.h"

namespace polymath {

void check_schedule(const ScheduleOptions& o) {
  if (o.kind != "constant" && o.kind != "linear" && o.kind != "cosine" && o.kind != "slanted") {
    throw Error(ErrorCode::kInvalidArgument, "\"" + printable(o.kind, 40) + "\" is not one of constant, linear, cosine, slanted", "--schedule");
  }
  if (!(o.warmup >= 0 && o.warmup <= 1)) throw Error(ErrorCode::kInvalidArgument, "must be between 0 and 1", "--warmup");
}

double schedule_factor(const ScheduleOptions& o, std::int64_t step, std::int64_t steps) {
  const auto t = static_cast<double>(step), all = static_cast<double>(std::max<std::int64_t>(steps, 1));
  if (o.kind == "slanted") {
    constexpr double kCut = 0.1, kRatio = 32;
    const double cut = std::max(1.0, std::floor(all * kCut));
    const double p = t < cut ? t / cut : std::max(0.0, 1 - (t - cut) / std::max(1.0, all - cut));
    return (1 + p * (kRatio - 1)) / kRatio;
  }
  const double warm = std::ceil(all * o.warmup);
  if (t < warm) return (t + 1) / (warm + 1);  // the first step moves, too
  const double left = std::max(0.0, (all - t) / std::max(1.0, all - warm));
  if (o.kind == "constant") return 1;
  if (o.kind == "linear") return left;
  return 0.5 * (1 + scalar_sin_cos(3.141592653589793 * (1 - left)).cos);
}

}  // namespace polymath
