#include "tensor/ops.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/linear_gradient.h"
#include "tensor/low_rank.h"
#include "tensor/parallel.h"
#include "tensor/product.h"
#include "tensor/quantize.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

using kernels::kBlock;
using kernels::kLanes;
using kernels::table;

// A product is cut in blocks of rows x columns. A block's rows stay in the second cache while the
// columns pass; the last few blocks are what a thread may have to wait for, so they are not too large.
constexpr std::int64_t kBytesPerBlock = 400 << 10, kFewRows = 48, kManyRows = 256;
constexpr std::int64_t kFlopsPerTask = std::int64_t{4} << 20, kLeastFlopsPerTask = 128 << 10;

std::atomic<std::uint64_t> operations{0}, weight_bytes{0};

}  // namespace

void count_operations(std::int64_t rows, std::int64_t k, std::int64_t n) {
  operations.fetch_add(static_cast<std::uint64_t>(2 * rows * k * n), std::memory_order_relaxed);
}

std::uint64_t operations_done() { return operations.load(std::memory_order_relaxed); }
std::uint64_t weight_bytes_read() { return weight_bytes.load(std::memory_order_relaxed); }

void multiply(const Product& x, const Panels& b) {
  const std::int64_t rows = x.rows, k = b.k, n = b.n;
  if (rows == 0) return;
  count_operations(rows, k, n);
  weight_bytes.fetch_add(static_cast<std::uint64_t>((n + 15) / 16) * b.panel_bytes, std::memory_order_relaxed);

  const float* a = x.a;
  std::int64_t a_stride = x.a_stride;
  Buffer spread;
  const bool quantizes = is_quantized(b.storage);
  if (!quantizes && a_stride % 512 == 0 && rows >= 8) {
    // Rows that begin at the same place of a page fall into the same few lines of the first cache.
    a_stride = k + 16;
    spread = Buffer(static_cast<std::size_t>(rows * a_stride));
    parallel_ranges(rows, row_grain(k), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) std::memcpy(spread.data() + r * a_stride, x.a + r * x.a_stride, static_cast<std::size_t>(k) * sizeof(float));
    });
    a = spread.data();
  }

  kernels::QuantizedRows quantized;
  Buffer q, scales, sums;
  if (quantizes) {
    const auto blocks = static_cast<std::size_t>((k + 31) / 32), m = static_cast<std::size_t>(rows);
    q = Buffer(m * blocks * kBlock / sizeof(float));
    scales = Buffer(m * blocks);
    sums = Buffer(m * blocks);
    quantized = {reinterpret_cast<std::int8_t*>(q.data()), scales.data(), reinterpret_cast<std::int32_t*>(sums.data()), blocks};
    parallel_ranges(rows, row_grain(k), [&](std::int64_t begin, std::int64_t end) {
      auto part = quantized;
      const auto at = static_cast<std::size_t>(begin) * blocks;
      part.q += at * kBlock, part.scale += at, part.sum += at;
      table().quantize_rows(a + begin * a_stride, static_cast<std::size_t>(a_stride), static_cast<std::size_t>(end - begin),
                            static_cast<std::size_t>(k), part);
    });
  }

  const std::int64_t panels = (n + 15) / 16;
  const std::int64_t most_rows = std::clamp(kBytesPerBlock / std::max<std::int64_t>(1, 4 * k), kFewRows, kManyRows);
  const std::int64_t row_blocks = (rows + most_rows - 1) / most_rows;
  const std::int64_t rows_per_block = (rows + row_blocks - 1) / row_blocks;
  // An even number of panels per task, since kernels take them two at a time; four for one row.
  const std::int64_t flops_of_panel = std::max<std::int64_t>(1, 32 * k * rows_per_block);
  // Few rows are little work for many bytes: all threads take part in reading them, several times each.
  const std::int64_t fair = std::max(panels * row_blocks / (4 * ThreadPool::global().size()), kLeastFlopsPerTask / flops_of_panel);
  const std::int64_t by_work = std::min(kFlopsPerTask / flops_of_panel, fair);
  const std::int64_t panels_per_task = std::clamp<std::int64_t>(by_work / 4 * 4, rows == 1 ? 4 : 2, std::max<std::int64_t>(panels, 2));
  const std::int64_t column_tasks = (panels + panels_per_task - 1) / panels_per_task;
  ThreadPool::global().parallel_for(static_cast<std::size_t>(column_tasks * row_blocks), [&](std::size_t task) {
    const std::int64_t row = static_cast<std::int64_t>(task) / column_tasks * rows_per_block;
    const std::int64_t panel = static_cast<std::int64_t>(task) % column_tasks * panels_per_task;
    const std::int64_t column = panel * 16;
    kernels::Matmul m;
    m.a = a + row * a_stride;
    m.a_stride = static_cast<std::size_t>(a_stride);
    m.b = b.panel(panel);
    m.panel_stride = static_cast<std::size_t>(k) * kLanes;
    m.c = x.c + row * x.c_stride + column;
    m.c_stride = static_cast<std::size_t>(x.c_stride);
    m.m = static_cast<std::size_t>(std::min(rows_per_block, rows - row));
    m.k = static_cast<std::size_t>(k);
    m.n = static_cast<std::size_t>(std::min(n - column, panels_per_task * 16));
    m.accumulate = x.accumulate;
    m.epilogue = x.epilogue;
    if (m.epilogue.bias) m.epilogue.bias += column;
    if (m.epilogue.residual) m.epilogue.residual += static_cast<std::size_t>(row) * m.epilogue.residual_stride + static_cast<std::size_t>(column);
    if (quantizes) {
      auto part = quantized;
      const auto at = static_cast<std::size_t>(row) * quantized.blocks;
      part.q += at * kBlock, part.scale += at, part.sum += at;
      if (b.storage == Storage::kQ8) table().matmul_q8(part, static_cast<const kernels::Q8Block*>(m.b), m);
      else table().matmul_q4(part, static_cast<const kernels::Q4Block*>(m.b), m);
    } else {
      table().matmul(b.storage, m);
    }
  });
}

