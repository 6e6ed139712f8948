// The cell of an LSTM (Hochreiter and Schmidhuber 1997), and its gradient.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/recurrent.cc"
#include "hwy/foreach_target.h"
// clang-format off
#include "kernels/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace polymath::kernels {
namespace HWY_NAMESPACE {

HWY_INLINE F16x sigmoid16(const F16x& x) {
  F16x r;
  POLYMATH_EACH_PART r.part[i_] = sigmoid_part(x.part[i_]);
  return r;
}

HWY_INLINE F16x tanh16(const F16x& x) {
  F16x r;
  POLYMATH_EACH_PART r.part[i_] = tanh_part(x.part[i_]);
  return r;
}

void lstm_cell(float* gates, const float* c_before, std::size_t d, float* c, float* h) {
  in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
    float* at = gates + i;
    const F16x in = sigmoid16(load_first(at, n)), forget = sigmoid16(load_first(at + d, n));
    const F16x cell = tanh16(load_first(at + 2 * d, n)), out = sigmoid16(load_first(at + 3 * d, n));
    const F16x now = fma(forget, load_first(c_before + i, n), mul(in, cell));
    store_first(in, at, n);
    store_first(forget, at + d, n);
    store_first(cell, at + 2 * d, n);
    store_first(out, at + 3 * d, n);
    store_first(now, c + i, n);
    store_first(mul(out, tanh16(now)), h + i, n);
  });
}

void lstm_cell_gradient(float* gates, const float* c_before, const float* c, const float* dh, std::size_t d, float* dc) {
  const F16x one = set16(1.0f);
  in_steps(d, [&](std::size_t i, std::size_t n) HWY_ATTR {
    float* at = gates + i;
    const F16x in = load_first(at, n), forget = load_first(at + d, n), cell = load_first(at + 2 * d, n), out = load_first(at + 3 * d, n);
    const F16x t = tanh16(load_first(c + i, n)), y = load_first(dh + i, n);
    const F16x dnow = fma(mul(y, out), sub(one, mul(t, t)), load_first(dc + i, n));
    const auto of_sigmoid = [&](const F16x& g, const F16x& s) HWY_ATTR { return mul(mul(g, s), sub(one, s)); };
    store_first(of_sigmoid(mul(dnow, cell), in), at, n);
    store_first(of_sigmoid(mul(dnow, load_first(c_before + i, n)), forget), at + d, n);
    store_first(mul(mul(dnow, in), sub(one, mul(cell, cell))), at + 2 * d, n);
    store_first(of_sigmoid(mul(y, t), out), at + 3 * d, n);
    store_first(mul(dnow, forget), dc + i, n);
  });
}

void recurrent_functions(Table& t) {
  t.lstm_cell = lstm_cell;
  t.lstm_cell_gradient = lstm_cell_gradient;
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/dispatch.h"
namespace polymath::kernels {
HWY_EXPORT(recurrent_functions);
void fill_recurrent(Table& t) { HWY_DYNAMIC_DISPATCH(recurrent_functions)(t); }
}  // namespace polymath::kernels
#endif
