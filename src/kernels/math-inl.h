// exp, erf, tanh and the activations over sixteen lanes; our own, so that the bits do not
// depend on the processor's libm. Relative error below 3e-7 each (tests/kernels/kernels_test.cc).

// clang-format off
#if defined(POLYMATH_KERNELS_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef POLYMATH_KERNELS_MATH_INL_H
#undef POLYMATH_KERNELS_MATH_INL_H
#else
#define POLYMATH_KERNELS_MATH_INL_H
#endif
// clang-format on

#include <type_traits>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace polymath::kernels {
namespace HWY_NAMESPACE {

// Horner's scheme, highest coefficient first.
template <std::size_t N>
HWY_INLINE VF polynomial(VF x, const float (&c)[N]) {
  VF r = hn::Set(DF(), c[0]);
  _Pragma("GCC unroll 16") for (std::size_t i = 1; i < N; ++i) r = fma(r, x, hn::Set(DF(), c[i]));
  return r;
}

// e^x = 2^n * e^r with |r| <= ln(2)/2 and e^r by its Taylor series. Below -87.33 the result is 0
// (denormals are not made); above 88.37 it stays at e^88.37.
HWY_INLINE VF exp_part(VF x) {
  static constexpr float kTaylor[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  const DF d;
  const auto tiny = hn::Lt(x, hn::Set(d, -87.33f));
  x = hn::Min(hn::Max(x, hn::Set(d, -87.33f)), hn::Set(d, 88.37f));
  const VI n = hn::NearestInt(hn::Mul(x, hn::Set(d, 1.44269504f)));
  const VF nf = hn::ConvertTo(d, n);
  VF r = fma(nf, hn::Set(d, -0.693359375f), x);   // ln(2) in two parts: the first has few bits,
  r = fma(nf, hn::Set(d, 2.12194440e-4f), r);     // so that its product is exact
  const VF scale = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(DI(), 127))));
  return hn::IfThenZeroElse(tiny, hn::Mul(polynomial(r, kTaylor), scale));
}

// erf(x) = x P(x^2)/Q(x^2) on |x| <= 3.92, beyond which float32's erf is 1. Coefficients: a relative
// minimax fit (recipes/kernels/fit_math.py), error 1.9e-8 before rounding.
HWY_INLINE VF erf_part(VF x) {
  static constexpr float kP[] = {2.0500563e-06f, 0.00028487935f, 0.0037655917f, 0.052748665f, 0.19040625f, 1.1283791f};
  static constexpr float kQ[] = {3.809121e-05f, 0.0011625235f, 0.0149691785f, 0.11410899f, 0.5020759f, 1.0f};
  const DF d;
  x = hn::Min(hn::Max(x, hn::Set(d, -3.92f)), hn::Set(d, 3.92f));
  const VF t = hn::Mul(x, x);
  const VF y = hn::Div(hn::Mul(x, polynomial(t, kP)), polynomial(t, kQ));
  return hn::Min(hn::Max(y, hn::Set(d, -1.0f)), hn::Set(d, 1.0f));
}

// tanh(x) = x P(x^2)/Q(x^2) on |x| <= 9; the same kind of fit, error 2.1e-8 before rounding.
HWY_INLINE VF tanh_part(VF x) {
  static constexpr float kP[] = {1.3355147e-08f, 2.0609472e-05f, 0.0034956136f, 0.13381048f, 1.0f};
  static constexpr float kQ[] = {7.7767686e-07f, 0.00032856752f, 0.02587708f, 0.46714363f, 1.0f};
  const DF d;
  x = hn::Min(hn::Max(x, hn::Set(d, -9.0f)), hn::Set(d, 9.0f));
  const VF t = hn::Mul(x, x);
  const VF y = hn::Div(hn::Mul(x, polynomial(t, kP)), polynomial(t, kQ));
  return hn::Min(hn::Max(y, hn::Set(d, -1.0f)), hn::Set(d, 1.0f));
}

HWY_INLINE VF sigmoid_part(VF x) {
  const VF one = hn::Set(DF(), 1.0f);
  return hn::Div(one, hn::Add(one, exp_part(hn::Neg(x))));
}

