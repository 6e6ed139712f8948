// Kernels that only training runs: the gradients of those in rowwise.cc.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gradients.cc"
#include "hwy/foreach_target.h"
// clang-format off
#include "kernels/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace polymath::kernels {
namespace HWY_NAMESPACE {

// With z = (x - mean) * scale and g = dy * weight: dx = scale (g - mean(g) - z mean(g z)).
void layer_norm_gradient(const float* x, const float* weight, float eps, const float* dy, std::size_t rows, std::size_t d, float* dx,
                         float* dweight, float* dbias) {
  const float over_d = 1.0f / static_cast<float>(d);
  for (std::size_t r = 0; r < rows; ++r, x += d, dy += d, dx += d) {
    F16x sum = set16(0.0f);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR { sum = add(sum, load_first(x + i, n)); });
    const F16x mean = set16(sum_lanes(sum) * over_d);
    F16x squares = set16(0.0f);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
      const F16x c = keep_first(sub(load_first(x + i, n), mean), n);
      squares = fma(c, c, squares);
    });
    const F16x scale = set16(1.0f / std::sqrt(sum_lanes(squares) * over_d + eps));
    F16x g_sum = set16(0.0f), gz_sum = set16(0.0f);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
      const F16x z = mul(sub(load_first(x + i, n), mean), scale), g = mul(load_first(dy + i, n), load_first(weight + i, n));
      g_sum = add(g_sum, g);
      gz_sum = fma(g, z, gz_sum);  // g is 0 beyond n
    });
    const F16x g_mean = set16(sum_lanes(g_sum) * over_d), gz_mean = set16(-sum_lanes(gz_sum) * over_d);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
      const F16x z = mul(sub(load_first(x + i, n), mean), scale), y = load_first(dy + i, n), g = mul(y, load_first(weight + i, n));
      store_first(mul(scale, fma(z, gz_mean, sub(g, g_mean))), dx + i, n);
      store_first(fma(y, z, load_first(dweight + i, n)), dweight + i, n);
      if (dbias) store_first(add(y, load_first(dbias + i, n)), dbias + i, n);
    });
  }
}

// With z = x * scale and g = dy * weight: dx = scale (g - z mean(g z)).
void rms_norm_gradient(const float* x, const float* weight, float eps, const float* dy, std::size_t dy_stride, std::size_t rows, std::size_t d, float* dx,
                       std::size_t dx_stride, float* dweight) {
  const float over_d = 1.0f / static_cast<float>(d);
  for (std::size_t r = 0; r < rows; ++r, x += d, dy += dy_stride, dx += dx_stride) {
    F16x squares = set16(0.0f);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
      const F16x v = load_first(x + i, n);
      squares = fma(v, v, squares);
    });
    const F16x scale = set16(1.0f / std::sqrt(sum_lanes(squares) * over_d + eps));
    F16x gz_sum = set16(0.0f);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
      gz_sum = fma(mul(load_first(dy + i, n), load_first(weight + i, n)), mul(load_first(x + i, n), scale), gz_sum);
    });
    const F16x gz_mean = set16(-sum_lanes(gz_sum) * over_d);
    in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
      const F16x z = mul(load_first(x + i, n), scale), y = load_first(dy + i, n);
      store_first(fma(y, z, load_first(dweight + i, n)), dweight + i, n);
      store_first(mul(scale, fma(z, gz_mean, mul(y, load_first(weight + i, n)))), dx + i, n);
    });
  }
}

// dx = p (dp - sum(p dp)), in place of dp.
void softmax_gradient(const float* p, float* dp, std::size_t rows, std::size_t n, std::size_t stride) {
  for (std::size_t r = 0; r < rows; ++r, p += stride, dp += stride) {
    F16x sum = set16(0.0f);
    in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR { sum = fma(load_first(p + i, m), load_first(dp + i, m), sum); });
    const F16x all = set16(sum_lanes(sum));
    in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR {
      store_first(mul(load_first(p + i, m), sub(load_first(dp + i, m), all)), dp + i, m);
    });
  }
}

