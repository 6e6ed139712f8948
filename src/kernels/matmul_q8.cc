// Matrix products of rows and weights quantized to 8 bits in blocks of 32 along k.
//
// A block's products are summed exactly in integers, so every instruction set gives the same bits:
// c += float(sum) * (weight scale * row scale), blocks in ascending order.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul_q8.cc"
#include "hwy/foreach_target.h"
// clang-format off
#include "kernels/tile-inl.h"
// clang-format on

#if HWY_ARCH_X86
#include <immintrin.h>
#endif

HWY_BEFORE_NAMESPACE();
namespace polymath::kernels {
namespace HWY_NAMESPACE {

// Sums of products over groups of four k for the 16 columns of a panel, in int32.
// start(sum of the row's q): the weights hold q + 128, which some instruction sets take back at the start.
#if HWY_TARGET == HWY_AVX3_DL
struct Columns {
  __m512i sum;
  HWY_INLINE void start(std::int32_t row_sum) { sum = _mm512_set1_epi32(-128 * row_sum); }
};
struct Group {  // weights of four k
  __m512i w;
  HWY_INLINE explicit Group(const std::uint8_t* q) : w(_mm512_loadu_si512(q)) {}
};
HWY_INLINE void multiply_add(Columns& c, const Group& g, std::int32_t x4) {
  // Highway 1.0's target lacks the flag for this intrinsic.
  asm("vpdpbusd %2, %1, %0" : "+v"(c.sum) : "v"(g.w), "v"(_mm512_set1_epi32(x4)));
}
HWY_INLINE F16x to_float(const Columns& c) { return {{VF{_mm512_cvtepi32_ps(c.sum)}}}; }

#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
struct Columns {
  __m256i low, high;  // columns 0-7, 8-15
  HWY_INLINE void start(std::int32_t) { low = high = _mm256_setzero_si256(); }
};
struct Group {
  __m256i low, high, low_magnitude, high_magnitude;
  HWY_INLINE explicit Group(const std::uint8_t* q) {
    const __m256i flip = _mm256_set1_epi8(-128);  // q + 128 -> q
    low = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(q)), flip);
    high = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(q) + 1), flip);
    low_magnitude = _mm256_abs_epi8(low);
    high_magnitude = _mm256_abs_epi8(high);
  }
};
// maddubs wants one unsigned factor: |w| and x with w's sign. Both within 127, so 16 bits hold two products.
HWY_INLINE void multiply_add(Columns& c, const Group& g, std::int32_t x4) {
  const __m256i x = _mm256_set1_epi32(x4), ones = _mm256_set1_epi16(1);
  const __m256i low = _mm256_maddubs_epi16(g.low_magnitude, _mm256_sign_epi8(x, g.low));
  const __m256i high = _mm256_maddubs_epi16(g.high_magnitude, _mm256_sign_epi8(x, g.high));
  c.low = _mm256_add_epi32(c.low, _mm256_madd_epi16(low, ones));
  c.high = _mm256_add_epi32(c.high, _mm256_madd_epi16(high, ones));
}
HWY_INLINE F16x to_float(const Columns& c) {
#if HWY_TARGET == HWY_AVX3
  return {{VF{_mm512_cvtepi32_ps(_mm512_inserti64x4(_mm512_castsi256_si512(c.low), c.high, 1))}}};
#else
  return {{VF{_mm256_cvtepi32_ps(c.low)}, VF{_mm256_cvtepi32_ps(c.high)}}};
#endif
}

#else
struct Columns {
  std::int32_t sum[kLanes];
  HWY_INLINE void start(std::int32_t) { std::memset(sum, 0, sizeof sum); }
};
struct Group {
  const std::uint8_t* q;
  HWY_INLINE explicit Group(const std::uint8_t* bytes) : q(bytes) {}
};
HWY_INLINE void multiply_add(Columns& c, const Group& g, std::int32_t x4) {
  std::int8_t x[4];
  std::memcpy(x, &x4, 4);
  for (std::size_t i = 0; i < kLanes * 4; ++i) c.sum[i / 4] += (g.q[i] - 128) * x[i % 4];
}
HWY_INLINE F16x to_float(const Columns& c) {
  float f[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) f[i] = static_cast<float>(c.sum[i]);
  return load16(f);
}
#endif

