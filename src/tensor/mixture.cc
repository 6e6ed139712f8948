// What a mixture of experts chooses, and how what they answer is added up.
#include <algorithm>
#include <numeric>

#include "tensor/ops.h"
#include "tensor/tape.h"

namespace polymath {

TopShares top_shares(const Tensor& x, int count) {
  const auto rows = static_cast<std::size_t>(x.rows()), top = static_cast<std::size_t>(count);
  TopShares result{std::vector<std::int32_t>(rows * top), Tensor({x.rows(), count})};
  std::vector<float> sums(rows, 0.0f);
  std::vector<std::int32_t> order(static_cast<std::size_t>(x.dim(-1)));
  for (std::size_t r = 0; r < rows; ++r) {
    const float* p = x.row(static_cast<std::int64_t>(r));
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](std::int32_t a, std::int32_t b) { return p[a] != p[b] ? p[a] > p[b] : a < b; });
    for (std::size_t i = 0; i < top; ++i) sums[r] += p[order[i]];
    for (std::size_t i = 0; i < top; ++i) {
      result.columns[r * top + i] = order[i];
      result.shares.data()[r * top + i] = p[order[i]] / sums[r];
    }
  }
  if (Tape* tape = Tape::of(x)) {
    tape->record(result.shares, [x, sums, columns = result.columns, shares = copy_of(result.shares), top](const Tensor& dy) {
      Tensor dx = zeros(x.shape());
      for (std::size_t r = 0; r < sums.size(); ++r) {
        const float *share = shares.data() + r * top, *d = dy.data() + r * top;
        float mean = 0;  // of the gradients, by shares: what a larger sum takes from all
        for (std::size_t i = 0; i < top; ++i) mean += share[i] * d[i];
        for (std::size_t i = 0; i < top; ++i) dx.row(static_cast<std::int64_t>(r))[columns[r * top + i]] = (d[i] - mean) / sums[r];
      }
      add_gradient(x, std::move(dx));
    });
  }
  return result;
}

void add_weighted_rows(Tensor& y, const Tensor& x, std::span<const std::int32_t> rows, const Tensor& weights, std::span<const std::int32_t> cells) {
  const std::int64_t d = x.dim(-1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const float weight = weights.data()[cells[i]];
    for (std::int64_t k = 0; k < d; ++k) y.row(rows[i])[k] += weight * x.row(static_cast<std::int64_t>(i))[k];
  }
  if (Tape* tape = Tape::of(y, x, weights)) {
    tape->record_in_place(y, [x, weights, d, to = std::vector(rows.begin(), rows.end()), of = std::vector(cells.begin(), cells.end())](const Tensor& dy) {
      Tensor dx = zeros(x.shape()), dweights = zeros(weights.shape());
      for (std::size_t i = 0; i < to.size(); ++i) {
        const auto row = static_cast<std::int64_t>(i);
        const float* g = dy.row(to[i]);
        kernels::table().scale_add(g, weights.data()[of[i]], static_cast<std::size_t>(d), dx.row(row));
        float sum = 0;
        for (std::int64_t k = 0; k < d; ++k) sum += g[k] * x.row(row)[k];
        dweights.data()[of[i]] = sum;
      }
      add_gradient(x, std::move(dx));
      add_gradient(weights, std::move(dweights));
    });
  }
}

}  // namespace polymath