Tensor linear(const Tensor& x, const Weight& w, const LinearOptions& o) {
  if (!w.changes().empty()) return changed_linear(x, w, o);
  if (Tape* tape = Tape::current(); tape && linear_is_recorded(x, w, o)) return recorded_linear(*tape, x, w, o);
  Tensor y({x.rows(), w.n()});
  Product product{.a = x.data(), .a_stride = w.k(), .rows = x.rows(), .c = y.data(), .c_stride = w.n()};
  product.epilogue = {.bias = o.bias ? o.bias->data() : nullptr, .activation = o.activation, .scale = o.scale};
  if (o.residual) {
    product.epilogue.residual = o.residual->data();
    product.epilogue.residual_stride = static_cast<std::size_t>(w.n());
  }
  multiply(product, w);
  return y;
}

Tensor activate(const Tensor& x, Activation activation) {
  Tensor y(x.shape());
  parallel_ranges(x.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    table().activate(activation, x.data() + begin, static_cast<std::size_t>(end - begin), y.data() + begin);
  });
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, activation](Tensor dy) {
      parallel_ranges(x.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
        table().activate_gradient(activation, x.data() + begin, dy.data() + begin, static_cast<std::size_t>(end - begin), dy.data() + begin);
      });
      add_gradient(x, std::move(dy));
    });
  }
  return y;
}

Tensor scaled(const Tensor& x, float factor) {
  Tensor y(x.shape());
  parallel_ranges(x.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y.data()[i] = x.data()[i] * factor;
  });
  if (Tape* tape = Tape::of(x)) tape->record(y, [x, factor](const Tensor& dy) { add_gradient(x, scaled(dy, factor)); });
  return y;
}

