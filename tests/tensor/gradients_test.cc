// Every op's gradient against finite differences of a reference in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <optional>
#include <random>

#include "base/threads.h"
#include "polymath/error.h"
#include "tensor/attention_head.h"
#include "tensor/dropout.h"
#include "tensor/lstm.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

using Doubles = std::vector<double>;

std::vector<float> random_values(std::int64_t n, unsigned seed, float scale = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& v : values) v = normal(random);
  return values;
}

Tensor random_tensor(std::initializer_list<std::int64_t> shape, unsigned seed, float scale = 1.0f) {
  Tensor t(shape);
  const auto values = random_values(t.size(), seed, scale);
  std::memcpy(t.data(), values.data(), values.size() * sizeof(float));
  return t;
}

// Parameters made of random numbers.
class Trained {
 public:
  const TensorView& view(const std::string& name, std::vector<std::int64_t> shape, unsigned seed, float around = 0) {
    std::int64_t n = 1;
    for (const std::int64_t x : shape) n *= x;
    auto& values = memory_.emplace_back(random_values(n, seed, 0.5f));
    for (float& v : values) v += around;
    views_.push_back({.name = name, .shape = std::move(shape), .data = {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)}});
    return store_.of(views_.back());
  }
  std::vector<Parameter*> all() const { return store_.all(); }
  ParameterStore& store() { return store_; }

 private:
  std::deque<std::vector<float>> memory_;
  std::deque<TensorView> views_;
  ParameterStore store_;
};

// The op's gradients for inputs and parameters, given the gradient of its result, against central differences of the reference,
// which gets inputs, then parameters by name. The result's own values are compared too.
void expect_gradients(std::vector<Tensor> inputs, Trained& trained, const std::function<Tensor(std::vector<Tensor>&)>& op,
                      const std::function<Doubles(const std::vector<Doubles>&)>& reference, double tolerance = 2e-5) {
  std::vector<Doubles> at;
  for (const Tensor& x : inputs) at.emplace_back(x.values().begin(), x.values().end());
  for (const Parameter* p : trained.all()) at.emplace_back(p->values.begin(), p->values.end());

  Tape tape;
  std::vector<Tensor> leaves;
  Tensor y, dy;
  std::vector<Tensor> in;
  {
    const Tape::Recording recording(&tape);
    for (Tensor& x : inputs) {
      in.push_back(copy_of(x));
      in.back().set_node(std::make_shared<TapeNode>());
    }
    leaves = in;
    y = op(in);
  }
  const Doubles expected = reference(at);
  ASSERT_EQ(static_cast<std::size_t>(y.size()), expected.size());
  double largest = 0;
  for (const double e : expected) largest = std::max(largest, std::fabs(e));
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(static_cast<double>(y.data()[i]), expected[i], 1e-5 * largest) << "value " << i;
  dy = random_tensor({y.size()}, 99);
  tape.backward(y, copy_of(dy));

  const auto sum = [&](const std::vector<Doubles>& x) {
    const Doubles values = reference(x);
    double total = 0;
    for (std::size_t i = 0; i < values.size(); ++i) total += values[i] * static_cast<double>(dy.data()[i]);
    return total;
  };
  for (std::size_t which = 0; which < at.size(); ++which) {
    const bool is_input = which < inputs.size();
    const float* got = is_input ? leaves[which].node()->gradient.data() : trained.all()[which - inputs.size()]->gradient.data();
    Doubles differences;
    double most = 0;
    for (double& x : at[which]) {
      const double before = x, h = 1e-5;
      x = before + h;
      const double above = sum(at);
      x = before - h;
      differences.push_back((above - sum(at)) / (2 * h));
      x = before;
      most = std::max(most, std::fabs(differences.back()));
    }
    ASSERT_GT(most, 0) << "input " << which << " does not matter";
    for (std::size_t i = 0; i < differences.size(); ++i) {
      ASSERT_NEAR(static_cast<double>(got[i]), differences[i], tolerance * most + 1e-7) << (is_input ? "input " : "parameter ") << which << " at " << i;
    }
  }
}

