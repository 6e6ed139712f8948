#include "train/losses.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "nn/scalar_math.h"
#include "polymath/error.h"
#include "tensor/ops.h"
#include "tensor/parallel.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

Tensor one_value(double value) {
  Tensor y({1});
  y.data()[0] = static_cast<float>(value);
  return y;
}

// Turns n logits into probabilities; returns what -log softmax is above the negative logit.
double softmax_of(float* row, std::size_t n) {
  const float top = *std::max_element(row, row + n);
  kernels::table().softmax(row, 1, n, n);
  // The largest probability is 1 over the sum of the others' exponentials.
  return static_cast<double>(top) - scalar_log(static_cast<double>(*std::max_element(row, row + n)));
}

void check_label(std::int32_t label, std::int64_t n, const char* what) {
  if (label == kIgnored || (label >= 0 && label < n)) return;
  throw Error(ErrorCode::kInvalidArgument, std::to_string(label) + " is not one of the " + std::to_string(n) + " that the model knows", what);
}

double mean_logit(const Tensor& logits, std::int64_t begin, std::int64_t end) {
  double sum = 0;
  for (std::int64_t i = begin; i < end; ++i) sum += static_cast<double>(logits.data()[i]);
  return sum / static_cast<double>(end - begin);
}

// Rows of one tensor as they lie: row r is [at[r], at[r + 1]).
Tensor cross_entropy_of(const Tensor& logits, std::vector<std::int64_t> at, std::span<const std::int32_t> labels, const char* what, double smoothing) {
  std::int64_t count = 0;
  for (std::size_t r = 0; r < labels.size(); ++r) {
    check_label(labels[r], at[r + 1] - at[r], what);
    count += labels[r] != kIgnored;
  }
  if (count == 0) throw Error(ErrorCode::kInvalidArgument, "holds no label that counts", what);
  Tensor p = copy_of(logits);
  std::vector<double> losses(labels.size(), 0.0);
  parallel_ranges(static_cast<std::int64_t>(labels.size()), 1, [&](std::int64_t r, std::int64_t) {
    const auto row = static_cast<std::size_t>(r);
    if (labels[row] == kIgnored) return;
    const double above = softmax_of(p.data() + at[row], static_cast<std::size_t>(at[row + 1] - at[row]));
    losses[row] = above - (1 - smoothing) * static_cast<double>(logits.data()[at[row] + labels[row]]);
    if (smoothing > 0) losses[row] -= smoothing * mean_logit(logits, at[row], at[row + 1]);
  });
  double sum = 0;
  for (const double loss : losses) sum += loss;
  Tensor y = one_value(sum / static_cast<double>(count));
  if (Tape* tape = Tape::of(logits)) {
    tape->record(y, [logits, p, at = std::move(at), kept = std::vector(labels.begin(), labels.end()), count, smoothing](const Tensor& dy) {
      Tensor dx = p;  // its own memory, and not needed any more
      const float share = dy.data()[0] / static_cast<float>(count), own = static_cast<float>(1 - smoothing);
      parallel_ranges(static_cast<std::int64_t>(kept.size()), 1, [&](std::int64_t r, std::int64_t) {
        const auto row = static_cast<std::size_t>(r);
        float *from = dx.data() + at[row], *end = dx.data() + at[row + 1];
        if (kept[row] == kIgnored) return std::fill(from, end, 0.0f);
        const float spread = static_cast<float>(smoothing / static_cast<double>(end - from));
        from[kept[row]] -= own;
        for (; from < end; ++from) *from = (*from - spread) * share;
      });
      add_gradient(logits, std::move(dx));
    });
  }
  return y;
}

// The mean of f over `count` of the values; df: of one value
template <class F, class Df>
Tensor mean_of(const Tensor& x, std::int64_t count, const F& f, const Df& df) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.size(); ++i) sum += f(i, static_cast<double>(x.data()[i]));
  Tensor y = one_value(sum / static_cast<double>(count));
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, count, df](const Tensor& dy) {
      Tensor dx(x.shape());
      const double share = static_cast<double>(dy.data()[0]) / static_cast<double>(count);
      for (std::int64_t i = 0; i < x.size(); ++i) dx.data()[i] = static_cast<float>(share * df(i, static_cast<double>(x.data()[i])));
      add_gradient(x, std::move(dx));
    });
  }
  return y;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, std::span<const std::int32_t> labels, const char* what, double smoothing) {
  std::vector<std::int64_t> at;
  for (std::size_t r = 0; r <= labels.size(); ++r) at.push_back(static_cast<std::int64_t>(r) * logits.dim(-1));
  return cross_entropy_of(logits, std::move(at), labels, what, smoothing);
}