template <Activation A>
HWY_INLINE VF activate_part(VF x) {
  const DF d;
  [[maybe_unused]] const VF half_x = hn::Mul(hn::Set(d, 0.5f), x);
  if constexpr (A == Activation::kNone) {
    return x;
  } else if constexpr (A == Activation::kGelu) {
    // x/2 (1 + erf(x / sqrt 2))
    return fma(half_x, erf_part(hn::Mul(x, hn::Set(d, 0.70710678f))), half_x);
  } else if constexpr (A == Activation::kGeluTanh) {
    // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    const VF cube = hn::Mul(hn::Mul(x, x), x);
    const VF inner = hn::Mul(hn::Set(d, 0.79788456f), fma(hn::Set(d, 0.044715f), cube, x));
    return fma(half_x, tanh_part(inner), half_x);
  } else if constexpr (A == Activation::kRelu) {
    return hn::Max(x, hn::Zero(d));
  } else if constexpr (A == Activation::kSilu) {
    return hn::Mul(x, sigmoid_part(x));
  } else if constexpr (A == Activation::kTanh) {
    return tanh_part(x);
  } else if constexpr (A == Activation::kSigmoid) {
    return sigmoid_part(x);
  } else if constexpr (A == Activation::kQuickGelu) {
    return hn::Mul(x, sigmoid_part(hn::Mul(hn::Set(d, 1.702f), x)));
  } else if constexpr (A == Activation::kGelu10) {
    // gelu between -10 and 10
    return hn::Min(hn::Max(activate_part<Activation::kGelu>(x), hn::Set(d, -10.0f)), hn::Set(d, 10.0f));
  } else if constexpr (A == Activation::kLaplace) {
    // (1 + erf((x - mu) / (sigma sqrt 2))) / 2, as Transformers' LaplaceActivation
    const VF z = hn::Div(hn::Sub(x, hn::Set(d, 0.707107f)), hn::Set(d, 0.282095f * 1.41421356f));
    return fma(hn::Set(d, 0.5f), erf_part(z), hn::Set(d, 0.5f));
  } else if constexpr (A == Activation::kLeakyRelu) {
    return hn::Max(x, hn::Mul(x, hn::Set(d, 0.01f)));
  } else if constexpr (A == Activation::kMish) {
    // x tanh(log(1 + e^x)) = x t / (t + 2), t = e^x (e^x + 2)
    const VF e = exp_part(hn::Min(x, hn::Set(d, 20.0f)));
    const VF t = hn::Mul(e, hn::Add(e, hn::Set(d, 2.0f)));
    return hn::Mul(x, hn::Div(t, hn::Add(t, hn::Set(d, 2.0f))));
  } else if constexpr (A == Activation::kRelu6) {
    return hn::Min(hn::Max(x, hn::Zero(d)), hn::Set(d, 6.0f));
  } else if constexpr (A == Activation::kHardSwish) {
    // x relu6(x + 3) / 6
    const VF gate = hn::Min(hn::Max(hn::Add(x, hn::Set(d, 3.0f)), hn::Zero(d)), hn::Set(d, 6.0f));
    return hn::Div(hn::Mul(x, gate), hn::Set(d, 6.0f));
  } else if constexpr (A == Activation::kRelu2) {
    const VF r = hn::Max(x, hn::Zero(d));
    return hn::Mul(r, r);
  }
}

HWY_INLINE F16x exp16(const F16x& x) {
  F16x r;
  POLYMATH_EACH_PART r.part[i_] = exp_part(x.part[i_]);
  return r;
}

template <Activation A>
HWY_NOINLINE void activate_span(const float* x, std::size_t n, float* y) {
  in_steps(n, [&](std::size_t i, std::size_t count) HWY_ATTR {
    F16x v = load_first(x + i, count);
    POLYMATH_EACH_PART v.part[i_] = activate_part<A>(v.part[i_]);
    store_first(v, y + i, count);
  });
}

// Calls body with the activation as a constant.
template <class Body>
HWY_INLINE void with_activation(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::kNone: return body(std::integral_constant<Activation, Activation::kNone>());
    case Activation::kGelu: return body(std::integral_constant<Activation, Activation::kGelu>());
    case Activation::kGeluTanh: return body(std::integral_constant<Activation, Activation::kGeluTanh>());
    case Activation::kRelu: return body(std::integral_constant<Activation, Activation::kRelu>());
    case Activation::kSilu: return body(std::integral_constant<Activation, Activation::kSilu>());
    case Activation::kTanh: return body(std::integral_constant<Activation, Activation::kTanh>());
    case Activation::kSigmoid: return body(std::integral_constant<Activation, Activation::kSigmoid>());
    case Activation::kQuickGelu: return body(std::integral_constant<Activation, Activation::kQuickGelu>());
    case Activation::kGelu10: return body(std::integral_constant<Activation, Activation::kGelu10>());
    case Activation::kLaplace: return body(std::integral_constant<Activation, Activation::kLaplace>());
    case Activation::kLeakyRelu: return body(std::integral_constant<Activation, Activation::kLeakyRelu>());
    case Activation::kMish: return body(std::integral_constant<Activation, Activation::kMish>());
    case Activation::kRelu6: return body(std::integral_constant<Activation, Activation::kRelu6>());
    case Activation::kHardSwish: return body(std::integral_constant<Activation, Activation::kHardSwish>());
    case Activation::kRelu2: return body(std::integral_constant<Activation, Activation::kRelu2>());
  }
}

// y = act(x) for n values.
inline void activate_any(Activation activation, const float* x, std::size_t n, float* y) {
  with_activation(activation, [&](auto a) HWY_ATTR { activate_span<a()>(x, n, y); });
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
