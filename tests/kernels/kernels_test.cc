// Each kernel on every instruction set of this machine: against a plain reference, and with the same bits.
#include "kernels/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "formats/dtype.h"
#include "support/same_bits.h"
#include "tensor/weight.h"

namespace polymath {
namespace {

using kernels::Activation;
using kernels::Storage;
using test::random_values;
using test::same_on_all;

kernels::Matmul matmul_of(const std::vector<float>& a, const Weight& w, std::vector<float>& c, std::size_t m) {
  kernels::Matmul x;
  x.a = a.data();
  x.a_stride = static_cast<std::size_t>(w.k());
  x.b = w.panel(0);
  x.panel_stride = static_cast<std::size_t>(w.k()) * 16;
  x.c = c.data();
  x.c_stride = static_cast<std::size_t>(w.n());
  x.m = m;
  x.k = static_cast<std::size_t>(w.k());
  x.n = static_cast<std::size_t>(w.n());
  return x;
}

// act(scale a w^T + bias) + residual by ascending fused multiply-adds: what the contract says, bit by bit.
TEST(Kernels, MatmulAddsInAscendingOrder) {
  for (std::size_t m : {1u, 2u, 5u, 6u, 7u, 12u, 13u, 25u}) {
    for (std::size_t k : {1u, 3u, 16u, 33u, 100u}) {
      for (std::size_t n : {1u, 15u, 16u, 17u, 48u, 70u}) {
        const auto a = random_values(m * k, 1), w = random_values(n * k, 2), residual = random_values(m * n, 3);
        auto bias = random_values((n + 15) / 16 * 16, 4);
        const auto got = same_on_all([&] {
          const Weight packed = Weight::pack(w.data(), static_cast<std::int64_t>(n), static_cast<std::int64_t>(k), Storage::kF32);
          std::vector<float> c(m * n);
          auto x = matmul_of(a, packed, c, m);
          x.epilogue = {.bias = bias.data(), .scale = 0.5f, .residual = residual.data(), .residual_stride = n};
          kernels::table().matmul(Storage::kF32, x);
          return c;
        });
        for (std::size_t i = 0; i < m; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            float sum = 0;
            for (std::size_t x = 0; x < k; ++x) sum = std::fma(a[i * k + x], w[j * k + x], sum);
            ASSERT_EQ(got[i * n + j], sum * 0.5f + bias[j] + residual[i * n + j]) << m << " " << k << " " << n;
          }
        }
      }
    }
  }
}

TEST(Kernels, MatmulInPiecesHasTheBitsOfTheWhole) {
  const std::size_t k = 100;
  for (std::size_t m : {1u, 5u, 13u}) {
    for (std::size_t n : {7u, 16u, 70u}) {
      const auto a = random_values(m * k, 1), w = random_values(n * k, 2);
      const Weight packed = Weight::pack(w.data(), static_cast<std::int64_t>(n), static_cast<std::int64_t>(k), Storage::kF32);
      const auto product = [&](std::initializer_list<std::size_t> ends) {
        std::vector<float> c(m * n, NAN);
        std::size_t begin = 0;
        for (std::size_t end : ends) {
          auto x = matmul_of(a, packed, c, m);
          x.a += begin;
          x.b = static_cast<const float*>(packed.panel(0)) + begin * 16;
          x.k = end - begin;
          x.accumulate = begin > 0;
          kernels::table().matmul(Storage::kF32, x);
          begin = end;
        }
        return c;
      };
      EXPECT_EQ(same_on_all([&] { return product({1, 33, 64, k}); }), product({k})) << m << " " << n;
    }
  }
}

TEST(Kernels, HalfWidthWeightsAreExactlyTheirValues) {
  const std::size_t m = 7, k = 37, n = 35;
  const auto a = random_values(m * k, 1), w = random_values(n * k, 2);
  for (Storage storage : {Storage::kBf16, Storage::kF16}) {
    const auto got = same_on_all([&] {
      const Weight packed = Weight::pack(w.data(), n, k, storage);
      std::vector<float> c(m * n);
      kernels::table().matmul(storage, matmul_of(a, packed, c, m));
      return c;
    });
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        float sum = 0;
        for (std::size_t x = 0; x < k; ++x) {
          float value = w[j * k + x];
          if (storage == Storage::kF16) value = f16_to_f32(f32_to_f16(value));
          else {
            std::uint32_t bits;
            std::memcpy(&bits, &value, 4);
            bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
            std::memcpy(&value, &bits, 4);
          }
          sum = std::fma(a[i * k + x], value, sum);
        }
        ASSERT_EQ(got[i * n + j], sum);
      }
    }
  }
}

