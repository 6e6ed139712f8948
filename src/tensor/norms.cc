// Norms over rows, and their gradients.
#include <algorithm>

#include "tensor/ops.h"
#include "tensor/parallel.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

using kernels::table;

// The gradients of a norm's weight and bias are sums over rows: of each chunk of rows by itself, then of the chunks in
// order, whatever the threads.
constexpr std::int64_t kRowsPerChunk = 32;

// body(first row, last row, sums): adds to its chunk's sums [size]; add(sums): takes the total.
template <class Body, class Add>
void sum_over_rows(std::int64_t rows, std::int64_t size, const Body& body, const Add& add) {
  const std::int64_t chunks = std::max<std::int64_t>(1, (rows + kRowsPerChunk - 1) / kRowsPerChunk);
  Tensor sums = zeros(std::vector{chunks, size});
  parallel_ranges(chunks, 1, [&](std::int64_t chunk, std::int64_t) {
    body(chunk * kRowsPerChunk, std::min(rows, (chunk + 1) * kRowsPerChunk), sums.row(chunk));
  });
  for (std::int64_t c = 1; c < chunks; ++c) table().add(sums.row(0), sums.row(c), static_cast<std::size_t>(size), sums.row(0));
  add(sums.row(0));
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Vector& weight, const Vector& bias, float eps) {
  Tensor y(x.shape());
  const std::int64_t d = x.dim(-1);
  parallel_ranges(x.rows(), row_grain(d), [&](std::int64_t begin, std::int64_t end) {
    table().layer_norm(x.row(begin), weight.data(), bias.data(), eps, static_cast<std::size_t>(end - begin), static_cast<std::size_t>(d), y.row(begin));
  });
  if (Tape* tape = Tape::current(); tape && (x.node() || weight.trained() || bias.trained())) {
    tape->record(y, [x, weight, bias, eps](Tensor dy) {
      const std::int64_t width = x.dim(-1);
      const auto body = [&](std::int64_t begin, std::int64_t end, float* sums) {
        table().layer_norm_gradient(x.row(begin), weight.data(), eps, dy.row(begin), static_cast<std::size_t>(end - begin), static_cast<std::size_t>(width),
                                    dy.row(begin), sums, sums + width);
      };
      sum_over_rows(x.rows(), 2 * width, body, [&](const float* sums) {
        if (weight.trained()) weight.add_gradient(sums);
        if (bias.trained()) bias.add_gradient(sums + width);
      });
      add_gradient(x, std::move(dy));
    });
  }
  return y;
}

Tensor rms_norm(const Tensor& x, const Vector& weight, float eps) {
  Tensor y(x.shape());
  const auto d = static_cast<std::size_t>(x.dim(-1));
  parallel_ranges(x.rows(), row_grain(x.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
    table().rms_norm(x.row(begin), d, weight.data(), eps, static_cast<std::size_t>(end - begin), d, y.row(begin), d);
  });
  if (Tape* tape = Tape::current(); tape && (x.node() || weight.trained())) {
    tape->record(y, [x, weight, eps, d](Tensor dy) {
      const auto body = [&](std::int64_t begin, std::int64_t end, float* sums) {
        table().rms_norm_gradient(x.row(begin), weight.data(), eps, dy.row(begin), d, static_cast<std::size_t>(end - begin), d, dy.row(begin), d, sums);
      };
      sum_over_rows(x.rows(), x.dim(-1), body, [&](const float* sums) {
        if (weight.trained()) weight.add_gradient(sums);
      });
      add_gradient(x, std::move(dy));
    });
  }
  return y;
}

void rms_norm_heads(Tensor& x, std::int64_t begin, std::int64_t heads, const Vector& weight, float eps) {
  const std::int64_t d = weight.size();
  const auto width = static_cast<std::size_t>(d);
  if (Tape* tape = Tape::current(); tape && (x.node() || weight.trained())) {
    tape->record_in_place(x, [before = take_columns(x, begin, begin + heads * d), begin, heads, d, width, weight, eps](Tensor& dx) {
      const auto body = [&](std::int64_t first, std::int64_t last, float* sums) {
        for (std::int64_t r = first; r < last; ++r) {
          float* row = dx.row(r) + begin;
          table().rms_norm_gradient(before.row(r), weight.data(), eps, row, width, static_cast<std::size_t>(heads), width, row, width, sums);
        }
      };
      sum_over_rows(before.rows(), d, body, [&](const float* sums) {
        if (weight.trained()) weight.add_gradient(sums);
      });
    });
  }
  parallel_ranges(x.rows(), row_grain(heads * d), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      float* row = x.row(r) + begin;
      table().rms_norm(row, width, weight.data(), eps, static_cast<std::size_t>(heads), width, row, width);
    }
  });
}

}  // namespace polymath
