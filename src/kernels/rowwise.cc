// Kernels that walk rows or flat arrays: norms, softmax, activations, rotation, conversion.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rowwise.cc"
#include "hwy/foreach_target.h"
// clang-format off
#include "kernels/math-inl.h"
// clang-format on

#if HWY_ARCH_X86
#include <immintrin.h>
#endif

HWY_BEFORE_NAMESPACE();
namespace polymath::kernels {
namespace HWY_NAMESPACE {

void layer_norm(const float* x, const float* weight, const float* bias, float eps, std::size_t rows, std::size_t d, float* y) {
  for (std::size_t r = 0; r < rows; ++r, x += d, y += d) {
    F16x sum = set16(0.0f);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR { sum = add(sum, load_first(x + i, n)); });
    const float mean = sum_lanes(sum) / static_cast<float>(d);
    F16x squares = set16(0.0f);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
      const F16x c = keep_first(sub(load_first(x + i, n), set16(mean)), n);
      squares = fma(c, c, squares);
    });
    const float scale = 1.0f / std::sqrt(sum_lanes(squares) / static_cast<float>(d) + eps);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
      const F16x z = mul(sub(load_first(x + i, n), set16(mean)), set16(scale));
      const F16x w = load_first(weight + i, n);
      store_first(bias ? fma(z, w, load_first(bias + i, n)) : mul(z, w), y + i, n);
    });
  }
}

void rms_norm(const float* x, std::size_t x_stride, const float* weight, float eps, std::size_t rows, std::size_t d, float* y, std::size_t y_stride) {
  for (std::size_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    F16x squares = set16(0.0f);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
      const F16x v = load_first(x + i, n);
      squares = fma(v, v, squares);
    });
    const F16x scale = set16(1.0f / std::sqrt(sum_lanes(squares) / static_cast<float>(d) + eps));
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR { store_first(mul(mul(load_first(x + i, n), scale), load_first(weight + i, n)), y + i, n); });
  }
}

float largest_of(const float* x, std::size_t n) {
  F16x largest = set16(-INFINITY);
  in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR { largest = max(largest, load_first(x + i, m, -INFINITY)); });
  return max_lanes(largest);
}

float exp_sum(const float* x, std::size_t n, float* largest) {
  const float top = *largest = largest_of(x, n);
  if (top == -INFINITY) return 0;
  F16x sum = set16(0.0f);
  in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR { sum = add(sum, exp16(sub(load_first(x + i, m, -INFINITY), set16(top)))); });
  return sum_lanes(sum);
}

void softmax(float* x, std::size_t rows, std::size_t n, std::size_t stride) {
  for (std::size_t r = 0; r < rows; ++r, x += stride) {
    const float top = largest_of(x, n);
    if (top == -INFINITY) {
      std::memset(x, 0, n * sizeof(float));
      continue;
    }
    F16x sum = set16(0.0f);
    in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR {
      const F16x e = exp16(sub(load_first(x + i, m, -INFINITY), set16(top)));
      sum = add(sum, e);
      store_first(e, x + i, m);
    });
    const float scale = 1.0f / sum_lanes(sum);
    in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR { store_first(mul(load_first(x + i, m), set16(scale)), x + i, m); });
  }
}

void activate(Activation activation, const float* x, std::size_t n, float* y) {
  activate_any(activation, x, n, y);
}

void add_arrays(const float* a, const float* b, std::size_t n, float* y) {
  in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR { store_first(add(load_first(a + i, m), load_first(b + i, m)), y + i, m); });
}

void multiply_arrays(const float* a, const float* b, std::size_t n, float* y) {
  in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR { store_first(mul(load_first(a + i, m), load_first(b + i, m)), y + i, m); });
}

// x' = x cos - y sin, y' = y cos + x sin, each product rounded as Transformers rounds it.
void rotate_half(float* x, const float* cos, const float* sin, std::size_t heads, std::size_t d) {
  const std::size_t half = d / 2;
  for (std::size_t h = 0; h < heads; ++h, x += d) {
    in_steps(half, [&](std::size_t i, std::size_t n) HWY_ATTR {
      const F16x a = load_first(x + i, n), b = load_first(x + half + i, n);
      const F16x c = load_first(cos + i, n), s = load_first(sin + i, n);
      store_first(sub(mul(a, c), mul(b, s)), x + i, n);
      store_first(add(mul(b, c), mul(a, s)), x + half + i, n);
    });
  }
}

void transpose16(const float* x, std::size_t stride, std::size_t n, float* y) {
  std::size_t i = 0;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_AVX2
  // Eight by eight, by pairs, fours and halves.
  for (; i + 8 <= n; i += 8) {
    for (std::size_t half = 0; half < 16; half += 8) {
      __m256 r[8], t[8];
      for (std::size_t k = 0; k < 8; ++k) r[k] = _mm256_loadu_ps(x + (half + k) * stride + i);
      for (std::size_t k = 0; k < 8; k += 2) {
        t[k] = _mm256_unpacklo_ps(r[k], r[k + 1]);
        t[k + 1] = _mm256_unpackhi_ps(r[k], r[k + 1]);
      }
      for (std::size_t k = 0; k < 8; k += 4) {
        r[k] = _mm256_shuffle_ps(t[k], t[k + 2], 0x44);
        r[k + 1] = _mm256_shuffle_ps(t[k], t[k + 2], 0xEE);
        r[k + 2] = _mm256_shuffle_ps(t[k + 1], t[k + 3], 0x44);
        r[k + 3] = _mm256_shuffle_ps(t[k + 1], t[k + 3], 0xEE);
      }
      for (std::size_t k = 0; k < 4; ++k) {
        _mm256_storeu_ps(y + (i + k) * kLanes + half, _mm256_permute2f128_ps(r[k], r[k + 4], 0x20));
        _mm256_storeu_ps(y + (i + k + 4) * kLanes + half, _mm256_permute2f128_ps(r[k], r[k + 4], 0x31));
      }
    }
  }
#endif
  for (; i < n; ++i) {
    for (std::size_t r = 0; r < kLanes; ++r) y[i * kLanes + r] = x[r * stride + i];
  }
}

template <class W>
void convert(const std::uint16_t* x, std::size_t n, float* y) {
  in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR {
    if (m == kLanes) return store16(load_as_f32(reinterpret_cast<const W*>(x + i)), y + i);
    std::uint16_t all[kLanes] = {};
    std::memcpy(all, x + i, m * sizeof all[0]);
    store_first(load_as_f32(reinterpret_cast<const W*>(all)), y + i, m);
  });
}
void bf16_to_f32(const std::uint16_t* x, std::size_t n, float* y) { convert<Bf16>(x, n, y); }
void f16_to_f32(const std::uint16_t* x, std::size_t n, float* y) { convert<Half>(x, n, y); }

void rowwise_functions(Table& t) {
  t.layer_norm = layer_norm;
  t.rms_norm = rms_norm;
  t.softmax = softmax;
  t.exp_sum = exp_sum;
  t.activate = activate;
  t.add = add_arrays;
  t.multiply = multiply_arrays;
  t.rotate_half = rotate_half;
  t.transpose16 = transpose16;
  t.bf16_to_f32 = bf16_to_f32;
  t.f16_to_f32 = f16_to_f32;
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/dispatch.h"
namespace polymath::kernels {
HWY_EXPORT(rowwise_functions);
void fill_rowwise(Table& t) { HWY_DYNAMIC_DISPATCH(rowwise_functions)(t); }
}  // namespace polymath::kernels
#endif
