// The machine's own limits, to hold a measured speed against: multiply-adds from registers, reads from memory.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/limits.cc"
#include "hwy/foreach_target.h"
// clang-format off
#include "kernels/lanes-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace polymath::kernels {
namespace HWY_NAMESPACE {

// Twelve independent sums hide the latency of the multiply-add on every current processor.
double multiply_add_loop(std::size_t rounds) {
  const DF d;
  const VF x = hn::Set(d, 0.999f), y = hn::Set(d, 1e-3f);
  const auto start = [&](float value) HWY_ATTR { return hn::Set(d, value); };  // all different, or the compiler merges them
  VF a = start(1), b = start(2), c = start(3), e = start(4), f = start(5), g = start(6);
  VF h = start(7), i = start(8), j = start(9), k = start(10), l = start(11), m = start(12);
  for (std::size_t round = 0; round < rounds; ++round) {
    a = fma(a, x, y), b = fma(b, x, y), c = fma(c, x, y), e = fma(e, x, y), f = fma(f, x, y), g = fma(g, x, y);
    h = fma(h, x, y), i = fma(i, x, y), j = fma(j, x, y), k = fma(k, x, y), l = fma(l, x, y), m = fma(m, x, y);
  }
  a = hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(hn::Add(f, g), hn::Add(h, i)));
  volatile float keep = hn::GetLane(hn::Add(hn::Add(a, j), hn::Add(k, hn::Add(l, m))));  // the loop must not be removed
  (void)keep;
  return 2.0 * 12.0 * static_cast<double>(kPartLanes) * static_cast<double>(rounds);
}

std::uint64_t read_loop(const std::uint64_t* data, std::size_t n) {
  const hn::CappedTag<std::uint64_t, 8> d;
  const std::size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(d, data + i));
    b = hn::Add(b, hn::LoadU(d, data + i + lanes));
    c = hn::Add(c, hn::LoadU(d, data + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(d, data + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

void limits_functions(Table& t) {
  t.multiply_add_loop = multiply_add_loop;
  t.read_loop = read_loop;
}

}  // namespace HWY_NAMESPACE
}  // namespace polymath::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/dispatch.h"
namespace polymath::kernels {
HWY_EXPORT(limits_functions);
void fill_limits(Table& t) { HWY_DYNAMIC_DISPATCH(limits_functions)(t); }
}  // namespace polymath::kernels
#endif