// Rows and weights [n, k], both quantized, multiplied from a copy of the panels that begins `apart` bytes into memory.
std::vector<float> quantized_product(const std::vector<float>& a, const Weight& packed, std::size_t m, std::size_t apart) {
  const auto k = static_cast<std::size_t>(packed.k());
  const std::size_t blocks = (k + 31) / 32;
  std::vector<std::int8_t> q(m * blocks * 32);
  std::vector<float> scales(m * blocks), c(m * static_cast<std::size_t>(packed.n()));
  std::vector<std::int32_t> sums(m * blocks);
  const kernels::QuantizedRows rows{q.data(), scales.data(), sums.data(), blocks};
  kernels::table().quantize_rows(a.data(), k, m, k, rows);
  std::vector<std::uint8_t> moved(packed.bytes() + apart);
  std::memcpy(moved.data() + apart, packed.panel(0), packed.bytes());
  const void* b = moved.data() + apart;
  if (packed.storage() == Storage::kQ8) kernels::table().matmul_q8(rows, static_cast<const kernels::Q8Block*>(b), matmul_of(a, packed, c, m));
  else kernels::table().matmul_q4(rows, static_cast<const kernels::Q4Block*>(b), matmul_of(a, packed, c, m));
  return c;
}

// The weights that a panel of q4 storage stands for, [n, k], read as kernels.h describes it.
std::vector<float> read_q4(const Weight& packed) {
  const auto n = static_cast<std::size_t>(packed.n()), k = static_cast<std::size_t>(packed.k());
  std::vector<float> values(n * k);
  for (std::size_t j = 0; j < n; ++j) {
    const auto* panel = static_cast<const kernels::Q4Block*>(packed.panel(static_cast<std::int64_t>(j / 16)));
    for (std::size_t i = 0; i < k; ++i) {
      const kernels::Q4Block& block = panel[i / 32];
      const unsigned both = block.q[i % 16 / 4 * 64 + j % 16 * 4 + i % 4];
      const int q = static_cast<int>(i % 32 < 16 ? both & 15 : both >> 4) - 8;
      values[j * k + i] = f16_to_f32(block.scale[j % 16]) * static_cast<float>(q);
    }
  }
  return values;
}

// Exact sums of products of integers in blocks, one fused multiply-add per block in ascending order: the contract, bit by bit.
TEST(Kernels, Q4IsItsReferenceEverywhere) {
  for (std::size_t m : {1u, 3u, 4u, 5u, 6u, 7u, 13u}) {
    for (std::size_t k : {1u, 20u, 32u, 33u, 100u, 384u}) {
      for (std::size_t n : {1u, 16u, 50u, 130u}) {
        const auto a = random_values(m * k, 1), w = random_values(n * k, 2);
        const Weight packed = Weight::pack(w.data(), static_cast<std::int64_t>(n), static_cast<std::int64_t>(k), Storage::kQ4);
        const auto got = same_on_all([&] { return quantized_product(a, packed, m, 2 * (n % 7)); });
        const auto stored = read_q4(packed);
        const std::size_t blocks = (k + 31) / 32;
        for (std::size_t i = 0; i < m; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            float sum = 0;
            for (std::size_t b = 0; b < blocks; ++b) {
              const std::size_t end = std::min(k, b * 32 + 32);
              float largest = 0;
              for (std::size_t x = b * 32; x < end; ++x) largest = std::max(largest, std::fabs(a[i * k + x]));
              const auto* panel = static_cast<const kernels::Q4Block*>(packed.panel(static_cast<std::int64_t>(j / 16)));
              const float scale = f16_to_f32(panel[b].scale[j % 16]);
              int products = 0;
              for (std::size_t x = b * 32; x < end; ++x) {
                const float unit = largest > 0 ? 127.49f / largest : 0.0f;
                products += static_cast<int>(std::nearbyint(a[i * k + x] * unit)) * static_cast<int>(std::nearbyint(scale != 0 ? stored[j * k + x] / scale : 0));
              }
              sum = std::fma(static_cast<float>(products), scale * (largest / 127.49f), sum);
            }
            ASSERT_EQ(got[i * n + j], sum) << m << " " << k << " " << n << " at " << i << " " << j;
          }
        }
      }
    }
  }
}