Tensor add(const Tensor& a, const Tensor& b) {
  Tensor y(a.shape());
  parallel_ranges(a.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    table().add(a.data() + begin, b.data() + begin, static_cast<std::size_t>(end - begin), y.data() + begin);
  });
  if (Tape* tape = Tape::of(a, b)) {
    tape->record(y, [a, b](Tensor dy) {
      add_gradient(a, dy);
      add_gradient(b, std::move(dy));
    });
  }
  return y;
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  Tensor y(a.shape());
  parallel_ranges(a.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    table().multiply(a.data() + begin, b.data() + begin, static_cast<std::size_t>(end - begin), y.data() + begin);
  });
  if (Tape* tape = Tape::of(a, b)) {
    tape->record(y, [a, b](const Tensor& dy) {
      add_gradient(a, multiply(dy, b));
      add_gradient(b, multiply(dy, a));
    });
  }
  return y;
}

Tensor gated(const Tensor& x, Activation activation) {
  const std::int64_t d = x.dim(-1) / 2;
  Tensor y({x.rows(), d});
  parallel_ranges(x.rows(), row_grain(d), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      table().activate(activation, x.row(r), static_cast<std::size_t>(d), y.row(r));
      table().multiply(y.row(r), x.row(r) + d, static_cast<std::size_t>(d), y.row(r));
    }
  });
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, activation](const Tensor& dy) {
      const auto half = static_cast<std::size_t>(dy.dim(-1));
      Tensor dx(x.shape());
      parallel_ranges(x.rows(), row_grain(x.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r) {
          const float *gate = x.row(r), *up = gate + half;
          float *dgate = dx.row(r), *dup = dgate + half;
          table().activate(activation, gate, half, dup);
          table().multiply(dup, dy.row(r), half, dup);
          table().multiply(dy.row(r), up, half, dgate);
          table().activate_gradient(activation, gate, dgate, half, dgate);
        }
      });
      add_gradient(x, std::move(dx));
    });
  }
  return y;
}

Tensor softcapped(const Tensor& x, float cap) {
  Tensor inner(x.shape());
  for (std::int64_t i = 0; i < x.size(); ++i) inner.data()[i] = x.data()[i] / cap;
  Tensor y = scaled(activate(inner, Activation::kTanh), cap);
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, inner](Tensor dy) {
      table().activate_gradient(Activation::kTanh, inner.data(), dy.data(), static_cast<std::size_t>(dy.size()), dy.data());
      add_gradient(x, std::move(dy));
    });
  }
  return y;
}

void to_unit_length(std::span<float> x) {
  double squares = 0;
  for (const float v : x) squares += static_cast<double>(v) * static_cast<double>(v);
  const auto length = std::max(static_cast<float>(std::sqrt(squares)), 1e-12f);
  for (float& v : x) v /= length;
}

Tensor take_rows(const Tensor& x, std::span<const std::int32_t> indices) {
  const std::int64_t d = x.dim(-1);
  Tensor y({static_cast<std::int64_t>(indices.size()), d});
  for (std::size_t i = 0; i < indices.size(); ++i) {
    float* row = y.row(static_cast<std::int64_t>(i));
    if (indices[i] < 0) std::fill_n(row, d, 0.0f);
    else std::memcpy(row, x.row(indices[i]), static_cast<std::size_t>(d) * sizeof(float));
  }
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, taken = std::vector(indices.begin(), indices.end())](const Tensor& dy) {
      Tensor dx = zeros(x.shape());
      for (std::size_t i = 0; i < taken.size(); ++i) {
        if (taken[i] < 0) continue;
        float* row = dx.row(taken[i]);
        table().add(row, dy.row(static_cast<std::int64_t>(i)), static_cast<std::size_t>(dx.dim(-1)), row);
      }
      add_gradient(x, std::move(dx));
    });
  }
  return y;
}