// The derivative of activate_part<A>.
template <Activation A>
HWY_INLINE VF slope_part(VF x) {
  const DF d;
  const VF zero = hn::Zero(d), one = hn::Set(d, 1.0f);
  if constexpr (A == Activation::kNone) {
    return one;
  } else if constexpr (A == Activation::kGelu) {
    // (1 + erf(x / sqrt 2)) / 2 + x exp(-x^2 / 2) / sqrt(2 pi)
    const VF half = hn::Set(d, 0.5f);
    const VF normal = hn::Mul(hn::Set(d, 0.39894228f), exp_part(hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5f))));
    return fma(x, normal, fma(half, erf_part(hn::Mul(x, hn::Set(d, 0.70710678f))), half));
  } else if constexpr (A == Activation::kGeluTanh) {
    const VF square = hn::Mul(x, x), half = hn::Set(d, 0.5f), c = hn::Set(d, 0.79788456f);
    const VF t = tanh_part(hn::Mul(hn::Mul(c, x), fma(hn::Set(d, 0.044715f), square, one)));
    const VF inner = hn::Mul(c, fma(hn::Set(d, 3 * 0.044715f), square, one));
    const VF rest = hn::Sub(one, hn::Mul(t, t));
    return fma(hn::Mul(hn::Mul(half, x), rest), inner, fma(half, t, half));
  } else if constexpr (A == Activation::kRelu) {
    return hn::IfThenElseZero(hn::Gt(x, zero), one);
  } else if constexpr (A == Activation::kSilu || A == Activation::kQuickGelu) {
    const VF a = hn::Set(d, A == Activation::kSilu ? 1.0f : 1.702f), ax = hn::Mul(a, x);
    const VF s = sigmoid_part(ax);
    return hn::Mul(s, fma(ax, hn::Sub(one, s), one));
  } else if constexpr (A == Activation::kTanh) {
    const VF t = tanh_part(x);
    return hn::Sub(one, hn::Mul(t, t));
  } else if constexpr (A == Activation::kSigmoid) {
    const VF s = sigmoid_part(x);
    return hn::Mul(s, hn::Sub(one, s));
  } else if constexpr (A == Activation::kGelu10) {
    const VF y = activate_part<Activation::kGelu>(x);
    return hn::IfThenElseZero(hn::Lt(hn::Abs(y), hn::Set(d, 10.0f)), slope_part<Activation::kGelu>(x));
  } else if constexpr (A == Activation::kLaplace) {
    // exp(-z^2) / sqrt(pi) / (sigma sqrt 2)
    constexpr float kWidth = 0.282095f * 1.41421356f;
    const VF z = hn::Div(hn::Sub(x, hn::Set(d, 0.707107f)), hn::Set(d, kWidth));
    return hn::Mul(hn::Set(d, 0.56418958f / kWidth), exp_part(hn::Neg(hn::Mul(z, z))));
  } else if constexpr (A == Activation::kLeakyRelu) {
    return hn::IfThenElse(hn::Gt(x, zero), one, hn::Set(d, 0.01f));
  } else if constexpr (A == Activation::kMish) {
    // w + x (1 - w^2) sigmoid(x), w = tanh(log(1 + e^x)) as in activate_part
    const VF e = exp_part(hn::Min(x, hn::Set(d, 20.0f)));
    const VF t = hn::Mul(e, hn::Add(e, hn::Set(d, 2.0f)));
    const VF w = hn::Div(t, hn::Add(t, hn::Set(d, 2.0f)));
    return fma(hn::Mul(x, hn::Sub(one, hn::Mul(w, w))), sigmoid_part(x), w);
  } else if constexpr (A == Activation::kRelu6) {
    return hn::IfThenElseZero(hn::And(hn::Gt(x, zero), hn::Lt(x, hn::Set(d, 6.0f))), one);
  } else if constexpr (A == Activation::kHardSwish) {
    const VF inside = fma(x, hn::Set(d, 1.0f / 3), hn::Set(d, 0.5f));
    const VF below = hn::IfThenElseZero(hn::Gt(x, hn::Set(d, -3.0f)), inside);
    return hn::IfThenElse(hn::Lt(x, hn::Set(d, 3.0f)), below, one);
  } else if constexpr (A == Activation::kRelu2) {
    return hn::Mul(hn::Set(d, 2.0f), hn::Max(x, zero));
  }
}

template <Activation A>
HWY_NOINLINE void slope_span(const float* x, const float* dy, std::size_t n, float* dx) {
  in_steps(n, [&](std::size_t i, std::size_t count) HWY_ATTR {
    F16x v = load_first(x + i, count);
    POLYMATH_EACH_PART v.part[i_] = slope_part<A>(v.part[i_]);
    store_first(mul(v, load_first(dy + i, count)), dx + i, count);
  });
}

void activate_gradient(Activation activation, const float* x, const float* dy, std::size_t n, float* dx) {
  with_activation(activation, [&](auto a) HWY_ATTR { slope_span<a()>(x, dy, n, dx); });
}

void scale_add(const float* x, float factor, std::size_t n, float* y) {
  in_steps(n, [&](std::size_t i, std::size_t m) HWY_ATTR { store_first(fma(load_first(x + i, m), set16(factor), load_first(y + i, m)), y + i, m); });
}

void gradient_functions(Table& t) {
  t.layer_norm_gradient = layer_norm_gradient;
  t.rms_norm_gradient = rms_norm_gradient;
  t.softmax_gradient = softmax_gradient;
  t.activate_gradient = activate_gradient;
  t.scale_add = scale_add;
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/dispatch.h"
namespace polymath::kernels {
HWY_EXPORT(gradient_functions);
void fill_gradients(Table& t) { HWY_DYNAMIC_DISPATCH(gradient_functions)(t); }
}  // namespace polymath::kernels
#endif