double activated(Activation a, double x) {
  const auto gelu = [](double v) { return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))); };
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  switch (a) {
    case Activation::kNone: return x;
    case Activation::kGelu: return gelu(x);
    case Activation::kGeluTanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kRelu: return std::max(x, 0.0);
    case Activation::kSilu: return x * sigmoid(x);
    case Activation::kTanh: return std::tanh(x);
    case Activation::kSigmoid: return sigmoid(x);
    case Activation::kQuickGelu: return x * sigmoid(1.702 * x);
    case Activation::kRelu2: return std::max(x, 0.0) * std::max(x, 0.0);
    case Activation::kGelu10: return std::clamp(gelu(x), -10.0, 10.0);
    case Activation::kLaplace: return 0.5 * (1 + std::erf((x - 0.707107) / (0.282095 * std::sqrt(2.0))));
    case Activation::kLeakyRelu: return x > 0 ? x : 0.01 * x;
    case Activation::kMish: return x * std::tanh(std::log1p(std::exp(x)));
    case Activation::kRelu6: return std::clamp(x, 0.0, 6.0);
    case Activation::kHardSwish: return x * std::clamp(x + 3, 0.0, 6.0) / 6;
  }
  return 0;
}

TEST(Gradients, OfActivations) {
  for (int a = 0; a <= static_cast<int>(Activation::kHardSwish); ++a) {
    const auto activation = static_cast<Activation>(a);
    SCOPED_TRACE(a);
    for (std::int64_t n : {17, 31, 160}) {
      Trained none;
      expect_gradients({random_tensor({n}, static_cast<unsigned>(a), 3.0f)}, none, [&](auto& x) { return activate(x[0], activation); },
                       [&](const auto& x) {
                         Doubles y;
                         for (const double v : x[0]) y.push_back(activated(activation, v));
                         return y;
                       });
    }
  }
}

// rows of [k] times w^T, w: [n, k] -> [rows, n]
Doubles product(const Doubles& x, const Doubles& w, std::size_t k) {
  const std::size_t rows = x.size() / k, n = w.size() / k;
  Doubles y(rows * n, 0.0);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < k; ++j) y[r * n + i] += x[r * k + j] * w[i * k + j];
    }
  }
  return y;
}

TEST(Gradients, OfLinearLayers) {
  for (const auto& [rows, k, n] : {std::tuple<std::int64_t, std::int64_t, std::int64_t>{1, 1, 1}, {7, 19, 5}, {33, 16, 40}, {3, 35, 16}}) {
    for (const Activation activation : {Activation::kNone, Activation::kGelu}) {
      Trained t;
      const TensorView* parts[] = {&t.view("w0", {n, k}, 1), &t.view("w1", {2, k}, 2)};
      const Weight w = Weight::pack(parts, LoadType::kF32);
      Vector bias(n + 2);
      bias.place(t.view("a", {n}, 3), 0);
      bias.place(t.view("b", {2}, 4), n);
      const auto width = static_cast<std::size_t>(n + 2);
      expect_gradients({random_tensor({rows, k}, 5), random_tensor({rows, n + 2}, 6)}, t,
                       [&](auto& x) { return linear(x[0], w, {.bias = &bias, .activation = activation, .scale = 0.5f, .residual = &x[1]}); },
                       [&](const auto& x) {  // x, residual, a, b, w0, w1
                         Doubles all = x[4], biases = x[2];
                         all.insert(all.end(), x[5].begin(), x[5].end());
                         biases.insert(biases.end(), x[3].begin(), x[3].end());
                         Doubles y = product(x[0], all, static_cast<std::size_t>(k));
                         for (std::size_t i = 0; i < y.size(); ++i) y[i] = activated(activation, 0.5 * y[i] + biases[i % width]) + x[1][i];
                         return y;
                       });
    }
  }
}