#if HWY_TARGET == HWY_AVX3_DL
inline constexpr std::size_t kQ8Rows = 6, kQ8Panels = 2, kQ8Stream = 4;
#else
inline constexpr std::size_t kQ8Rows = 4, kQ8Panels = 1, kQ8Stream = 1;
#endif

template <std::size_t R, std::size_t P>
HWY_NOINLINE void q8_tile(const QuantizedRows& a, const Q8Block* b, const Matmul& x, std::size_t row, std::size_t column) {
  const std::size_t blocks = a.blocks;
  const Q8Block* panel = b + column / kLanes * blocks;
  F16x acc[R][P];
  _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
    _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) acc[r][p] = set16(0.0f);
  }
  for (std::size_t block = 0; block < blocks; ++block) {
    Columns sum[R][P];
    _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
      _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) sum[r][p].start(a.sum[(row + r) * blocks + block]);
    }
    const std::int8_t* q = a.q + (row * blocks + block) * kBlock;
    _Pragma("GCC unroll 8") for (std::size_t k = 0; k < kBlock; k += 4) {
      _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) {
        const Group group(panel[p * blocks + block].q + k * kLanes);
        _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
          std::int32_t x4;
          std::memcpy(&x4, q + r * blocks * kBlock + k, 4);
          multiply_add(sum[r][p], group, x4);
        }
      }
    }
    _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) {
      const F16x scale = load_as_f32(reinterpret_cast<const Half*>(panel[p * blocks + block].scale));
      _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
        acc[r][p] = fma(to_float(sum[r][p]), mul(scale, set16(a.scale[(row + r) * blocks + block])), acc[r][p]);
      }
    }
  }
  finish_tile<R, P>(x, row, column, acc);
}

void matmul_q8(const QuantizedRows& a, const Q8Block* b, const Matmul& x) {
  for_each_tile<kQ8Rows, kQ8Panels, kQ8Stream>(
      x, [&](auto panels, std::size_t rows, std::size_t row, std::size_t column) HWY_ATTR {
        if constexpr (panels() > kQ8Panels) q8_tile<1, panels()>(a, b, x, row, column);
        else dispatch_rows<kQ8Rows>(rows, [&](auto r) HWY_ATTR { q8_tile<r(), panels()>(a, b, x, row, column); });
      });
}

void quantize_rows(const float* rows, std::size_t x_stride, std::size_t m, std::size_t k, const QuantizedRows& out) {
  for (std::size_t r = 0; r < m; ++r) {
    for (std::size_t block = 0; block < out.blocks; ++block) {
      const float* from = rows + r * x_stride + block * kBlock;
      const std::size_t count = k - block * kBlock < kBlock ? k - block * kBlock : kBlock;
      const std::size_t first = count < kLanes ? count : kLanes;
      const F16x x16[2] = {load_first(from, first), count > kLanes ? load_first(from + kLanes, count - kLanes) : set16(0.0f)};
      VF top = hn::Zero(DF());
      for (const F16x& x : x16) POLYMATH_EACH_PART top = hn::Max(top, hn::Abs(x.part[i_]));
      const float largest = hn::GetLane(hn::MaxOfLanes(DF(), top));
      const std::size_t at = r * out.blocks + block;
      out.scale[at] = largest / 127.0f;
      const VF inverse = hn::Set(DF(), largest > 0 ? 127.0f / largest : 0.0f);
      VI sum = hn::Zero(DI());
      for (std::size_t h = 0; h < 2; ++h) {
        POLYMATH_EACH_PART {
          const VI q = hn::NearestInt(hn::Mul(x16[h].part[i_], inverse));
          sum = hn::Add(sum, q);
          const hn::Rebind<std::int8_t, DF> d8;
          hn::StoreU(hn::DemoteTo(d8, q), d8, out.q + at * kBlock + h * kLanes + i_ * kPartLanes);
        }
      }
      out.sum[at] = hn::GetLane(hn::SumOfLanes(DI(), sum));
    }
  }
}

void matmul_q8_functions(Table& t) {
  t.matmul_q8 = matmul_q8;
  t.quantize_rows = quantize_rows;
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/dispatch.h"
namespace polymath::kernels {
HWY_EXPORT(matmul_q8_functions);
void fill_matmul_q8(Table& t) { HWY_DYNAMIC_DISPATCH(matmul_q8_functions)(t); }
}  // namespace polymath::kernels
#endif