// Q4_0 as llama.cpp makes it: the value of largest magnitude is -8 steps.
TEST(Kernels, Q4StoresNoWorseThanQ40AndTheSameEverywhere) {
  constexpr std::size_t n = 64, k = 320;
  for (float scale : {1e-3f, 1.0f, 300.0f}) {
    auto w = random_values(n * k, 3, scale);
    std::fill_n(w.begin(), 64, 0.0f);
    std::fill_n(w.begin() + 64, 32, scale);  // a block of one value
    double error = 0, error_of_q40 = 0;
    const auto stored = same_on_all([&] {
      return read_q4(Weight::pack(w.data(), static_cast<std::int64_t>(n), static_cast<std::int64_t>(k), Storage::kQ4));
    });
    for (std::size_t begin = 0; begin < w.size(); begin += 32) {
      const float* x = w.data() + begin;
      const float largest = *std::max_element(x, x + 32, [](float p, float q) { return std::fabs(p) < std::fabs(q); });
      const float step = f16_to_f32(f32_to_f16(largest / -8)), inverse = largest != 0 ? 1 / (largest / -8) : 0.0f;
      for (std::size_t i = 0; i < 32; ++i) {
        const double q40 = static_cast<double>(step * static_cast<float>(std::min(15, static_cast<int>(x[i] * inverse + 8.5f)) - 8));
        error_of_q40 += std::pow(q40 - static_cast<double>(x[i]), 2);
        error += std::pow(static_cast<double>(stored[begin + i]) - static_cast<double>(x[i]), 2);
      }
    }
    EXPECT_LT(error, 0.9 * error_of_q40) << scale;
  }
}

TEST(Kernels, Q8IsCloseAndTheSameEverywhere) {
  for (std::size_t m : {1u, 4u, 9u}) {
    for (std::size_t k : {20u, 32u, 100u, 384u}) {
      const std::size_t n = 50;
      const auto a = random_values(m * k, 1), w = random_values(n * k, 2);
      const auto got = same_on_all([&] {
        const Weight packed = Weight::pack(w.data(), static_cast<std::int64_t>(n), static_cast<std::int64_t>(k), Storage::kQ8);
        return quantized_product(a, packed, m, 0);
      });
      double error = 0, total = 0;
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          double sum = 0;
          for (std::size_t x = 0; x < k; ++x) sum += static_cast<double>(a[i * k + x]) * static_cast<double>(w[j * k + x]);
          error += (sum - static_cast<double>(got[i * n + j])) * (sum - static_cast<double>(got[i * n + j]));
          total += sum * sum;
        }
      }
      EXPECT_LT(std::sqrt(error / total), 0.01) << m << " " << k;  // two roundings to 8 bits
    }
  }
}