Tensor take_columns(const Tensor& x, std::int64_t begin, std::int64_t end) {
  Tensor y({x.rows(), end - begin});
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    std::memcpy(y.row(r), x.row(r) + begin, static_cast<std::size_t>(end - begin) * sizeof(float));
  }
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, begin](const Tensor& dy) {
      Tensor dx = zeros(x.shape());
      for (std::int64_t r = 0; r < dy.rows(); ++r) std::memcpy(dx.row(r) + begin, dy.row(r), static_cast<std::size_t>(dy.dim(-1)) * sizeof(float));
      add_gradient(x, std::move(dx));
    });
  }
  return y;
}

Tensor join_columns(std::span<const Tensor> parts) {
  std::int64_t d = 0;
  for (const Tensor& part : parts) d += part.dim(-1);
  Tensor y({parts[0].rows(), d});
  std::int64_t at = 0;
  for (const Tensor& part : parts) {
    for (std::int64_t r = 0; r < part.rows(); ++r) std::memcpy(y.row(r) + at, part.row(r), static_cast<std::size_t>(part.dim(-1)) * sizeof(float));
    at += part.dim(-1);
  }
  Tape* tape = Tape::current();
  if (tape && std::any_of(parts.begin(), parts.end(), [](const Tensor& part) { return part.node() != nullptr; })) {
    tape->record(y, [all = std::vector(parts.begin(), parts.end())](const Tensor& dy) {
      std::int64_t begin = 0;
      for (const Tensor& part : all) {
        add_gradient(part, take_columns(dy, begin, begin + part.dim(-1)));
        begin += part.dim(-1);
      }
    });
  }
  return y;
}

void clear_rows(Tensor& x, std::span<const std::int32_t> rows, std::int64_t begin, std::int64_t end) {
  const auto clear = [begin, end](Tensor& t, std::span<const std::int32_t> which) {
    for (const std::int32_t r : which) std::fill(t.row(r) + begin, t.row(r) + end, 0.0f);
  };
  clear(x, rows);
  if (Tape* tape = Tape::of(x); tape && !rows.empty()) {
    tape->record_in_place(x, [clear, cleared = std::vector(rows.begin(), rows.end())](Tensor& dx) { clear(dx, cleared); });
  }
}

Tensor mean_of_rows(const Tensor& x, std::span<const std::vector<std::int32_t>> groups) {
  const std::int64_t d = x.dim(-1);
  Tensor y({static_cast<std::int64_t>(groups.size()), d});
  for (std::size_t g = 0; g < groups.size(); ++g) {
    float* row = y.row(static_cast<std::int64_t>(g));
    std::fill_n(row, d, 0.0f);
    for (const std::int32_t r : groups[g]) table().add(row, x.row(r), static_cast<std::size_t>(d), row);
    for (std::int64_t i = 0; i < d; ++i) row[i] /= static_cast<float>(groups[g].size());
  }
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, all = std::vector(groups.begin(), groups.end())](const Tensor& dy) {
      Tensor dx = zeros(x.shape());
      for (std::size_t g = 0; g < all.size(); ++g) {
        const float share = 1.0f / static_cast<float>(all[g].size());
        for (const std::int32_t r : all[g]) table().scale_add(dy.row(static_cast<std::int64_t>(g)), share, static_cast<std::size_t>(dx.dim(-1)), dx.row(r));
      }
      add_gradient(x, std::move(dx));
    });
  }
  return y;
}

Tensor max_of_rows(const Tensor& x, std::span<const std::vector<std::int32_t>> groups) {
  const std::int64_t d = x.dim(-1);
  Tensor y({static_cast<std::int64_t>(groups.size()), d});
  std::vector<std::int32_t> from(static_cast<std::size_t>(y.size()));  // the row of each value
  for (std::size_t g = 0; g < groups.size(); ++g) {
    float* row = y.row(static_cast<std::int64_t>(g));
    std::int32_t* which = from.data() + static_cast<std::ptrdiff_t>(g) * d;
    std::fill_n(row, d, -std::numeric_limits<float>::infinity());
    std::fill_n(which, d, groups[g].front());
    for (const std::int32_t r : groups[g]) {
      for (std::int64_t i = 0; i < d; ++i) {
        if (const float v = x.row(r)[i]; v > row[i]) row[i] = v, which[i] = r;
      }
    }
  }
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, from = std::move(from), d](const Tensor& dy) {
      Tensor dx = zeros(x.shape());
      for (std::int64_t i = 0; i < dy.size(); ++i) dx.row(from[static_cast<std::size_t>(i)])[i % d] += dy.data()[i];
      add_gradient(x, std::move(dx));
    });
  }
  return y;
}

