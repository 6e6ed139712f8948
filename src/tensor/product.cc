#include "tensor/product.h"

#include <algorithm>
#include <cstring>

#include "polymath/error.h"
#include "tensor/parallel.h"
#include "tensor/quantize.h"

namespace polymath {
namespace {

using kernels::kLanes;
using kernels::table;

// Rows [first, first + 16) of x, of which there are `rows` in all, as the columns of one panel [columns][16].
void pack_column_panel(const float* x, std::int64_t stride, std::int64_t first, std::int64_t rows, std::int64_t columns, float* out) {
  const float* from = x + first * stride;
  const std::int64_t count = std::min<std::int64_t>(16, rows - first);
  if (count == 16) return table().transpose16(from, static_cast<std::size_t>(stride), static_cast<std::size_t>(columns), out);
  std::memset(out, 0, static_cast<std::size_t>(columns) * 16 * sizeof(float));
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t i = 0; i < columns; ++i) out[i * 16 + r] = from[r * stride + i];
  }
}

}  // namespace

void multiply_alone(const Product& x, const Panels& b) {
  kernels::Matmul m;
  m.a = x.a;
  m.a_stride = static_cast<std::size_t>(x.a_stride);
  m.b = b.data;
  m.panel_stride = static_cast<std::size_t>(b.k) * kLanes;
  m.c = x.c;
  m.c_stride = static_cast<std::size_t>(x.c_stride);
  m.m = static_cast<std::size_t>(x.rows);
  m.k = static_cast<std::size_t>(b.k);
  m.n = static_cast<std::size_t>(b.n);
  m.accumulate = x.accumulate;
  m.epilogue = x.epilogue;
  table().matmul(b.storage, m);
}

Buffer row_panels(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t columns) {
  const std::int64_t panels = (columns + 15) / 16;
  Buffer packed(static_cast<std::size_t>(panels * rows * 16));
  parallel_ranges(rows, row_grain(columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = 0; p < panels; ++p) {
      const std::int64_t width = std::min<std::int64_t>(16, columns - p * 16);
      float* out = packed.data() + (p * rows + begin) * 16;
      for (std::int64_t r = begin; r < end; ++r, out += 16) {
        const float* from = x + r * stride + p * 16;
        if (width == 16) {
          std::memcpy(out, from, 16 * sizeof(float));
        } else {
          std::memcpy(out, from, static_cast<std::size_t>(width) * sizeof(float));
          std::memset(out + width, 0, static_cast<std::size_t>(16 - width) * sizeof(float));
        }
      }
    }
  });
  return packed;
}

Buffer column_panels(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t columns) {
  const std::int64_t panels = (rows + 15) / 16;
  Buffer packed(static_cast<std::size_t>(panels * columns * 16));
  parallel_ranges(panels, std::max<std::int64_t>(1, row_grain(columns) / 16), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) pack_column_panel(x, stride, p * 16, rows, columns, packed.data() + p * columns * 16);
  });
  return packed;
}

Buffer transposed_panels(const Weight& w) {
  if (is_quantized(w.storage())) throw Error(ErrorCode::kUnsupported, "quantized weights have no gradient", "--dtype");
  const std::int64_t n = w.n(), k = w.k(), panels = (k + 15) / 16;
  Buffer packed(static_cast<std::size_t>(panels * n * 16));
  parallel_ranges(panels, std::max<std::int64_t>(1, row_grain(n) / 16), [&](std::int64_t begin, std::int64_t end) {
    alignas(64) float block[16 * 16];  // [k][n] of both
    for (std::int64_t from = 0; from < n; from += 16) {
      for (std::int64_t p = begin; p < end; ++p) {
        const auto count = static_cast<std::size_t>(16 * std::min<std::int64_t>(16, k - p * 16));
        const auto* panel = static_cast<const std::uint8_t*>(w.panel(from / 16));
        const auto at = static_cast<std::size_t>(p * 16 * 16);
        const float* source = reinterpret_cast<const float*>(panel) + at;
        if (w.storage() != kernels::Storage::kF32 || count < 256) {
          if (w.storage() == kernels::Storage::kF32) std::memcpy(block, source, count * sizeof(float));
          else if (w.storage() == kernels::Storage::kBf16) table().bf16_to_f32(reinterpret_cast<const std::uint16_t*>(panel) + at, count, block);
          else table().f16_to_f32(reinterpret_cast<const std::uint16_t*>(panel) + at, count, block);
          std::fill(block + count, block + 256, 0.0f);
          source = block;
        }
        table().transpose16(source, kLanes, static_cast<std::size_t>(std::min<std::int64_t>(16, n - from)), packed.data() + (p * n + from) * 16);
      }
    }
  });
  return packed;
}

void transpose(const float* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns, float* y, std::int64_t y_stride) {
  parallel_ranges((rows + 15) / 16, std::max<std::int64_t>(1, row_grain(columns) / 16), [&](std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kStrip = 64;
    alignas(64) float strip[kStrip * 16];
    for (std::int64_t p = begin; p < end; ++p) {
      for (std::int64_t c = 0; c < columns; c += kStrip) {
        const std::int64_t width = std::min(kStrip, columns - c);
        pack_column_panel(x + c, x_stride, p * 16, rows, width, strip);
        for (std::int64_t i = 0; i < width; ++i) std::memcpy(y + (c + i) * y_stride + p * 16, strip + i * 16, 16 * sizeof(float));
      }
    }
  });
}

}  // namespace polymath