Tensor span_cross_entropy(const Tensor& logits, std::span<const std::int32_t> begin, std::span<const std::int32_t> labels, const char* what) {
  return cross_entropy_of(logits, std::vector<std::int64_t>(begin.begin(), begin.end()), labels, what, 0);
}

Tensor soft_cross_entropy(const Tensor& logits, std::span<const float> targets) {
  const std::int64_t rows = logits.rows(), n = logits.dim(-1);
  Tensor p = copy_of(logits);
  double sum = 0;
  std::vector<double> mass(static_cast<std::size_t>(rows), 0.0);  // the sum of a row's targets
  for (std::int64_t r = 0; r < rows; ++r) {
    const double above = softmax_of(p.row(r), static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) {
      const auto target = static_cast<double>(targets[static_cast<std::size_t>(r * n + i)]);
      sum += target * (above - static_cast<double>(logits.row(r)[i]));
      mass[static_cast<std::size_t>(r)] += target;
    }
  }
  Tensor y = one_value(sum / static_cast<double>(rows));
  if (Tape* tape = Tape::of(logits)) {
    tape->record(y, [logits, p, mass, kept = std::vector(targets.begin(), targets.end()), rows, n](const Tensor& dy) {
      Tensor dx(logits.shape());
      const double share = static_cast<double>(dy.data()[0]) / static_cast<double>(rows);
      for (std::int64_t i = 0; i < dx.size(); ++i) {
        const auto target = static_cast<double>(kept[static_cast<std::size_t>(i)]);
        dx.data()[i] = static_cast<float>(share * (static_cast<double>(p.data()[i]) * mass[static_cast<std::size_t>(i / n)] - target));
      }
      add_gradient(logits, std::move(dx));
    });
  }
  return y;
}

Tensor distillation_loss(const Tensor& logits, const Tensor& teacher, double temperature) {
  const auto cooled = static_cast<float>(1 / temperature);
  Tensor wanted = copy_of(teacher);
  double entropy = 0;
  for (std::int64_t r = 0; r < wanted.rows(); ++r) {
    float* row = wanted.row(r);
    for (std::int64_t i = 0; i < wanted.dim(-1); ++i) row[i] *= cooled;
    softmax_of(row, static_cast<std::size_t>(wanted.dim(-1)));
    for (std::int64_t i = 0; i < wanted.dim(-1); ++i) {
      if (row[i] > 0) entropy -= static_cast<double>(row[i]) * scalar_log(static_cast<double>(row[i]));
    }
  }
  Tensor loss = soft_cross_entropy(scaled(logits, cooled), wanted.values());
  loss.data()[0] -= static_cast<float>(entropy / static_cast<double>(wanted.rows()));  // a constant, without a gradient
  return scaled(loss, static_cast<float>(temperature * temperature));
}

Tensor mean_squared_error(const Tensor& x, std::span<const float> targets) {
  const std::vector<float> kept(targets.begin(), targets.end());
  const auto off = [kept](std::int64_t i, double v) { return v - static_cast<double>(kept[static_cast<std::size_t>(i)]); };
  return mean_of(x, x.size(), [off](std::int64_t i, double v) { return off(i, v) * off(i, v); }, [off](std::int64_t i, double v) { return 2 * off(i, v); });
}

Tensor binary_cross_entropy(const Tensor& logits, std::span<const float> targets) {
  const std::vector<float> kept(targets.begin(), targets.end());
  const std::int64_t count = std::count_if(kept.begin(), kept.end(), [](float t) { return !std::isnan(t); });
  if (count == 0) throw Error(ErrorCode::kInvalidArgument, "holds no label that counts", "labels");
  const auto loss = [kept](std::int64_t i, double v) {
    const auto t = static_cast<double>(kept[static_cast<std::size_t>(i)]);
    return std::isnan(t) ? 0.0 : std::max(v, 0.0) - v * t + scalar_log(1 + scalar_exp(-std::min(std::fabs(v), 600.0)));
  };
  const auto slope = [kept](std::int64_t i, double v) {
    const auto t = static_cast<double>(kept[static_cast<std::size_t>(i)]);
    const double small = scalar_exp(-std::min(std::fabs(v), 600.0));
    return std::isnan(t) ? 0.0 : (v >= 0 ? 1.0 : small) / (1 + small) - t;
  };
  return mean_of(logits, count, loss, slope);
}

}  // namespace polymath