TEST(Gradients, OfTransposedAndStridedWeights) {
  const std::int64_t rows = 9, k = 11, n = 18;
  {
    Trained t;
    const TensorView* one[] = {&t.view("w", {k, n}, 1)};
    const Weight w = Weight::pack(one, LoadType::kF32, /*transposed=*/true);
    expect_gradients({random_tensor({rows, k}, 2)}, t, [&](auto& x) { return linear(x[0], w); },
                     [&](const auto& x) {
                       Doubles turned(x[1].size());
                       for (std::size_t i = 0; i < 18; ++i) {
                         for (std::size_t j = 0; j < 11; ++j) turned[i * 11 + j] = x[1][j * 18 + i];
                       }
                       return product(x[0], turned, 11);
                     });
  }
  Trained t;  // every third value of [n, 3 k], as a convolution's tap
  const TensorView& view = t.view("w", {n, 3 * k}, 1);
  const Weight w = Weight::pack({{view.data.data() + 4, DType::kF32, n, 3 * k, 3, view.parameter}}, k, LoadType::kF32);
  expect_gradients({random_tensor({rows, k}, 2)}, t, [&](auto& x) { return linear(x[0], w); },
                   [&](const auto& x) {
                     Doubles taken;
                     for (std::size_t i = 1; i < x[1].size(); i += 3) taken.push_back(x[1][i]);
                     return product(x[0], taken, 11);
                   });
}

TEST(Gradients, FollowRefreshedParameters) {
  Trained t;
  const TensorView* one[] = {&t.view("w", {20, 7}, 1)};
  const Weight w = Weight::pack(one, LoadType::kF32);
  const Vector v(t.view("v", {5}, 2), /*offset=*/1);
  const Tensor x = random_tensor({3, 7}, 3);
  const Tensor before = linear(x, w);
  for (Parameter* p : t.all()) {
    for (float& value : p->values) value *= 2;
  }
  t.store().refresh();
  const Tensor after = linear(x, w);
  for (std::int64_t i = 0; i < before.size(); ++i) EXPECT_EQ(after.data()[i], 2 * before.data()[i]);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(v[i], t.all()[0]->values[i] + 1);
}

TEST(Gradients, OfNorms) {
  for (const auto& [rows, d] : {std::pair<std::int64_t, std::int64_t>{1, 3}, {70, 37}, {5, 32}}) {
    const auto width = static_cast<std::size_t>(d);
    Trained t;
    const Vector weight(t.view("w", {d}, 1, 1.0f)), bias(t.view("b", {d}, 2));  // named so that b comes first
    expect_gradients({random_tensor({rows, d}, 3)}, t, [&](auto& x) { return layer_norm(x[0], weight, bias, 1e-3f); },
                     [&](const auto& x) {
                       Doubles y;
                       for (std::size_t r = 0; r < x[0].size(); r += width) {
                         double mean = 0, squares = 0;
                         for (std::size_t i = 0; i < width; ++i) mean += x[0][r + i] / static_cast<double>(width);
                         for (std::size_t i = 0; i < width; ++i) squares += std::pow(x[0][r + i] - mean, 2) / static_cast<double>(width);
                         for (std::size_t i = 0; i < width; ++i) y.push_back((x[0][r + i] - mean) / std::sqrt(squares + static_cast<double>(1e-3f)) * x[2][i] + x[1][i]);
                       }
                       return y;
                     });
    Trained rms;
    const Vector scale(rms.view("w", {d}, 1), /*offset=*/1);
    expect_gradients({random_tensor({rows, d}, 3)}, rms, [&](auto& x) { return rms_norm(x[0], scale, 1e-3f); },
                     [&](const auto& x) {
                       Doubles y;
                       for (std::size_t r = 0; r < x[0].size(); r += width) {
                         double squares = 0;
                         for (std::size_t i = 0; i < width; ++i) squares += std::pow(x[0][r + i], 2) / static_cast<double>(width);
                         for (std::size_t i = 0; i < width; ++i) y.push_back(x[0][r + i] / std::sqrt(squares + static_cast<double>(1e-3f)) * (x[1][i] + 1));
                       }
                       return y;
                     });
  }
  Trained t;  // two heads of 5 from column 3 on, of 15
  const Vector weight(t.view("w", {5}, 1, 1.0f));
  expect_gradients({random_tensor({40, 15}, 3)}, t,
                   [&](auto& x) {
                     rms_norm_heads(x[0], 3, 2, weight, 1e-3f);
                     return x[0];
                   },
                   [&](const auto& x) {
                     Doubles y = x[0];
                     for (std::size_t begin = 3; begin < y.size(); begin += begin % 15 == 3 ? 5 : 10) {
                       double squares = 0;
                       for (std::size_t i = 0; i < 5; ++i) squares += y[begin + i] * y[begin + i] / 5;
                       for (std::size_t i = 0; i < 5; ++i) y[begin + i] *= x[1][i] / std::sqrt(squares + static_cast<double>(1e-3f));
                     }
                     return y;
                   });
}

