// Sixteen float lanes on any instruction set: 1 vector on AVX-512, 2 on AVX2, 4 on NEON.
//
// Included once per target by the kernel files (Highway's scheme), after hwy/highway.h.

// clang-format off
#if defined(POLYMATH_KERNELS_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef POLYMATH_KERNELS_LANES_INL_H
#undef POLYMATH_KERNELS_LANES_INL_H
#else
#define POLYMATH_KERNELS_LANES_INL_H
#endif
// clang-format on

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace polymath::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::CappedTag<float, 16>;
using DI = hn::Rebind<std::int32_t, DF>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;
inline constexpr std::size_t kPartLanes = hn::MaxLanes(DF());
inline constexpr std::size_t kParts = kLanes / kPartLanes;

// a * b + c rounded once, on every target.
HWY_INLINE VF fma(VF a, VF b, VF c) {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
  HWY_ALIGN float x[kPartLanes], y[kPartLanes], z[kPartLanes];
  hn::Store(a, DF(), x);
  hn::Store(b, DF(), y);
  hn::Store(c, DF(), z);
  for (std::size_t i = 0; i < kPartLanes; ++i) z[i] = std::fma(x[i], y[i], z[i]);
  return hn::Load(DF(), z);
#else
  return hn::MulAdd(a, b, c);
#endif
}

struct F16x {
  VF part[kParts];
};

#define POLYMATH_EACH_PART _Pragma("GCC unroll 16") for (std::size_t i_ = 0; i_ < kParts; ++i_)

HWY_INLINE F16x set16(float x) {
  F16x r;
  POLYMATH_EACH_PART r.part[i_] = hn::Set(DF(), x);
  return r;
}
HWY_INLINE F16x load16(const float* p) {
  F16x r;
  POLYMATH_EACH_PART r.part[i_] = hn::LoadU(DF(), p + i_ * kPartLanes);
  return r;
}
HWY_INLINE void store16(const F16x& x, float* p) {
  POLYMATH_EACH_PART hn::StoreU(x.part[i_], DF(), p + i_ * kPartLanes);
}
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
inline constexpr bool kMaskedMemory = false;
#else
inline constexpr bool kMaskedMemory = true;  // loads and stores under a mask do not touch the other lanes' memory
#endif

// The first n <= 16 values, the other lanes `fill`; reads nothing beyond them.
HWY_INLINE F16x load_first(const float* p, std::size_t n, float fill = 0.0f) {
  if (n == kLanes) return load16(p);
  F16x r;
  if constexpr (kMaskedMemory) {
    POLYMATH_EACH_PART {
      const std::size_t begin = i_ * kPartLanes;
      const auto mask = hn::FirstN(DF(), n > begin ? n - begin : 0);
      r.part[i_] = hn::IfThenElse(mask, hn::MaskedLoad(mask, DF(), p + begin), hn::Set(DF(), fill));
    }
    return r;
  }
  float all[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) all[i] = i < n ? p[i] : fill;
  return load16(all);
}
HWY_INLINE void store_first(const F16x& x, float* p, std::size_t n) {
  if (n == kLanes) return store16(x, p);
  if constexpr (kMaskedMemory) {
    POLYMATH_EACH_PART {
      const std::size_t begin = i_ * kPartLanes;
      hn::BlendedStore(x.part[i_], hn::FirstN(DF(), n > begin ? n - begin : 0), DF(), p + begin);
    }
    return;
  }
  float all[kLanes];
  store16(x, all);
  std::memcpy(p, all, n * sizeof(float));
}

// Calls body(offset, count) for n values in steps of 16.
template <class Body>
HWY_INLINE void in_steps(std::size_t n, const Body& body) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, kLanes);
  if (i < n) body(i, n - i);
}

// The lanes beyond n as 0.
HWY_INLINE F16x keep_first(const F16x& x, std::size_t n) {
  if (n == kLanes) return x;
  float all[kLanes] = {};
  store_first(x, all, n);
  return load16(all);
}

