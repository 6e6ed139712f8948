// Matrix products of rows and weights quantized to 8 or 4 bits in blocks of 32 along k.
//
// A block's products are summed exactly in integers, so every instruction set gives the same bits:
// c += float(sum) * (weight scale * row scale), blocks in ascending order.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul_quantized.cc"
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

// What the unsigned numbers of a block lie above those they stand for.
template <class Block>
inline constexpr int kOffset = std::is_same_v<Block, Q8Block> ? 128 : 8;

// The bytes of the numbers of four k (group 0 to 7 of a block), and in Q4Block of the four k of group + 4 in the upper halves.
HWY_INLINE const std::uint8_t* bytes_of(const Q8Block& block, std::size_t group) { return block.q + group * 64; }
HWY_INLINE const std::uint8_t* bytes_of(const Q4Block& block, std::size_t group) { return block.q + group % 4 * 64; }

// Group<Block>: the weights of four k. Columns<Block>: the sums of products of the 16 columns of a panel with a row,
// start()ed and made float32 with the sum of the row's q, by which the offset is taken back.
template <class Block>
struct Group;
template <class Block>
struct Columns;

#if HWY_TARGET == HWY_AVX3_DL
template <>
struct Group<Q8Block> {
  __m512i w;
  HWY_INLINE Group(const Q8Block& block, std::size_t group) : w(_mm512_loadu_si512(bytes_of(block, group))) {}
};
template <>
struct Group<Q4Block> {
  __m512i w;
  HWY_INLINE Group(const Q4Block& block, std::size_t group) {
    const __m512i both = _mm512_loadu_si512(bytes_of(block, group));
    w = _mm512_and_si512(group < 4 ? both : _mm512_srli_epi16(both, 4), _mm512_set1_epi8(15));
  }
};
template <class Block>
struct Columns {
  __m512i sum;
  HWY_INLINE void start(std::int32_t row_sum) { sum = _mm512_set1_epi32(-kOffset<Block> * row_sum); }
  HWY_INLINE void add(const Group<Block>& g, std::int32_t x4) {
    // Highway 1.0's target lacks the flag for this intrinsic.
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(g.w), "v"(_mm512_set1_epi32(x4)));
  }
  HWY_INLINE F16x to_float(std::int32_t) const { return {{VF{_mm512_cvtepi32_ps(sum)}}}; }
};

#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
HWY_INLINE F16x join(__m256i low, __m256i high) {  // columns 0-7, 8-15
#if HWY_TARGET == HWY_AVX3
  return {{VF{_mm512_cvtepi32_ps(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1))}}};
#else
  return {{VF{_mm256_cvtepi32_ps(low)}, VF{_mm256_cvtepi32_ps(high)}}};
#endif
}
HWY_INLINE __m256i load32(const std::uint8_t* bytes) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)); }

// maddubs wants one unsigned factor: |w| and x with w's sign. At most 128 and 127, so 16 bits hold two products.
template <>
struct Group<Q8Block> {
  __m256i low, high, low_magnitude, high_magnitude;
  HWY_INLINE Group(const Q8Block& block, std::size_t group) {
    const __m256i flip = _mm256_set1_epi8(-128);  // q + 128 -> q
    low = _mm256_xor_si256(load32(bytes_of(block, group)), flip);
    high = _mm256_xor_si256(load32(bytes_of(block, group) + 32), flip);
    low_magnitude = _mm256_abs_epi8(low);
    high_magnitude = _mm256_abs_epi8(high);
  }
};
template <>
struct Columns<Q8Block> {
  __m256i low, high;
  HWY_INLINE void start(std::int32_t) { low = high = _mm256_setzero_si256(); }
  HWY_INLINE void add(const Group<Q8Block>& g, std::int32_t x4) {
    const __m256i x = _mm256_set1_epi32(x4), ones = _mm256_set1_epi16(1);
    low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_maddubs_epi16(g.low_magnitude, _mm256_sign_epi8(x, g.low)), ones));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_maddubs_epi16(g.high_magnitude, _mm256_sign_epi8(x, g.high)), ones));
  }
  HWY_INLINE F16x to_float(std::int32_t) const { return join(low, high); }
};

