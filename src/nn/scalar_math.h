// Elementary functions in double, the same bits on every machine: libm picks its variants by processor.
// Good to about 1e-15; results are rounded to float32.
#pragma once

namespace polymath {

struct SinCos {
  double sin, cos;
};

SinCos scalar_sin_cos(double x);  // |x| < 1e7
double scalar_log(double x);      // x > 0, normal
double scalar_exp(double x);      // |x| < 700
double scalar_pow(double x, double y);

}  // namespace polymath