TEST(Gradients, OfSmallOps) {
  Trained none;
  const auto elementwise = [&](const std::function<Tensor(const Tensor&, const Tensor&)>& op, const std::function<double(double, double)>& f) {
    expect_gradients({random_tensor({3, 7}, 1), random_tensor({3, 7}, 2)}, none, [&](auto& x) { return op(x[0], x[1]); },
                     [&](const auto& x) {
                       Doubles y;
                       for (std::size_t i = 0; i < x[0].size(); ++i) y.push_back(f(x[0][i], x[1][i]));
                       return y;
                     });
  };
  elementwise([](const Tensor& a, const Tensor& b) { return add(scaled(a, 3.0f), b); }, [](double a, double b) { return 3 * a + b; });
  elementwise([](const Tensor& a, const Tensor& b) { return multiply(a, b); }, [](double a, double b) { return a * b; });
  elementwise([](const Tensor& a, const Tensor& b) { return add(add(a, a), b); }, [](double a, double b) { return 2 * a + b; });
  elementwise([](const Tensor& a, const Tensor& b) { return multiply(softcapped(a, 2.0f), b); }, [](double a, double b) { return 2 * std::tanh(a / 2) * b; });

  expect_gradients({random_tensor({4, 14}, 1)}, none, [](auto& x) { return gated(x[0], Activation::kSilu); },
                   [](const auto& x) {
                     Doubles y;
                     for (std::size_t r = 0; r < 4; ++r) {
                       for (std::size_t i = 0; i < 7; ++i) y.push_back(activated(Activation::kSilu, x[0][r * 14 + i]) * x[0][r * 14 + 7 + i]);
                     }
                     return y;
                   });
  const std::vector<std::int32_t> rows{2, 0, -1, 2}, cleared{1};
  const std::vector<std::vector<std::int32_t>> groups{{0, 2, 3}, {1}};
  expect_gradients({random_tensor({4, 6}, 1)}, none,
                   [&](auto& x) {
                     Tensor y = take_rows(x[0], rows);
                     clear_rows(y, cleared, 2, 5);
                     const Tensor parts[] = {take_columns(y, 4, 6), take_columns(y, 0, 3)};
                     return mean_of_rows(join_columns(parts), groups);
                   },
                   [&](const auto& x) {
                     const auto at = [&](std::size_t row, std::size_t c) {
                       return rows[row] < 0 || (row == 1 && c >= 2 && c < 5) ? 0.0 : x[0][static_cast<std::size_t>(rows[row]) * 6 + c];
                     };
                     Doubles y;
                     for (const auto& group : groups) {
                       for (const std::size_t c : {4, 5, 0, 1, 2}) {
                         double sum = 0;
                         for (const std::int32_t r : group) sum += at(static_cast<std::size_t>(r), c);
                         y.push_back(sum / static_cast<double>(group.size()));
                       }
                     }
                     return y;
                   });
  expect_gradients({random_tensor({5, 19}, 1)}, none,
                   [](auto& x) {
                     softmax_rows(x[0]);
                     return x[0];
                   },
                   [](const auto& x) {
                     Doubles y;
                     for (std::size_t r = 0; r < x[0].size(); r += 19) {
                       double sum = 0;
                       for (std::size_t i = 0; i < 19; ++i) sum += std::exp(x[0][r + i]);
                       for (std::size_t i = 0; i < 19; ++i) y.push_back(std::exp(x[0][r + i]) / sum);
                     }
                     return y;
                   });
}

