#include "train/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/printable.h"
#include "nn/scalar_math.h"
#include "polymath/error.h"
#include "tensor/parallel.h"

namespace polymath {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

// f(begin, end) over the values of a parameter, in parallel.
template <class F>
void over(const Parameter& p, const F& f) {
  parallel_ranges(static_cast<std::int64_t>(p.values.size()), kGrain,
                  [&](std::int64_t begin, std::int64_t end) { f(static_cast<std::size_t>(begin), static_cast<std::size_t>(end)); });
}

bool decays(const Parameter& p) { return p.shape.size() > 1; }

// Chunks in a fixed order, so that the sum hangs on nothing else.
double sum_of_squares(const std::vector<float>& x) {
  const auto count = static_cast<std::int64_t>(x.size());
  std::vector<double> sums(static_cast<std::size_t>((count + kGrain - 1) / kGrain));
  parallel_ranges(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const auto v = static_cast<double>(x[static_cast<std::size_t>(i)]);
      sum += v * v;
    }
    sums[static_cast<std::size_t>(begin / kGrain)] = sum;
  });
  double all = 0;
  for (const double sum : sums) all += sum;
  return all;
}

// The rows and columns of a matrix; other axes count as rows.
std::size_t columns_of(const Parameter& p) { return p.shape.size() > 1 ? static_cast<std::size_t>(p.shape.back()) : 0; }

}  // namespace

Optimizer::Optimizer(OptimizerOptions options, std::vector<Parameter*> parameters) : options_(std::move(options)), parameters_(std::move(parameters)) {
  const bool adamw = options_.kind == "adamw", sgd = options_.kind == "sgd", adafactor = options_.kind == "adafactor";
  if (!adamw && !sgd && !adafactor) throw Error(ErrorCode::kInvalidArgument, "\"" + printable(options_.kind, 40) + "\" is not one of adamw, sgd, adafactor", "--optimizer");
  moments_.resize(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::size_t count = parameters_[i]->values.size(), columns = columns_of(*parameters_[i]);
    if (adamw || sgd) moments_[i].first.resize(count);
    if (adamw) moments_[i].second.resize(count);
    if (adafactor) moments_[i].first.resize(columns ? count / columns : 0);
    if (adafactor) moments_[i].second.resize(columns ? columns : count);
  }
}

double Optimizer::gradient_norm() const {
  double sum = 0;
  for (const Parameter* p : parameters_) sum += sum_of_squares(p->gradient);
  return std::sqrt(sum);
}

void Optimizer::scale_gradients(double factor) const {
  const auto f = static_cast<float>(factor);
  for (Parameter* p : parameters_) {
    over(*p, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) p->gradient[i] *= f;
    });
  }
}

void Optimizer::step(const std::vector<double>& rates) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i]->trained) continue;
    ++moments_[i].steps;
    moments_[i].beta1_power *= options_.beta1;
    moments_[i].beta2_power *= options_.beta2;
    if (options_.kind == "adamw") step_adamw(*parameters_[i], moments_[i], rates[i]);
    else if (options_.kind == "sgd") step_sgd(*parameters_[i], moments_[i], rates[i]);
    else step_adafactor(*parameters_[i], moments_[i], rates[i]);
  }
}

void Optimizer::step_adamw(Parameter& p, Moments& m, double rate) const {
  const auto keep = static_cast<float>(1 - rate * (decays(p) ? options_.weight_decay : 0));
  const auto b1 = static_cast<float>(1 - options_.beta1), b2 = static_cast<float>(options_.beta2), c2 = static_cast<float>(1 - options_.beta2);
  const auto size = static_cast<float>(rate / (1 - m.beta1_power)), correction = static_cast<float>(std::sqrt(1 - m.beta2_power));
  const auto eps = static_cast<float>(options_.eps);
  over(p, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const float g = p.gradient[i];
      m.first[i] += b1 * (g - m.first[i]);
      m.second[i] = b2 * m.second[i] + c2 * g * g;
      p.values[i] = p.values[i] * keep - size * (m.first[i] / (std::sqrt(m.second[i]) / correction + eps));
    }
  });
}