// Sixteen bits hold the sixteen products of at most 15 * 128 that a block adds there.
template <>
struct Group<Q4Block> {
  __m256i low, high;
  HWY_INLINE Group(const Q4Block& block, std::size_t group) {
    const __m256i mask = _mm256_set1_epi8(15);
    low = load32(bytes_of(block, group));
    high = load32(bytes_of(block, group) + 32);
    if (group >= 4) low = _mm256_srli_epi16(low, 4), high = _mm256_srli_epi16(high, 4);
    low = _mm256_and_si256(low, mask);
    high = _mm256_and_si256(high, mask);
  }
};
template <>
struct Columns<Q4Block> {
  __m256i low, high;
  HWY_INLINE void start(std::int32_t) { low = high = _mm256_setzero_si256(); }
  HWY_INLINE void add(const Group<Q4Block>& g, std::int32_t x4) {
    const __m256i x = _mm256_set1_epi32(x4);
    low = _mm256_add_epi16(low, _mm256_maddubs_epi16(g.low, x));
    high = _mm256_add_epi16(high, _mm256_maddubs_epi16(g.high, x));
  }
  HWY_INLINE F16x to_float(std::int32_t row_sum) const {
    const __m256i ones = _mm256_set1_epi16(1), above = _mm256_set1_epi32(8 * row_sum);
    return join(_mm256_sub_epi32(_mm256_madd_epi16(low, ones), above), _mm256_sub_epi32(_mm256_madd_epi16(high, ones), above));
  }
};

#else
template <class Block>
struct Group {
  const std::uint8_t* bytes;
  int shift;
  HWY_INLINE Group(const Block& block, std::size_t group) : bytes(bytes_of(block, group)), shift(group < 4 ? 0 : 4) {}
  HWY_INLINE int at(std::size_t i) const {
    return (std::is_same_v<Block, Q8Block> ? bytes[i] : bytes[i] >> shift & 15) - kOffset<Block>;
  }
};
template <class Block>
struct Columns {
  std::int32_t sum[kLanes];
  HWY_INLINE void start(std::int32_t) { std::memset(sum, 0, sizeof sum); }
  HWY_INLINE void add(const Group<Block>& g, std::int32_t x4) {
    std::int8_t x[4];
    std::memcpy(x, &x4, 4);
    for (std::size_t i = 0; i < kLanes * 4; ++i) sum[i / 4] += g.at(i) * x[i % 4];
  }
  HWY_INLINE F16x to_float(std::int32_t) const {
    float f[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) f[i] = static_cast<float>(sum[i]);
    return load16(f);
  }
};
#endif

#if HWY_TARGET == HWY_AVX3_DL
inline constexpr std::size_t kRows = 6, kPanels = 2;
#else
inline constexpr std::size_t kRows = 4, kPanels = 1;
#endif

template <class Block, std::size_t R, std::size_t P>
HWY_NOINLINE void quantized_tile(const QuantizedRows& a, const Block* b, const Matmul& x, std::size_t row, std::size_t column) {
  const std::size_t blocks = a.blocks;
  const Block* panel = b + column / kLanes * blocks;
  F16x acc[R][P];
  _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
    _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) acc[r][p] = set16(0.0f);
  }
  for (std::size_t block = 0; block < blocks; ++block) {
    Columns<Block> sum[R][P];
    _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
      _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) sum[r][p].start(a.sum[(row + r) * blocks + block]);
    }
    const std::int8_t* q = a.q + (row * blocks + block) * kBlock;
    _Pragma("GCC unroll 8") for (std::size_t g = 0; g < kBlock / 4; ++g) {
      _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) {
        const Group<Block> group(panel[p * blocks + block], g);
        _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
          std::int32_t x4;
          std::memcpy(&x4, q + r * blocks * kBlock + g * 4, 4);
          sum[r][p].add(group, x4);
        }
      }
    }
    _Pragma("GCC unroll 16") for (std::size_t p = 0; p < P; ++p) {
      const F16x scale = load_as_f32(reinterpret_cast<const Half*>(panel[p * blocks + block].scale));
      _Pragma("GCC unroll 16") for (std::size_t r = 0; r < R; ++r) {
        const std::size_t at = (row + r) * blocks + block;
        acc[r][p] = fma(sum[r][p].to_float(a.sum[at]), mul(scale, set16(a.scale[at])), acc[r][p]);
      }
    }
  }
  finish_tile<R, P>(x, row, column, acc);
}

template <class Block>
void matmul_quantized(const QuantizedRows& a, const Block* b, const Matmul& x) {
  for_each_tile<kRows, kPanels>(x, [&](auto panels, std::size_t rows, std::size_t row, std::size_t column) HWY_ATTR {
    dispatch_rows<kRows>(rows, [&](auto r) HWY_ATTR { quantized_tile<Block, r(), panels()>(a, b, x, row, column); });
  });
}