TEST(Gradients, OfRotationsAndTables) {
  Trained none;
  const Tensor angles = random_tensor({3, 2}, 7);
  Tensor cos({3, 2}), sin({3, 2});
  for (std::int64_t i = 0; i < 6; ++i) {
    cos.data()[i] = std::cos(angles.data()[i]);
    sin.data()[i] = std::sin(angles.data()[i]);
  }
  expect_gradients({random_tensor({3, 13}, 1)}, none,
                   [&](auto& x) {
                     rotate(x[0], 1, 2, cos, sin, /*head_dim=*/5);
                     return x[0];
                   },
                   [&](const auto& x) {
                     Doubles y = x[0];
                     for (std::size_t r = 0; r < 3; ++r) {
                       for (std::size_t at : {1, 6}) {
                         for (std::size_t i = 0; i < 2; ++i) {
                           const auto c = static_cast<double>(cos.data()[r * 2 + i]), s = static_cast<double>(sin.data()[r * 2 + i]);
                           const double a = x[0][r * 13 + at + i], b = x[0][r * 13 + at + 2 + i];
                           y[r * 13 + at + i] = a * c - b * s;
                           y[r * 13 + at + 2 + i] = b * c + a * s;
                         }
                       }
                     }
                     return y;
                   });
  Trained t;
  const EmbeddingTable table(t.view("table", {4, 5}, 1));
  const std::vector<std::int32_t> ids{3, 0, 3}, more{1, 2, 0};
  expect_gradients({random_tensor({3, 5}, 2)}, t,
                   [&](auto& x) {
                     Tensor y = look_up(table, ids);
                     y = add(y, x[0]);
                     add_looked_up(y, table, more);
                     return y;
                   },
                   [&](const auto& x) {
                     Doubles y = x[0];
                     for (std::size_t i = 0; i < y.size(); ++i) {
                       y[i] += x[1][static_cast<std::size_t>(ids[i / 5]) * 5 + i % 5] + x[1][static_cast<std::size_t>(more[i / 5]) * 5 + i % 5];
                     }
                     return y;
                   });
}

TEST(Gradients, OfMixtures) {
  Trained none;
  Tensor shares = random_tensor({4, 5}, 1);  // each row's own places, all above 0
  for (float& v : std::span(shares.data(), 20)) v = std::fabs(v) + 0.1f;
  const std::vector<std::int32_t> rows{0, 0, 1, 1, 2, 2, 3, 3}, cells{0, 1, 2, 3, 4, 5, 6, 7};
  expect_gradients({shares, random_tensor({8, 3}, 2)}, none,
                   [&](auto& x) {
                     const TopShares top = top_shares(x[0], 2);
                     Tensor y = zeros(std::vector<std::int64_t>{4, 3});
                     add_weighted_rows(y, x[1], rows, top.shares, cells);
                     return y;
                   },
                   [&](const auto& x) {
                     Doubles y(12, 0.0);
                     for (std::size_t r = 0; r < 4; ++r) {
                       Doubles sorted(x[0].begin() + static_cast<std::ptrdiff_t>(r * 5), x[0].begin() + static_cast<std::ptrdiff_t>(r * 5 + 5));
                       std::sort(sorted.rbegin(), sorted.rend());
                       for (std::size_t i = 0; i < 2; ++i) {
                         for (std::size_t k = 0; k < 3; ++k) y[r * 3 + k] += sorted[i] / (sorted[0] + sorted[1]) * x[1][(r * 2 + i) * 3 + k];
                       }
                     }
                     return y;
                   });
}