void Optimizer::step_sgd(Parameter& p, Moments& m, double rate) const {
  const auto decay = static_cast<float>(decays(p) ? options_.weight_decay : 0), momentum = static_cast<float>(options_.momentum);
  const auto r = static_cast<float>(rate);
  over(p, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      m.first[i] = m.first[i] * momentum + (p.gradient[i] + decay * p.values[i]);
      p.values[i] -= r * m.first[i];
    }
  });
}

void Optimizer::step_adafactor(Parameter& p, Moments& m, double rate) const {
  constexpr double kTiny = 1e-30;
  const double beta = 1 - scalar_pow(static_cast<double>(m.steps), -0.8);
  const std::size_t columns = columns_of(p), rows = columns ? p.values.size() / columns : 0;
  std::vector<float> update(p.values.size());
  if (columns == 0) {
    for (std::size_t i = 0; i < update.size(); ++i) {
      const auto g = static_cast<double>(p.gradient[i]);
      m.second[i] = static_cast<float>(beta * static_cast<double>(m.second[i]) + (1 - beta) * (g * g + kTiny));
      update[i] = static_cast<float>(g / std::sqrt(static_cast<double>(m.second[i])));
    }
  } else {
    std::vector<double> of_columns(columns);
    double mean = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (std::size_t c = 0; c < columns; ++c) {
        const auto g = static_cast<double>(p.gradient[r * columns + c]);
        sum += g * g + kTiny;
        of_columns[c] += g * g + kTiny;
      }
      m.first[r] = static_cast<float>(beta * static_cast<double>(m.first[r]) + (1 - beta) * sum / static_cast<double>(columns));
      mean += static_cast<double>(m.first[r]) / static_cast<double>(rows);
    }
    for (std::size_t c = 0; c < columns; ++c) {
      m.second[c] = static_cast<float>(beta * static_cast<double>(m.second[c]) + (1 - beta) * of_columns[c] / static_cast<double>(rows));
    }
    parallel_ranges(static_cast<std::int64_t>(rows), row_grain(static_cast<std::int64_t>(columns)), [&](std::int64_t begin, std::int64_t end) {
      for (auto r = static_cast<std::size_t>(begin); r < static_cast<std::size_t>(end); ++r) {
        const double of_row = static_cast<double>(m.first[r]) / mean;
        for (std::size_t c = 0; c < columns; ++c) {
          const std::size_t i = r * columns + c;
          update[i] = static_cast<float>(static_cast<double>(p.gradient[i]) / std::sqrt(of_row * static_cast<double>(m.second[c])));
        }
      }
    });
  }
  const double rms = std::sqrt(sum_of_squares(update) / static_cast<double>(update.size()));
  const auto size = static_cast<float>(rate / std::max(1.0, rms)), keep = static_cast<float>(1 - rate * (decays(p) ? options_.weight_decay : 0));
  over(p, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) p.values[i] = p.values[i] * keep - size * update[i];
  });
}

std::vector<NamedArray> Optimizer::state() {
  std::vector<NamedArray> arrays;
  const auto add = [&](const std::string& name, const std::vector<float>& values) {
    if (values.empty()) return;
    arrays.push_back({name, DType::kF32, {static_cast<std::int64_t>(values.size())},
                      Bytes(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float))});
  };
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    add("optimizer.first." + parameters_[i]->name, moments_[i].first);
    add("optimizer.second." + parameters_[i]->name, moments_[i].second);
  }
  return arrays;
}

std::vector<double> Optimizer::counters() const {
  std::vector<double> all;
  for (const Moments& m : moments_) all.insert(all.end(), {static_cast<double>(m.steps), m.beta1_power, m.beta2_power});
  return all;
}

void Optimizer::set_counters(const std::vector<double>& counters, const std::string& where) {
  if (counters.size() != 3 * moments_.size()) throw Error(ErrorCode::kBadFile, "its optimizer's counters are not three for each parameter", where);
  for (std::size_t i = 0; i < moments_.size(); ++i) {
    moments_[i].steps = static_cast<std::int64_t>(counters[3 * i]);
    moments_[i].beta1_power = counters[3 * i + 1];
    moments_[i].beta2_power = counters[3 * i + 2];
  }
}

}  // namespace polymath
