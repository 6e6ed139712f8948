#include "train/contrastive.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "base/threads.h"
#include "nn/layers.h"
#include "tensor/tape.h"
#include "train/losses.h"

namespace polymath {
namespace {

// The rows of a tensor divided by their lengths.
struct Units {
  std::int64_t rows, d;
  std::vector<double> values, lengths;  // [rows, d], [rows]

  explicit Units(const Tensor& x) : rows(x.rows()), d(x.dim(-1)), values(x.values().begin(), x.values().end()) {
    for (std::int64_t r = 0; r < rows; ++r) {
      double squares = 0;
      for (const double v : row(r)) squares += v * v;
      lengths.push_back(std::max(std::sqrt(squares), 1e-12));
      for (double& v : row(r)) v /= lengths.back();
    }
  }

  std::span<double> row(std::int64_t r) { return std::span(values).subspan(static_cast<std::size_t>(r * d), static_cast<std::size_t>(d)); }
  std::span<const double> row(std::int64_t r) const { return std::span(values).subspan(static_cast<std::size_t>(r * d), static_cast<std::size_t>(d)); }
  double cosine(std::int64_t a, std::int64_t b) const { return std::inner_product(row(a).begin(), row(a).end(), row(b).begin(), 0.0); }

  // What flows to the rows where `flow(r, add)` calls add(other, slope) for each cosine of row r with another that a loss reads.
  template <class Flow>
  Tensor gradient(const Flow& flow) const {
    Tensor dx({rows, d});
    ThreadPool::global().parallel_for(static_cast<std::size_t>(rows), [&](std::size_t task) {
      const auto r = static_cast<std::int64_t>(task);
      std::vector<double> du(static_cast<std::size_t>(d), 0.0);
      flow(r, [&](std::int64_t other, double slope) {
        const auto u = row(other);
        for (std::size_t i = 0; i < du.size(); ++i) du[i] += slope * u[i];
      });
      const auto own = row(r);
      const double along = std::inner_product(du.begin(), du.end(), own.begin(), 0.0);
      for (std::size_t i = 0; i < du.size(); ++i) dx.row(r)[i] = static_cast<float>((du[i] - along * own[i]) / lengths[task]);
    });
    return dx;
  }
};

// cosines of rows 2i with rows 2j + 1.  -> [pairs, pairs]
Tensor cross_cosines(const Tensor& vectors) {
  const auto units = std::make_shared<const Units>(vectors);
  const std::int64_t pairs = units->rows / 2;
  Tensor y({pairs, pairs});
  ThreadPool::global().parallel_for(static_cast<std::size_t>(pairs), [&](std::size_t task) {
    const auto i = static_cast<std::int64_t>(task);
    for (std::int64_t j = 0; j < pairs; ++j) y.row(i)[j] = static_cast<float>(units->cosine(2 * i, 2 * j + 1));
  });
  if (Tape* tape = Tape::of(vectors)) {
    tape->record(y, [vectors, units, pairs](const Tensor& dy) {
      add_gradient(vectors, units->gradient([&](std::int64_t r, const auto& add) {
        const std::int64_t i = r / 2;
        for (std::int64_t j = 0; j < pairs; ++j) {
          if (r % 2 == 0) add(2 * j + 1, static_cast<double>(dy.row(i)[j]));
          else add(2 * j, static_cast<double>(dy.row(j)[i]));
        }
      }));
    });
  }
  return y;
}

// The cosine of each pair.  -> [pairs]
Tensor own_cosines(const Tensor& vectors) {
  const auto units = std::make_shared<const Units>(vectors);
  Tensor y({units->rows / 2});
  for (std::int64_t i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(units->cosine(2 * i, 2 * i + 1));
  if (Tape* tape = Tape::of(vectors)) {
    tape->record(y, [vectors, units](const Tensor& dy) {
      add_gradient(vectors, units->gradient([&](std::int64_t r, const auto& add) { add(r ^ 1, static_cast<double>(dy.data()[r / 2])); }));
    });
  }
  return y;
}

}  // namespace

Tensor sentence_vectors(const Tensor& hidden, const Step& step, SentencePooling pooling) {
  if (pooling == SentencePooling::kCls) return first_rows(hidden, step);
  std::vector<std::vector<std::int32_t>> groups;
  for (std::size_t s = 0; s + 1 < step.begin.size(); ++s) {
    groups.emplace_back(static_cast<std::size_t>(step.begin[s + 1] - step.begin[s]));
    std::iota(groups.back().begin(), groups.back().end(), step.begin[s]);
  }
  return mean_of_rows(hidden, groups);
}

Tensor multiple_negatives_loss(const Tensor& vectors, double scale) {
  const Tensor cosines = cross_cosines(vectors);
  std::vector<std::int32_t> own(static_cast<std::size_t>(cosines.rows()));
  std::iota(own.begin(), own.end(), 0);
  return cross_entropy(scaled(cosines, static_cast<float>(scale)), own, "pairs");
}

Tensor cosine_loss(const Tensor& vectors, std::span<const float> scores) { return mean_squared_error(own_cosines(vectors), scores); }

std::vector<double> pair_cosines(const Tensor& vectors) {
  const Tensor cosines = own_cosines(vectors);
  return {cosines.values().begin(), cosines.values().end()};
}

}  // namespace polymath
