// The kernels of gradients on every instruction set of this machine: the same bits, and close to a reference in double.
// What they have to compute is proved op by op in tests/tensor/gradients_test.cc.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/kernels.h"
#include "support/same_bits.h"

namespace polymath {
namespace {

using kernels::Activation;

using test::same_on_all;

std::vector<float> random_values(std::size_t n, unsigned seed) { return test::random_values(n, seed, 1.5f); }

TEST(GradientKernels, OfNormsOverAnyWidth) {
  constexpr float kEps = 1e-3f;
  for (const std::size_t d : {1u, 3u, 15u, 16u, 17u, 40u, 100u}) {
    const std::size_t rows = 3;
    const auto x = random_values(rows * d, 1), dy = random_values(rows * d, 2), weight = random_values(d, 3), sums = random_values(2 * d, 4);
    for (const bool rms : {false, true}) {
      const auto got = same_on_all([&] {
        std::vector<float> all = sums;  // dweight and dbias are added to
        all.resize(2 * d + rows * d, 0.0f);
        float *dweight = all.data(), *dx = all.data() + 2 * d;
        if (rms) kernels::table().rms_norm_gradient(x.data(), weight.data(), kEps, dy.data(), d, rows, d, dx, d, dweight);
        else kernels::table().layer_norm_gradient(x.data(), weight.data(), kEps, dy.data(), rows, d, dx, dweight, dweight + d);
        return all;
      });
      const auto n = static_cast<double>(d);
      std::vector<double> expected(sums.begin(), sums.end());
      for (std::size_t r = 0; r < rows; ++r) {
        const auto at = [&](const std::vector<float>& v, std::size_t i) { return static_cast<double>(v[r * d + i]); };
        double mean = 0, squares = 0, g_mean = 0, gz_mean = 0;
        for (std::size_t i = 0; i < d; ++i) mean += rms ? 0 : at(x, i) / n;
        for (std::size_t i = 0; i < d; ++i) squares += std::pow(at(x, i) - mean, 2) / n;
        const double scale = 1 / std::sqrt(squares + static_cast<double>(kEps));
        for (std::size_t i = 0; i < d; ++i) {
          const double g = at(dy, i) * static_cast<double>(weight[i]), z = (at(x, i) - mean) * scale;
          g_mean += rms ? 0 : g / n;
          gz_mean += g * z / n;
          expected[i] += at(dy, i) * z;
          if (!rms) expected[d + i] += at(dy, i);
        }
        for (std::size_t i = 0; i < d; ++i) {
          expected.push_back(scale * (at(dy, i) * static_cast<double>(weight[i]) - g_mean - (at(x, i) - mean) * scale * gz_mean));
        }
      }
      for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(static_cast<double>(got[i]), expected[i], 2e-5 * (1 + std::fabs(expected[i]))) << d << " " << rms << " " << i;
    }
  }
}

TEST(GradientKernels, OfSoftmaxOverAnyWidth) {
  for (const std::size_t n : {1u, 15u, 16u, 33u}) {
    const std::size_t rows = 2, stride = n + 5;
    auto p = random_values(rows * stride, 1);
    kernels::table().softmax(p.data(), rows, n, stride);
    const auto dp = random_values(rows * stride, 2);
    const auto got = same_on_all([&] {
      auto ds = dp;
      kernels::table().softmax_gradient(p.data(), ds.data(), rows, n, stride);
      return ds;
    });
    for (std::size_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(p[r * stride + i]) * static_cast<double>(dp[r * stride + i]);
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t at = r * stride + i;
        ASSERT_NEAR(static_cast<double>(got[at]), static_cast<double>(p[at]) * (static_cast<double>(dp[at]) - sum), 1e-6);
      }
      for (std::size_t i = n; i < stride; ++i) ASSERT_EQ(got[r * stride + i], dp[r * stride + i]);  // what lies between rows stays
    }
  }
}

TEST(GradientKernels, OfActivationsHaveTheSameBitsEverywhere) {
  const auto x = random_values(100, 1), dy = random_values(100, 2);
  for (int a = 0; a <= static_cast<int>(Activation::kHardSwish); ++a) {
    for (const std::size_t n : {1u, 15u, 16u, 100u}) {
      same_on_all([&] {
        std::vector<float> dx(n);
        kernels::table().activate_gradient(static_cast<Activation>(a), x.data(), dy.data(), n, dx.data());
        return dx;
      });
    }
  }
}

TEST(GradientKernels, OfAnLstmsCellOverAnyWidth) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (const std::size_t d : {1u, 15u, 16u, 37u}) {
    const auto gates = random_values(4 * d, 1), before = random_values(d, 2), dh = random_values(d, 3), dc = random_values(d, 4);
    const auto got = same_on_all([&] {
      std::vector<float> all(gates);  // gates, c, h; then the gradients of gates and of the cells before
      all.resize(6 * d);
      kernels::table().lstm_cell(all.data(), before.data(), d, all.data() + 4 * d, all.data() + 5 * d);
      all.insert(all.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(4 * d));
      all.insert(all.end(), dc.begin(), dc.end());
      float* changed = all.data() + 6 * d;
      kernels::table().lstm_cell_gradient(changed, before.data(), all.data() + 4 * d, dh.data(), d, changed + 4 * d);
      return all;
    });
    for (std::size_t i = 0; i < d; ++i) {
      const auto gate = [&](std::size_t which) { return static_cast<double>(gates[which * d + i]); };
      const double in = sigmoid(gate(0)), forget = sigmoid(gate(1)), cell = std::tanh(gate(2)), out = sigmoid(gate(3)), b = static_cast<double>(before[i]);
      const double c = forget * b + in * cell, t = std::tanh(c), y = static_cast<double>(dh[i]), dnow = static_cast<double>(dc[i]) + y * out * (1 - t * t);
      const double expected[] = {in, forget, cell, out, c, out * t, dnow * cell * in * (1 - in), dnow * b * forget * (1 - forget), dnow * in * (1 - cell * cell),
                                 y * t * out * (1 - out), dnow * forget};
      for (std::size_t k = 0; k < 11; ++k) ASSERT_NEAR(static_cast<double>(got[k * d + i]), expected[k], 1e-5) << d << " " << i << " " << k;
    }
  }
}

TEST(GradientKernels, ScaleAdds) {
  for (const std::size_t n : {1u, 16u, 37u}) {
    const auto x = random_values(n, 1), y = random_values(n, 2);
    const auto got = same_on_all([&] {
      auto sum = y;
      kernels::table().scale_add(x.data(), 0.7f, n, sum.data());
      return sum;
    });
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(got[i], std::fma(x[i], 0.7f, y[i]));
  }
}

}  // namespace
}  // namespace polymath
