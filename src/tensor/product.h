// Matrix products over packed panels, split over the pool: what linear layers and their gradients are made of.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"
#include "tensor/tensor.h"
#include "tensor/weight.h"

namespace polymath {

// The right side of a product, [k, n] in panels of 16 columns (kernels.h).
struct Panels {
  const void* data = nullptr;
  std::size_t panel_bytes = 0;
  kernels::Storage storage = kernels::Storage::kF32;
  std::int64_t n = 0, k = 0;

  Panels(const Weight& w) : data(w.panel(0)), panel_bytes(w.panel_bytes()), storage(w.storage()), n(w.n()), k(w.k()) {}
  Panels(const float* f32, std::int64_t n, std::int64_t k) : data(f32), panel_bytes(static_cast<std::size_t>(k) * 16 * sizeof(float)), n(n), k(k) {}
  Panels(const Buffer& f32, std::int64_t n, std::int64_t k) : Panels(f32.data(), n, k) {}

  const void* panel(std::int64_t p) const { return static_cast<const std::uint8_t*>(data) + static_cast<std::size_t>(p) * panel_bytes; }
};

// c = epilogue(a b), or c + a b.  a: [rows, k], its rows a_stride apart; c: [rows, n], c_stride apart
struct Product {
  const float* a = nullptr;
  std::int64_t a_stride = 0, rows = 0;
  float* c = nullptr;
  std::int64_t c_stride = 0;
  bool accumulate = false;
  kernels::Epilogue epilogue;
};
void multiply(const Product& product, const Panels& b);
// The same by the calling thread alone and not counted, for one of many small products; b is not quantized.
void multiply_alone(const Product& product, const Panels& b);

// Columns [begin, begin + columns) of x: [rows, ...] as the right side of a product over its rows: [columns / 16][rows][16].
Buffer row_panels(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t columns);
// The same of the transposed matrix, a product over columns: [rows / 16][columns][16].
Buffer column_panels(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t columns);
// A weight [n, k] for products that go back from its outputs to its inputs: [k / 16][n][16].
Buffer transposed_panels(const Weight& w);

// y[c][r] = x[r][c]; y's rows are y_stride apart, at least `rows` rounded up to 16.
void transpose(const float* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns, float* y, std::int64_t y_stride);

}  // namespace polymath