#define POLYMATH_LANEWISE_2(name, op)                                             \
  HWY_INLINE F16x name(const F16x& a, const F16x& b) {                            \
    F16x r;                                                                       \
    POLYMATH_EACH_PART r.part[i_] = op(a.part[i_], b.part[i_]);                   \
    return r;                                                                     \
  }
POLYMATH_LANEWISE_2(add, hn::Add)
POLYMATH_LANEWISE_2(sub, hn::Sub)
POLYMATH_LANEWISE_2(mul, hn::Mul)
POLYMATH_LANEWISE_2(div, hn::Div)
POLYMATH_LANEWISE_2(max, hn::Max)
POLYMATH_LANEWISE_2(min, hn::Min)
#undef POLYMATH_LANEWISE_2

HWY_INLINE F16x abs(const F16x& x) {
  F16x r;
  POLYMATH_EACH_PART r.part[i_] = hn::Abs(x.part[i_]);
  return r;
}

HWY_INLINE F16x fma(const F16x& a, const F16x& b, const F16x& c) {
  F16x r;
  POLYMATH_EACH_PART r.part[i_] = fma(a.part[i_], b.part[i_], c.part[i_]);
  return r;
}

// Folds the 16 lanes by halves: (i, i+8), (i, i+4), (i, i+2), (i, i+1).
template <class Op>
HWY_INLINE float fold_lanes(F16x x, const Op& op) {
  std::size_t parts = kParts;
  for (; parts > 1; parts /= 2) {
    for (std::size_t i = 0; i < parts / 2; ++i) x.part[i] = op(x.part[i], x.part[i + parts / 2]);
  }
#if HWY_CAP_GE256
  const hn::Half<DF> dh;
  auto half = op(hn::LowerHalf(dh, x.part[0]), hn::UpperHalf(dh, x.part[0]));
#if HWY_CAP_GE512
  const hn::Half<decltype(dh)> dq;
  auto quarter = op(hn::LowerHalf(dq, half), hn::UpperHalf(dq, half));
#else
  auto quarter = half;
#endif
  quarter = op(quarter, hn::Shuffle1032(quarter));
  return hn::GetLane(op(quarter, hn::Shuffle2301(quarter)));
#else
  float t[kPartLanes];
  hn::StoreU(x.part[0], DF(), t);
  const hn::CappedTag<float, 1> d1;
  for (std::size_t half = kPartLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) t[i] = hn::GetLane(op(hn::Set(d1, t[i]), hn::Set(d1, t[i + half])));
  }
  return t[0];
#endif
}
HWY_INLINE float sum_lanes(const F16x& x) {
  return fold_lanes(x, [](auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
}
HWY_INLINE float max_lanes(const F16x& x) {
  return fold_lanes(x, [](auto a, auto b) HWY_ATTR { return hn::Max(a, b); });
}

// Sixteen stored numbers as float32; exact.
HWY_INLINE F16x load_as_f32(const float* p) { return load16(p); }
struct Bf16 {
  std::uint16_t bits;
};
struct Half {
  std::uint16_t bits;
};
HWY_INLINE F16x load_as_f32(const Bf16* p) {
  F16x r;
  const hn::Rebind<std::uint16_t, DF> d16;
  const hn::Rebind<std::uint32_t, DF> d32;
  POLYMATH_EACH_PART {
    auto bits = hn::LoadU(d16, reinterpret_cast<const std::uint16_t*>(p) + i_ * kPartLanes);
    r.part[i_] = hn::BitCast(DF(), hn::ShiftLeft<16>(hn::PromoteTo(d32, bits)));
  }
  return r;
}
HWY_INLINE F16x load_as_f32(const Half* p) {
  F16x r;
  const hn::Rebind<std::uint16_t, DF> d16;
  const hn::Rebind<hwy::float16_t, DF> dh;
  POLYMATH_EACH_PART {
    auto bits = hn::LoadU(d16, reinterpret_cast<const std::uint16_t*>(p) + i_ * kPartLanes);
    r.part[i_] = hn::PromoteTo(DF(), hn::BitCast(dh, bits));
  }
  return r;
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
