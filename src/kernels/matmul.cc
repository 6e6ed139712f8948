// Matrix products over panels of 16 columns, the weights in float32, bfloat16 or float16.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul.cc"
#include "hwy/foreach_target.h"
// clang-format off
#include "kernels/math-inl.h"
#include "kernels/tile-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace polymath::kernels {
namespace HWY_NAMESPACE {

// acc[r][p] += sum over k of a[r][k] * b[p][k], k ascending.
template <std::size_t R, std::size_t P, class W>
HWY_INLINE void accumulate(const float* a, std::size_t a_stride, const W* b, std::size_t k_stride, std::size_t panel_stride,
                           std::size_t k, F16x (&acc)[R][P]) {
  for (std::size_t i = 0; i < k; ++i) {
    F16x w[P];
    _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) w[p] = load_as_f32(b + i * k_stride + p * panel_stride);
    _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
      const VF x = hn::Set(DF(), a[r * a_stride + i]);
      _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) {
        POLYMATH_EACH_PART acc[r][p].part[i_] = fma(x, w[p].part[i_], acc[r][p].part[i_]);
      }
    }
  }
}

template <std::size_t R, std::size_t P>
HWY_NOINLINE void load_tile(const Matmul& x, std::size_t row, std::size_t column, F16x (&acc)[R][P]) {
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t p = 0; p < P; ++p) {
      const std::size_t c = column + p * kLanes;
      acc[r][p] = load_first(x.c + (row + r) * x.c_stride + c, x.n - c < kLanes ? x.n - c : kLanes);
    }
  }
}

template <std::size_t R, std::size_t P, class W>
HWY_NOINLINE void tile(const Matmul& x, std::size_t row, std::size_t column) {
  F16x acc[R][P];
  _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
    _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) acc[r][p] = set16(0.0f);
  }
  if (x.accumulate) load_tile<R, P>(x, row, column, acc);
  accumulate<R, P, W>(x.a + row * x.a_stride, x.a_stride, static_cast<const W*>(x.b) + column / kLanes * x.panel_stride,
                      x.k_stride, x.panel_stride, x.k, acc);
  finish_tile<R, P>(x, row, column, acc);
}

template <class W>
void matmul_stored(const Matmul& x) {
  for_each_tile<kTileRows, kTilePanels>(x, [&](auto panels, std::size_t rows, std::size_t row, std::size_t column) HWY_ATTR {
    dispatch_rows<kTileRows>(rows, [&](auto r) HWY_ATTR { tile<r(), panels(), W>(x, row, column); });
  });
}

void matmul(Storage storage, const Matmul& x) {
  switch (storage) {
    case Storage::kF32: return matmul_stored<float>(x);
    case Storage::kBf16: return matmul_stored<Bf16>(x);
    case Storage::kF16: return matmul_stored<Half>(x);
    case Storage::kQ8: case Storage::kQ4: return;  // matmul_q8, matmul_q4
  }
}

void matmul_functions(Table& t) {
  t.matmul = matmul;
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/dispatch.h"
namespace polymath::kernels {
HWY_EXPORT(matmul_functions);
void fill_matmul(Table& t) { HWY_DYNAMIC_DISPATCH(matmul_functions)(t); }
}  // namespace polymath::kernels
#endif