TEST(Gradients, OfRecomputedParts) {
  Trained t;
  const TensorView* one[] = {&t.view("w", {6, 6}, 1)};
  const Weight w = Weight::pack(one, LoadType::kF32);
  expect_gradients({random_tensor({5, 6}, 2)}, t,
                   [&](auto& x) {
                     return Tape::current()->recomputed(x[0], [w](const Tensor& y) { return add(linear(y, w, {.activation = Activation::kTanh}), y); });
                   },
                   [&](const auto& x) {
                     Doubles y = product(x[0], x[1], 6);
                     for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::tanh(y[i]) + x[0][i];
                     return y;
                   });
}

TEST(Gradients, DoNotFlowToPadding) {
  Trained t;
  const EmbeddingTable table(t.view("table", {3, 2}, 1));
  const std::vector<std::int32_t> ids{2, 1, 2};
  Tape tape;
  const Tape::Recording recording(&tape);
  const Tensor y = look_up(table, ids, /*padding_idx=*/2);
  tape.backward(y, random_tensor({3, 2}, 2));
  const auto& gradient = t.all()[0]->gradient;
  EXPECT_EQ(gradient[4], 0);
  EXPECT_EQ(gradient[5], 0);
  EXPECT_NE(gradient[2], 0);
}

struct AttentionCase {
  const char* name;
  AttentionOptions options;
  std::vector<std::uint8_t> is_key;
  std::vector<float> slopes;
};

TEST(Gradients, OfAttention) {
  const std::vector<std::int32_t> begin{0, 5, 5, 6, 26}, position = [] {
    std::vector<std::int32_t> p;
    for (const int n : {5, 1, 20}) {
      for (int i = 0; i < n; ++i) p.push_back(i);
    }
    return p;
  }();
  const std::int64_t d = 3, rows = 26;
  std::vector<std::uint8_t> hidden(26, 1);
  for (const std::size_t r : {1, 3, 9, 25}) hidden[r] = 0;  // but where the mask is pairwise, a query that sees nothing is another matter (below)
  const std::vector<AttentionCase> cases{
      {"plain", {.heads = 4, .scale = 0.6f}, {}, {}},
      {"masked", {.heads = 4, .scale = 0.6f}, hidden, {}},
      {"pairwise", {.heads = 4, .scale = 0.6f, .pairwise_mask = true}, hidden, {}},
      {"causal, shared keys, window", {.heads = 4, .kv_heads = 2, .scale = 0.6f, .window = 3, .causal = true}, hidden, {}},
      {"softcap and alibi", {.heads = 4, .kv_heads = 4, .scale = 0.6f, .causal = true, .softcap = 1.5f}, {}, {0.5f, 0.25f, -0.1f, 0.3f}},
  };
  for (AttentionCase c : cases) {
    SCOPED_TRACE(c.name);
    AttentionOptions& o = c.options;
    o.begin = begin;
    o.position = position;
    o.is_key = c.is_key;
    o.alibi_slopes = c.slopes;
    const std::int64_t kv_heads = o.kv_heads > 0 ? o.kv_heads : o.heads, width = (o.heads + 2 * kv_heads) * d;
    Trained none;
    expect_gradients({random_tensor({rows, width}, 1)}, none,
                     [&](auto& x) {
                       return attention({.q = x[0], .kv = x[0], .query_at = 0, .key_at = o.heads * d, .value_at = (o.heads + kv_heads) * d, .d = d}, o);
                     },
                     [&](const auto& x) {
                       Doubles y(static_cast<std::size_t>(rows * o.heads * d), 0.0);
                       for (std::size_t s = 0; s + 1 < begin.size(); ++s) {
                         for (std::int64_t h = 0; h < o.heads; ++h) {
                           const std::int64_t kv = h / (o.heads / kv_heads);
                           for (std::int64_t i = begin[s]; i < begin[s + 1]; ++i) {
                             std::vector<std::int64_t> seen;
                             for (std::int64_t j = begin[s]; j < begin[s + 1]; ++j) {
                               const bool shown = c.is_key.empty() || c.is_key[static_cast<std::size_t>(j)];
                               if (shown && !(o.causal && j > i) && (o.window < 0 || std::abs(i - j) <= o.window)) seen.push_back(j);
                             }
                             const bool blind = seen.empty() || (o.pairwise_mask && !c.is_key[static_cast<std::size_t>(i)]);
                             if (blind) {
                               seen.clear();
                               for (std::int64_t j = begin[s]; j < begin[s + 1]; ++j) seen.push_back(j);
                             }
                             const auto at = [&](std::int64_t row, std::int64_t column) { return x[0][static_cast<std::size_t>(row * width + column)]; };
                             Doubles weights;
                             double sum = 0;
                             for (const std::int64_t j : seen) {
                               double score = 0;
                               for (std::int64_t e = 0; e < d; ++e) score += at(i, h * d + e) * at(j, (o.heads + kv) * d + e);
                               score *= static_cast<double>(0.6f);
                               if (o.softcap > 0) score = static_cast<double>(o.softcap) * std::tanh(score / static_cast<double>(o.softcap));
                               if (!c.slopes.empty()) score += static_cast<double>(c.slopes[static_cast<std::size_t>(h)]) * static_cast<double>(j - begin[s]);
                               weights.push_back(blind ? 1.0 : std::exp(score));
                               sum += weights.back();
                             }
                             for (std::size_t j = 0; j < seen.size(); ++j) {
                               for (std::int64_t e = 0; e < d; ++e) {
                                 y[static_cast<std::size_t>((i * o.heads + h) * d + e)] += weights[j] / sum * at(seen[j], (o.heads + kv_heads + kv) * d + e);
                               }
                             }
                           }
                         }
                       }
                       return y;
                     });
  }
}

