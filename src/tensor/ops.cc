#include "tensor/ops.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/threads.h"

namespace polymath {
namespace {

using kernels::kBlock;
using kernels::kLanes;
using kernels::table;

// Splits `count` items into tasks of about `grain` items and runs body(begin, end) on the pool.
template <class Body>
void parallel_ranges(std::int64_t count, std::int64_t grain, const Body& body) {
  const std::int64_t tasks = (count + grain - 1) / grain;
  ThreadPool::global().parallel_for(static_cast<std::size_t>(std::max<std::int64_t>(tasks, 0)), [&](std::size_t task) {
    const auto begin = static_cast<std::int64_t>(task) * grain;
    body(begin, std::min(count, begin + grain));
  });
}

// Rows per task for work of about d operations a row: enough to outweigh starting a task.
std::int64_t row_grain(std::int64_t d) { return std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(d, 1)); }

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

Tensor linear(const Tensor& x, const Weight& w, const LinearOptions& options) {
  const std::int64_t rows = x.rows(), k = w.k(), n = w.n();
  Tensor y({rows, n});
  if (rows == 0) return y;
  count_operations(rows, k, n);
  weight_bytes.fetch_add(w.bytes(), std::memory_order_relaxed);

  const float* a = x.data();
  std::int64_t a_stride = k;
  Buffer spread;
  const bool quantizes = w.storage() == Storage::kQ8 || w.storage() == Storage::kQ4;
  if (!quantizes && k % 512 == 0 && rows >= 8) {
    // Rows that begin at the same place of a page fall into the same few lines of the first cache.
    a_stride = k + 16;
    spread = Buffer(static_cast<std::size_t>(rows * a_stride));
    parallel_ranges(rows, row_grain(k), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) std::memcpy(spread.data() + r * a_stride, x.row(r), static_cast<std::size_t>(k) * sizeof(float));
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
      table().quantize_rows(x.row(begin), static_cast<std::size_t>(k), static_cast<std::size_t>(end - begin),
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
    m.b = w.panel(panel);
    m.panel_stride = static_cast<std::size_t>(k) * kLanes;
    m.c = y.row(row) + column;
    m.c_stride = static_cast<std::size_t>(n);
    m.m = static_cast<std::size_t>(std::min(rows_per_block, rows - row));
    m.k = static_cast<std::size_t>(k);
    m.n = static_cast<std::size_t>(std::min(n - column, panels_per_task * 16));
    m.epilogue.bias = options.bias ? options.bias + column : nullptr;
    m.epilogue.activation = options.activation;
    m.epilogue.scale = options.scale;
    if (options.residual) {
      m.epilogue.residual = options.residual->row(row) + column;
      m.epilogue.residual_stride = static_cast<std::size_t>(n);
    }
    if (quantizes) {
      auto part = quantized;
      const auto at = static_cast<std::size_t>(row) * quantized.blocks;
      part.q += at * kBlock, part.scale += at, part.sum += at;
      if (w.storage() == Storage::kQ8) table().matmul_q8(part, static_cast<const kernels::Q8Block*>(m.b), m);
      else table().matmul_q4(part, static_cast<const kernels::Q4Block*>(m.b), m);
    } else {
      table().matmul(w.storage(), m);
    }
  });
  return y;
}

Tensor layer_norm(const Tensor& x, const float* weight, const float* bias, float eps) {
  Tensor y(x.shape());
  const std::int64_t d = x.dim(-1);
  parallel_ranges(x.rows(), row_grain(d), [&](std::int64_t begin, std::int64_t end) {
    table().layer_norm(x.row(begin), weight, bias, eps, static_cast<std::size_t>(end - begin), static_cast<std::size_t>(d), y.row(begin));
  });
  return y;
}

Tensor rms_norm(const Tensor& x, const float* weight, float eps) {
  Tensor y(x.shape());
  const auto d = static_cast<std::size_t>(x.dim(-1));
  parallel_ranges(x.rows(), row_grain(x.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
    table().rms_norm(x.row(begin), d, weight, eps, static_cast<std::size_t>(end - begin), d, y.row(begin), d);
  });
  return y;
}

void rms_norm_heads(Tensor& x, std::int64_t begin, std::int64_t heads, std::int64_t d, const float* weight, float eps) {
  parallel_ranges(x.rows(), row_grain(heads * d), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      float* row = x.row(r) + begin;
      const auto width = static_cast<std::size_t>(d);
      table().rms_norm(row, width, weight, eps, static_cast<std::size_t>(heads), width, row, width);
    }
  });
}

Tensor activate(const Tensor& x, Activation activation) {
  Tensor y(x.shape());
  parallel_ranges(x.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    table().activate(activation, x.data() + begin, static_cast<std::size_t>(end - begin), y.data() + begin);
  });
  return y;
}

Tensor scaled(const Tensor& x, float factor) {
  Tensor y(x.shape());
  parallel_ranges(x.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y.data()[i] = x.data()[i] * factor;
  });
  return y;
}

Tensor add(const Tensor& a, const Tensor& b) {
  Tensor y(a.shape());
  parallel_ranges(a.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    table().add(a.data() + begin, b.data() + begin, static_cast<std::size_t>(end - begin), y.data() + begin);
  });
  return y;
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  Tensor y(a.shape());
  parallel_ranges(a.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    table().multiply(a.data() + begin, b.data() + begin, static_cast<std::size_t>(end - begin), y.data() + begin);
  });
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
  return y;
}

Tensor take_rows(const Tensor& x, std::span<const std::int32_t> indices) {
  const std::int64_t d = x.dim(-1);
  Tensor y({static_cast<std::int64_t>(indices.size()), d});
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::memcpy(y.row(static_cast<std::int64_t>(i)), x.row(indices[i]), static_cast<std::size_t>(d) * sizeof(float));
  }
  return y;
}

Tensor take_columns(const Tensor& x, std::int64_t begin, std::int64_t end) {
  Tensor y({x.rows(), end - begin});
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    std::memcpy(y.row(r), x.row(r) + begin, static_cast<std::size_t>(end - begin) * sizeof(float));
  }
  return y;
}

void softmax_rows(Tensor& x) {
  const auto d = static_cast<std::size_t>(x.dim(-1));
  parallel_ranges(x.rows(), row_grain(x.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
    table().softmax(x.row(begin), static_cast<std::size_t>(end - begin), d, d);
  });
}

void rotate(Tensor& x, std::int64_t begin, std::int64_t heads, const Tensor& cos, const Tensor& sin, std::int64_t head_dim) {
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

}  // namespace polymath
