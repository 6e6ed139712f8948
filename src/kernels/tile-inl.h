// The tiles of a matrix product: how many rows and panels are held in registers at once,
// and what is done with them when the sums are complete.

// clang-format off
#if defined(POLYMATH_KERNELS_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef POLYMATH_KERNELS_TILE_INL_H
#undef POLYMATH_KERNELS_TILE_INL_H
#else
#define POLYMATH_KERNELS_TILE_INL_H
#endif
// clang-format on

#include <type_traits>

#include "kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace polymath::kernels {
namespace HWY_NAMESPACE {

// AVX-512 has 32 registers: 12 rows x 2 panels of one vector. AVX2 has 16: 6 rows x 1 panel of two.
#if HWY_CAP_GE512
inline constexpr std::size_t kTileRows = 12, kTilePanels = 2;
#else
inline constexpr std::size_t kTileRows = 6, kTilePanels = 1;
#endif
// Few rows wait for the weights, which come from memory fastest as one stream: one panel at a time.
inline constexpr std::size_t kStreamRows = 4;

template <std::size_t N>
using Count = std::integral_constant<std::size_t, N>;

// Calls body(Count<rows>) for rows in [1, Most].
template <std::size_t Most, class Body>
HWY_INLINE void dispatch_rows(std::size_t rows, const Body& body) {
  if constexpr (Most > 1) {
    if (rows < Most) return dispatch_rows<Most - 1>(rows, body);
  }
  body(Count<Most>());
}

// Calls body(Count<panels>, rows, row, column) over all tiles: panels outside, so that a panel is read
// once while the rows, which are fewer bytes, come from the cache. Rows are shared out evenly.
template <std::size_t Rows, std::size_t Panels, class Body>
HWY_INLINE void for_each_tile(const Matmul& x, const Body& body) {
  const std::size_t panels = (x.n + kLanes - 1) / kLanes;
  const std::size_t tiles = (x.m + Rows - 1) / Rows;
  std::size_t panel = 0;
  auto rows_of = [&](auto count) HWY_ATTR {
    std::size_t row = 0;
    for (std::size_t t = 0; t < tiles; ++t) {
      const std::size_t end = (t + 1) * x.m / tiles;
      body(count, end - row, row, panel * kLanes);
      row = end;
    }
    panel += count();
  };
  while (x.m > kStreamRows && panel + Panels <= panels) rows_of(Count<Panels>());
  while (panel < panels) rows_of(Count<1>());
}

// What is left of the epilogue for a tile [rows][columns] in memory, scaled and with its bias, not inlined: it is large,
// and small beside the sums. The last panel of c may be cut by n.
inline HWY_NOINLINE void finish_rows(const Matmul& x, std::size_t row, std::size_t column, float* tile,
                                     std::size_t rows, std::size_t columns) {
  const Epilogue& e = x.epilogue;
  if (e.activation != Activation::kNone) activate_any(e.activation, tile, rows * columns, tile);
  for (std::size_t p = 0; p < columns; p += kLanes) {
    const std::size_t c = column + p, valid = x.n - c < kLanes ? x.n - c : kLanes;
    for (std::size_t r = 0; r < rows; ++r) {
      F16x y = load16(tile + r * columns + p);
      if (e.residual) y = add(y, load_first(e.residual + (row + r) * e.residual_stride + c, valid));
      store_first(y, x.c + (row + r) * x.c_stride + c, valid);
    }
  }
}

// y[r][p] += values(r, p)
template <std::size_t R, std::size_t P, class Values>
HWY_INLINE void add_to_tile(F16x (&y)[R][P], const Values& values) {
  _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
    _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) y[r][p] = add(y[r][p], values(r, p));
  }
}

template <std::size_t R, std::size_t P>
HWY_INLINE void finish_tile(const Matmul& x, std::size_t row, std::size_t column, F16x (&y)[R][P]) {
  const Epilogue& e = x.epilogue;
  if (e.scale != 1.0f) {
    _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
      _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) y[r][p] = mul(y[r][p], set16(e.scale));
    }
  }
  if (e.bias) add_to_tile(y, [&](std::size_t, std::size_t p) HWY_ATTR { return load16(e.bias + column + p * kLanes); });
  if (e.activation == Activation::kNone && x.n - column >= P * kLanes) {
    if (e.residual) {
      const float* residual = e.residual + row * e.residual_stride + column;
      add_to_tile(y, [&](std::size_t r, std::size_t p) HWY_ATTR { return load16(residual + r * e.residual_stride + p * kLanes); });
    }
    float* c = x.c + row * x.c_stride + column;
    _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
      _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) store16(y[r][p], c + r * x.c_stride + p * kLanes);
    }
    return;
  }
  HWY_ALIGN float tile[R * P * kLanes];
  _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
    _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) store16(y[r][p], tile + (r * P + p) * kLanes);
  }
  finish_rows(x, row, column, tile, R, P * kLanes);
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