TEST(Gradients, OfLstmLayers) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const std::vector<std::int32_t> begin = {0, 2, 2, 7, 8, 11};  // one sequence has no row
  const auto states = random_tensor({5, 7}, 11), cells = random_tensor({5, 7}, 12);
  const std::size_t d = 7;
  Doubles kept(28 * d, 1.0);  // what dropout leaves of each weight
  for (const auto& [goes_on, drops] : {std::pair{false, false}, {true, false}, {true, true}}) {
    Trained t;
    if (drops) {
      const Dropping dropping(5, 2);
      const DropMask mask = DropMask::next(0.4f);
      std::vector<float> row(d);
      for (std::int64_t r = 0; r < 28; ++r) {
        std::fill(row.begin(), row.end(), 1.0f);
        mask.apply(r, row.data(), 7);
        std::copy(row.begin(), row.end(), kept.begin() + r * 7);
      }
      ASSERT_GT(std::count(kept.begin(), kept.end(), 0.0), 20);
    }
    const TensorView* one[] = {&t.view("w", {28, 7}, 1)};
    const Weight w = Weight::pack(one, LoadType::kF32);
    const Vector bias(t.view("b", {28}, 2));
    const LstmOptions options{.begin = begin, .h = goes_on ? states : Tensor(), .c = goes_on ? cells : Tensor(), .weight_dropout = 0.4f};
    expect_gradients({random_tensor({11, 28}, 3)}, t,
                     [&, drops = drops](auto& x) {
                       std::optional<Dropping> dropping;
                       if (drops) dropping.emplace(5, 2);
                       return lstm(x[0], w, bias, options).h;
                     },
                     [&, goes_on = goes_on](const auto& x) {  // gates, bias, weight
                       Doubles y(11 * d), weight = x[2];
                       for (std::size_t i = 0; i < weight.size(); ++i) weight[i] *= kept[i];
                       for (std::size_t s = 0; s + 1 < begin.size(); ++s) {
                         Doubles h(d), c(d);
                         for (std::size_t i = 0; goes_on && i < d; ++i) h[i] = static_cast<double>(states.data()[s * d + i]), c[i] = static_cast<double>(cells.data()[s * d + i]);
                         for (auto row = static_cast<std::size_t>(begin[s]); row < static_cast<std::size_t>(begin[s + 1]); ++row) {
                           Doubles a = product(h, weight, d);
                           for (std::size_t i = 0; i < a.size(); ++i) a[i] += x[0][row * 4 * d + i] + x[1][i];
                           for (std::size_t i = 0; i < d; ++i) {
                             c[i] = sigmoid(a[d + i]) * c[i] + sigmoid(a[i]) * std::tanh(a[2 * d + i]);
                             y[row * d + i] = h[i] = sigmoid(a[3 * d + i]) * std::tanh(c[i]);
                           }
                         }
                       }
                       return y;
                     });
  }
}

