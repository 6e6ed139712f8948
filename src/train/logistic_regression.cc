#include "train/logistic_regression.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

#include "nn/scalar_math.h"

namespace polymath {
namespace {

using Numbers = std::vector<double>;

double dot(const Numbers& a, const Numbers& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

// The function of weights and biases that is made smaller: those of class c are w[c * (d + 1) ...], the bias last. `rows` of them:
// one where two classes share a weight vector.
struct Objective {
  const Tensor& x;
  std::span<const std::int32_t> labels;
  std::int64_t rows;

  double operator()(const Numbers& w, Numbers& gradient) const {
    const std::int64_t d = x.dim(-1), width = d + 1;
    double value = 0;
    gradient.assign(w.size(), 0.0);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t i = 0; i < d; ++i) {
        const auto at = static_cast<std::size_t>(r * width + i);
        value += 0.5 * w[at] * w[at];
        gradient[at] = w[at];
      }
    }
    const bool pair = rows == 1;
    Numbers p(static_cast<std::size_t>(pair ? 2 : rows));
    for (std::int64_t e = 0; e < x.rows(); ++e) {
      const float* from = x.row(e);
      for (std::size_t c = 0; c < p.size(); ++c) {
        p[c] = 0;
        if (pair && c == 0) continue;
        const double* of_class = w.data() + (pair ? 0 : static_cast<std::int64_t>(c) * width);
        for (std::int64_t i = 0; i < d; ++i) p[c] += of_class[i] * static_cast<double>(from[i]);
        p[c] += of_class[d];
      }
      const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(e)]);
      const double top = *std::max_element(p.begin(), p.end()), own = p[label];
      double sum = 0;
      for (double& v : p) sum += v = scalar_exp(std::max(v - top, -700.0));
      value += scalar_log(sum) + top - own;
      for (std::size_t c = pair ? 1 : 0; c < p.size(); ++c) {
        const double slope = p[c] / sum - (c == label ? 1.0 : 0.0);
        double* to = gradient.data() + (pair ? 0 : static_cast<std::int64_t>(c) * width);
        for (std::int64_t i = 0; i < d; ++i) to[i] += slope * static_cast<double>(from[i]);
        to[d] += slope;
      }
    }
    return value;
  }
};

// The direction in which L-BFGS goes (Nocedal and Wright, Numerical Optimization, algorithm 7.4).
class Direction {
 public:
  void learn(Numbers step, Numbers change) {
    const double curvature = dot(step, change);
    if (curvature <= 1e-300) return;
    pairs_.push_back({std::move(step), std::move(change), curvature});
    if (pairs_.size() > 20) pairs_.pop_front();
  }

  Numbers of(const Numbers& gradient) const {
    Numbers q = gradient, alphas;
    for (auto p = pairs_.rbegin(); p != pairs_.rend(); ++p) {
      alphas.push_back(dot(p->step, q) / p->curvature);
      for (std::size_t i = 0; i < q.size(); ++i) q[i] -= alphas.back() * p->change[i];
    }
    if (!pairs_.empty()) {
      const double scale = pairs_.back().curvature / dot(pairs_.back().change, pairs_.back().change);
      for (double& v : q) v *= scale;
    }
    for (const Pair& p : pairs_) {
      const double beta = alphas.back() - dot(p.change, q) / p.curvature;
      alphas.pop_back();
      for (std::size_t i = 0; i < q.size(); ++i) q[i] += beta * p.step[i];
    }
    for (double& v : q) v = -v;
    return q;
  }

 private:
  struct Pair {
    Numbers step, change;
    double curvature;
  };
  std::deque<Pair> pairs_;
};

// Goes downhill until the gradient is nothing beside what it was, or no step helps any more.
void minimize(const Objective& f, Numbers& w) {
  Direction direction;
  Numbers gradient, there, gradient_there;
  double value = f(w, gradient);
  const double small = 1e-9 * std::max(1.0, std::sqrt(dot(gradient, gradient)));
  for (int round = 0; round < 2000 && std::sqrt(dot(gradient, gradient)) > small; ++round) {
    const Numbers along = direction.of(gradient);
    const double slope = dot(along, gradient);
    double length = round == 0 ? 1 / std::max(1.0, std::sqrt(dot(gradient, gradient))) : 1, value_there = 0;
    int halvings = 0;
    for (; halvings < 60; ++halvings, length /= 2) {
      there = w;
      for (std::size_t i = 0; i < w.size(); ++i) there[i] += length * along[i];
      value_there = f(there, gradient_there);
      if (value_there <= value + 1e-4 * length * slope) break;
    }
    if (halvings == 60) return;
    Numbers step(w.size()), change(w.size());
    for (std::size_t i = 0; i < w.size(); ++i) step[i] = there[i] - w[i], change[i] = gradient_there[i] - gradient[i];
    direction.learn(std::move(step), std::move(change));
    w.swap(there);
    gradient.swap(gradient_there);
    value = value_there;
  }
}

}  // namespace

LinearClassifier fit_logistic_regression(const Tensor& x, std::span<const std::int32_t> labels, std::int64_t classes) {
  const std::int64_t d = x.dim(-1), rows = classes == 2 ? 1 : classes;
  Numbers w(static_cast<std::size_t>(rows * (d + 1)), 0.0);
  minimize({x, labels, rows}, w);
  LinearClassifier c{.classes = classes, .d = d, .weights = Numbers(static_cast<std::size_t>(classes * d), 0.0), .biases = Numbers(static_cast<std::size_t>(classes), 0.0)};
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto from = w.begin() + r * (d + 1);
    const std::int64_t to = r + classes - rows;
    std::copy(from, from + d, c.weights.begin() + to * d);
    c.biases[static_cast<std::size_t>(to)] = from[d];
  }
  return c;
}

}  // namespace polymath
