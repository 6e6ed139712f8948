#include "nn/scalar_math.h"

#include <cstdint>
#include <cstring>

namespace polymath {

// Plain double arithmetic throughout; the build never fuses a*b+c (-ffp-contract=off).

SinCos scalar_sin_cos(double x) {
  // x = n pi/2 + r with pi/2 in three parts (Cody and Waite): n times the first two is exact for |n| < 2^20.
  constexpr double kPart1 = 1.57079632673412561417e+00, kPart2 = 6.07710050630396597660e-11, kPart3 = 2.02226624879595063154e-21;
  const double scaled = x * 0.63661977236758134308;
  const auto n = static_cast<std::int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const auto nd = static_cast<double>(n);
  const double r = ((x - nd * kPart1) - nd * kPart2) - nd * kPart3;
  const double t = r * r;
  double s = 0, c = 0;  // Taylor series, |r| <= pi/4: the first term left out is below 1e-17
  for (int k = 19; k >= 3; k -= 2) s = (s + 1) * -t / (k * (k - 1));
  for (int k = 20; k >= 2; k -= 2) c = (c + 1) * -t / (k * (k - 1));
  const double sine = r * (s + 1), cosine = c + 1;
  switch (n & 3) {
    case 0: return {sine, cosine};
    case 1: return {cosine, -sine};
    case 2: return {-sine, -cosine};
    default: return {-cosine, sine};
  }
}

double scalar_log(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, 8);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  bits = (bits & 0xFFFFFFFFFFFFFull) | (1023ull << 52);
  double m;
  std::memcpy(&m, &bits, 8);  // [1, 2)
  if (m > 1.41421356237309504880) m *= 0.5, ++exponent;
  // log m = 2 artanh(z), z = (m-1)/(m+1), |z| <= 0.172
  const double z = (m - 1) / (m + 1), t = z * z;
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * t + 1.0 / k;
  return 2 * z * sum + static_cast<double>(exponent) * 0.69314718055994530942;
}

double scalar_exp(double x) {
  const double scaled = x * 1.44269504088896340736;
  const auto n = static_cast<std::int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const double r = (x - static_cast<double>(n) * 6.93147180369123816490e-01) - static_cast<double>(n) * 1.90821492927058770002e-10;
  double sum = 1;
  for (int k = 17; k >= 1; --k) sum = 1 + sum * r / k;
  const std::uint64_t bits = static_cast<std::uint64_t>(n + 1023) << 52;
  double scale;
  std::memcpy(&scale, &bits, 8);
  return sum * scale;
}

double scalar_pow(double x, double y) { return scalar_exp(y * scalar_log(x)); }

}  // namespace polymath