TEST(Gradients, OfDropoutByGroups) {
  const std::vector<std::int32_t> groups = {4, 1, 4, 4, 9, 1};
  for (const bool whole : {false, true}) {
    Trained none;
    const auto run = [&](const Tensor& x) {
      const Dropping dropping(3, 6);
      return whole ? dropout_of_groups(x, 0.5f, groups) : locked_dropout(x, 0.5f, groups);
    };
    Tensor ones({6, 9});
    std::fill_n(ones.data(), ones.size(), 1.0f);
    const Tensor kept = run(ones);
    for (std::int64_t i = 0; i < 9; ++i) {
      EXPECT_EQ(kept.row(0)[i], kept.row(2)[i]);
      EXPECT_EQ(kept.row(1)[i], kept.row(5)[i]);
      if (whole) {
        EXPECT_EQ(kept.row(4)[i], kept.row(4)[0]);
      }
    }
    EXPECT_GT(std::count(kept.values().begin(), kept.values().end(), 0.0f), 0);
    EXPECT_GT(std::count(kept.values().begin(), kept.values().end(), 2.0f), 0);
    expect_gradients({random_tensor({6, 9}, 1)}, none, [&](auto& x) { return run(x[0]); },
                     [&](const auto& x) {
                       Doubles y = x[0];
                       for (std::size_t i = 0; i < y.size(); ++i) y[i] *= static_cast<double>(kept.data()[i]);
                       return y;
                     });
  }
}

TEST(Gradients, OfTheLargestRows) {
  const std::vector<std::vector<std::int32_t>> groups = {{0, 3, 1}, {2}, {4, 2}};
  Trained none;
  expect_gradients({random_tensor({5, 9}, 1)}, none, [&](auto& x) { return max_of_rows(x[0], groups); },
                   [&](const auto& x) {
                     Doubles y;
                     for (const auto& group : groups) {
                       for (std::size_t i = 0; i < 9; ++i) {
                         double most = -INFINITY;
                         for (const std::int32_t r : group) most = std::max(most, x[0][static_cast<std::size_t>(r) * 9 + i]);
                         y.push_back(most);
                       }
                     }
                     return y;
                   });
}

TEST(Gradients, AreNotRecordedWithoutATape) {
  Trained t;
  const TensorView* one[] = {&t.view("w", {4, 4}, 1)};
  const Weight w = Weight::pack(one, LoadType::kF32);
  EXPECT_EQ(linear(random_tensor({2, 4}, 2), w).node(), nullptr);
  Tape tape;
  const Tape::Recording recording(&tape);
  t.all()[0]->trained = false;
  const Tensor y = linear(random_tensor({2, 4}, 2), w);
  EXPECT_EQ(y.node(), nullptr);
  EXPECT_THROW(tape.backward(y, random_tensor({2, 4}, 3)), Error);
}

}  // namespace
}  // namespace polymath