void softmax_rows(Tensor& x) {
  const auto d = static_cast<std::size_t>(x.dim(-1));
  parallel_ranges(x.rows(), row_grain(x.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
    table().softmax(x.row(begin), static_cast<std::size_t>(end - begin), d, d);
  });
  if (Tape* tape = Tape::of(x)) {
    tape->record_in_place(x, [p = copy_of(x), d](Tensor& dx) {
      parallel_ranges(p.rows(), row_grain(p.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
        table().softmax_gradient(p.row(begin), dx.row(begin), static_cast<std::size_t>(end - begin), d, d);
      });
    });
  }
}

namespace {

void rotate_rows(Tensor& x, std::int64_t begin, std::int64_t heads, const Tensor& cos, const Tensor& sin, std::int64_t head_dim) {
  const std::int64_t d = cos.dim(-1) * 2, apart = head_dim == 0 ? d : head_dim;
  // Heads that are rotated as a whole lie side by side: one call for all.
  const std::int64_t calls = apart == d ? 1 : heads, heads_each = apart == d ? heads : 1;
  parallel_ranges(x.rows(), row_grain(heads * d), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      for (std::int64_t i = 0; i < calls; ++i) {
        table().rotate_half(x.row(r) + begin + i * apart, cos.row(r), sin.row(r), static_cast<std::size_t>(heads_each), static_cast<std::size_t>(d));
      }
    }
  });
}

}  // namespace

void rotate(Tensor& x, std::int64_t begin, std::int64_t heads, const Tensor& cos, const Tensor& sin, std::int64_t head_dim) {
  rotate_rows(x, begin, heads, cos, sin, head_dim);
  if (Tape* tape = Tape::of(x)) {  // backward is the rotation the other way round
    tape->record_in_place(x, [begin, heads, cos, back = scaled(sin, -1.0f), head_dim](Tensor& dx) { rotate_rows(dx, begin, heads, cos, back, head_dim); });
  }
}

Tensor look_up(const EmbeddingTable& table, std::span<const std::int32_t> ids, std::optional<std::int64_t> padding_idx) {
  Tensor y = zeros(std::vector{static_cast<std::int64_t>(ids.size()), table.d()});
  add_looked_up(y, table, ids, padding_idx);
  return y;
}

void add_looked_up(Tensor& y, const EmbeddingTable& table, std::span<const std::int32_t> ids, std::optional<std::int64_t> padding_idx) {
  const auto d = static_cast<std::size_t>(table.d());
  std::vector<float> vector(d);
  for (std::size_t r = 0; r < ids.size(); ++r) {
    table.read(ids[r], vector.data());
    float* row = y.row(static_cast<std::int64_t>(r));
    kernels::table().add(row, vector.data(), d, row);
  }
  Parameter* parameter = table.parameter();
  Tape* tape = Tape::current();
  if (!tape || !parameter || !parameter->trained) return;
  tape->record_in_place(y, [parameter, d, padding_idx, rows = std::vector(ids.begin(), ids.end())](const Tensor& dy) {
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (rows[r] == padding_idx) continue;
      float* row = parameter->gradient.data() + static_cast<std::size_t>(rows[r]) * d;
      kernels::table().add(row, dy.row(static_cast<std::int64_t>(r)), d, row);
    }
  });
}

}  // namespace polymath