// x: two vectors of sixteen -> 32 signed bytes, their scale and their sum
HWY_INLINE void quantize_block(const F16x (&x)[2], std::int8_t* q, float* scale, std::int32_t* sum) {
  const float largest = max_lanes(max(abs(x[0]), abs(x[1])));
  constexpr float kLevels = 127.49f;  // the largest rounds down to 127, within half a step
  *scale = largest / kLevels;
  const F16x inverse = set16(largest > 0 ? kLevels / largest : 0.0f);
  VI sums = hn::Zero(DI());
  for (std::size_t h = 0; h < 2; ++h) {
    POLYMATH_EACH_PART {
      const VI whole = hn::NearestInt(hn::Mul(x[h].part[i_], inverse.part[i_]));
      sums = hn::Add(sums, whole);
      const hn::Rebind<std::int8_t, DF> d8;
      hn::StoreU(hn::DemoteTo(d8, whole), d8, q + h * kLanes + i_ * kPartLanes);
    }
  }
  *sum = hn::GetLane(hn::SumOfLanes(DI(), sums));
}

void quantize_rows(const float* rows, std::size_t x_stride, std::size_t m, std::size_t k, const QuantizedRows& out) {
  for (std::size_t r = 0; r < m; ++r) {
    const float* row = rows + r * x_stride;
    for (std::size_t block = 0; block < out.blocks; ++block) {
      const float* from = row + block * kBlock;
      const std::size_t at = r * out.blocks + block, count = k - block * kBlock;
      if (count >= kBlock) {
        quantize_block({load16(from), load16(from + kLanes)}, out.q + at * kBlock, out.scale + at, out.sum + at);
      } else {
        const F16x first = load_first(from, count < kLanes ? count : kLanes);
        quantize_block({first, count > kLanes ? load_first(from + kLanes, count - kLanes) : set16(0.0f)}, out.q + at * kBlock, out.scale + at, out.sum + at);
      }
    }
  }
}

// To eleven significant bits, as float16 has them.
HWY_INLINE VF round_to_half(VF x) {
  const VF split = hn::Mul(x, hn::Set(DF(), 8193.0f));
  return hn::Sub(split, hn::Sub(split, x));
}

void fit_scales(const float* x, float least, const float* levels, std::size_t count, float* scales) {
  const VF zero = hn::Zero(DF()), lowest = hn::Set(DF(), least), highest = hn::Set(DF(), -1.0f - least);
  const VF round = hn::Set(DF(), 12582912.0f);  // 1.5 * 2^23: adding it leaves no bits below one
  POLYMATH_EACH_PART {
    const float* values = x + i_ * kPartLanes;
    VF top = zero, largest = zero;
    for (std::size_t k = 0; k < kBlock; ++k) {
      const VF v = hn::LoadU(DF(), values + k * kLanes);
      largest = hn::IfThenElse(hn::Gt(hn::Abs(v), top), v, largest);
      top = hn::Max(top, hn::Abs(v));
    }
    VF best = hn::Set(DF(), HUGE_VALF), scale = zero;
    for (std::size_t level = 0; level < count; ++level) {
      const VF candidate = round_to_half(hn::Mul(largest, hn::Set(DF(), -1.0f / levels[level])));
      const VF inverse = hn::IfThenElse(hn::Gt(hn::Abs(candidate), zero), hn::Div(hn::Set(DF(), 1.0f), candidate), zero);
      VF error = zero;
      for (std::size_t k = 0; k < kBlock; ++k) {
        const VF v = hn::LoadU(DF(), values + k * kLanes);
        VF q = hn::Sub(hn::Add(hn::Mul(v, inverse), round), round);
        q = hn::Min(hn::Max(q, lowest), highest);
        const VF left = hn::Sub(v, hn::Mul(q, candidate));
        error = fma(left, left, error);
      }
      const auto better = hn::Lt(error, best);
      best = hn::IfThenElse(better, error, best);
      scale = hn::IfThenElse(better, candidate, scale);
    }
    hn::StoreU(scale, DF(), scales + i_ * kPartLanes);
  }
}

void matmul_quantized_functions(Table& t) {
  t.matmul_q8 = matmul_quantized<Q8Block>;
  t.matmul_q4 = matmul_quantized<Q4Block>;
  t.quantize_rows = quantize_rows;
  t.fit_scales = fit_scales;
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/dispatch.h"
namespace polymath::kernels {
HWY_EXPORT(matmul_quantized_functions);
void fill_matmul_quantized(Table& t) { HWY_DYNAMIC_DISPATCH(matmul_quantized_functions)(t); }
}  // namespace polymath::kernels
#endif