TEST(Kernels, ActivationsAreAccurate) {
  struct Case {
    Activation activation;
    double (*exact)(double);
  };
  const Case cases[] = {
      {Activation::kGelu, [](double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); }},
      {Activation::kGeluTanh, [](double x) { return x / 2 * (1 + std::tanh(0.79788456080286536 * (x + 0.044715 * x * x * x))); }},
      {Activation::kRelu, [](double x) { return x > 0 ? x : 0; }},
      {Activation::kSilu, [](double x) { return x / (1 + std::exp(-x)); }},
      {Activation::kTanh, [](double x) { return std::tanh(x); }},
      {Activation::kSigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {Activation::kQuickGelu, [](double x) { return x / (1 + std::exp(-1.702 * x)); }},
      {Activation::kMish, [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
      {Activation::kLeakyRelu, [](double x) { return x > 0 ? x : 0.01 * x; }},
  };
  std::vector<float> x;
  for (float v = -30; v <= 30; v += 0.00937f) x.push_back(v);
  for (const Case& c : cases) {
    const auto got = same_on_all([&] {
      std::vector<float> y(x.size());
      kernels::table().activate(c.activation, x.data(), x.size(), y.data());
      return y;
    });
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = c.exact(static_cast<double>(x[i]));
      ASSERT_NEAR(static_cast<double>(got[i]), exact, 4e-7 * std::max(1.0, std::fabs(static_cast<double>(x[i])))) << static_cast<int>(c.activation) << " at " << x[i];
    }
  }
}

TEST(Kernels, LayerNormAndSoftmaxOverAnyWidth) {
  for (std::size_t d : {1u, 5u, 15u, 16u, 17u, 100u, 384u}) {
    const std::size_t rows = 3;
    const auto x = random_values(rows * d, 5, 3.0f), w = random_values(d, 6), b = random_values(d, 7);
    const auto normed = same_on_all([&] {
      std::vector<float> y(rows * d);
      kernels::table().layer_norm(x.data(), w.data(), b.data(), 1e-5f, rows, d, y.data());
      return y;
    });
    const auto rms = same_on_all([&] {
      std::vector<float> y(rows * d);
      kernels::table().rms_norm(x.data(), d, w.data(), 1e-5f, rows, d, y.data(), d);
      return y;
    });
    const auto soft = same_on_all([&] {
      std::vector<float> y = x;
      kernels::table().softmax(y.data(), rows, d, d);
      return y;
    });
    for (std::size_t r = 0; r < rows; ++r) {
      double mean = 0, variance = 0, squares = 0, top = -1e30, total = 0;
      for (std::size_t i = 0; i < d; ++i) squares += std::pow(static_cast<double>(x[r * d + i]), 2) / static_cast<double>(d);
      for (std::size_t i = 0; i < d; ++i) mean += static_cast<double>(x[r * d + i]) / static_cast<double>(d);
      for (std::size_t i = 0; i < d; ++i) variance += std::pow(static_cast<double>(x[r * d + i]) - mean, 2) / static_cast<double>(d);
      for (std::size_t i = 0; i < d; ++i) top = std::max(top, static_cast<double>(x[r * d + i]));
      for (std::size_t i = 0; i < d; ++i) total += std::exp(static_cast<double>(x[r * d + i]) - top);
      for (std::size_t i = 0; i < d; ++i) {
        const auto v = static_cast<double>(x[r * d + i]);
        ASSERT_NEAR(static_cast<double>(normed[r * d + i]), (v - mean) / std::sqrt(variance + 1e-5) * static_cast<double>(w[i]) + static_cast<double>(b[i]), 2e-5);
        ASSERT_NEAR(static_cast<double>(rms[r * d + i]), v / std::sqrt(squares + 1e-5) * static_cast<double>(w[i]), 2e-5);
        ASSERT_NEAR(static_cast<double>(soft[r * d + i]), std::exp(v - top) / total, 1e-6);
      }
    }
  }
}

TEST(Kernels, SoftmaxOfHiddenScores) {
  std::vector<float> x = {-INFINITY, -INFINITY, 1.0f, -INFINITY};
  kernels::table().softmax(x.data(), 1, 2, 2);
  EXPECT_EQ(x[0], 0.0f);  // a row without any score
  kernels::table().softmax(x.data() + 2, 1, 2, 2);
  EXPECT_EQ(x[2], 1.0f);
  EXPECT_EQ(x[3], 0.0f);
}

TEST(Kernels, TransposesAnyWidth) {
  for (std::size_t n : {1u, 7u, 8u, 9u, 16u, 50u}) {
    const auto x = random_values(16 * 60, 8);
    same_on_all([&] {
      std::vector<float> y(n * 16);
      kernels::table().transpose16(x.data(), 60, n, y.data());
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t r = 0; r < 16; ++r) EXPECT_EQ(y[i * 16 + r], x[r * 60 + i]);
      }
      return y;
    });
  }
}

TEST(DTypes, HalfFloatsRoundTripAndRoundToEven) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = f16_to_f32(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(f32_to_f16(value), bits);
  }
  EXPECT_EQ(f32_to_f16(1.0f + 1.0f / 2048), 0x3C00);  // halfway: to even
  EXPECT_EQ(f32_to_f16(1.0f + 3.0f / 2048), 0x3C02);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7C00);
  EXPECT_EQ(f32_to_f16(65519.0f), 0x7BFF);
}

}  // namespace
}  // namespace polymath
