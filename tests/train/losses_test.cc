// Losses, their gradients and fitted classifiers against what torch, sentence-transformers and scikit-learn make of the same numbers
// (recipes/record_losses.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "nn/scalar_math.h"
#include "tensor/tape.h"
#include "train/contrastive.h"
#include "train/logistic_regression.h"
#include "train/losses.h"

namespace polymath {
namespace {

const Json& cases() {
  static const Json kAll = read_json_file(std::string(POLYMATH_SOURCE_DIR) + "/tests/cases/losses.json");
  return kAll;
}

Tensor tensor_of(const Json& values, std::span<const std::int64_t> shape) {
  Tensor t(shape);
  const auto numbers = values.get<std::vector<float>>();
  std::copy(numbers.begin(), numbers.end(), t.data());
  return t;
}

Tensor loss_of_case(const Json& c, const Tensor& x) {
  const auto name = c.at("name").get<std::string>();
  if (name == "label_smoothing") return cross_entropy(x, c.at("labels").get<std::vector<std::int32_t>>(), "labels", c.at("smoothing").get<double>());
  if (name == "distillation") return distillation_loss(x, tensor_of(c.at("teacher"), x.shape()), c.at("temperature").get<double>());
  if (name == "multiple_negatives") return multiple_negatives_loss(x, 20);
  EXPECT_EQ(name, "cosine");
  return cosine_loss(x, c.at("scores").get<std::vector<float>>());
}

TEST(Losses, EqualTheLibraries) {
  int compared = 0;
  for (const Json& c : cases()) {
    if (!c.contains("loss")) continue;
    ++compared;
    Tensor x = tensor_of(c.at("x"), c.at("shape").get<std::vector<std::int64_t>>());
    x.set_node(std::make_shared<TapeNode>());
    Tape tape;
    const Tape::Recording recording(&tape);
    const Tensor loss = loss_of_case(c, x);
    const double expected = c.at("loss").get<double>();
    EXPECT_NEAR(static_cast<double>(loss.data()[0]), expected, 2e-6 * std::max(1.0, std::fabs(expected))) << c.at("name");
    tape.backward(loss);
    const auto gradient = c.at("gradient").get<std::vector<double>>();
    const double largest = std::fabs(*std::max_element(gradient.begin(), gradient.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); }));
    const Tensor& got = x.node()->gradient;
    ASSERT_EQ(static_cast<std::size_t>(got.size()), gradient.size());
    for (std::size_t i = 0; i < gradient.size(); ++i) EXPECT_NEAR(static_cast<double>(got.data()[i]), gradient[i], 1e-5 * largest) << c.at("name") << " " << i;
  }
  EXPECT_EQ(compared, 6);
}

TEST(Losses, FitsAsScikitLearn) {
  int compared = 0;
  for (const Json& c : cases()) {
    if (c.at("name") != "logistic_regression") continue;
    ++compared;
    const Tensor x = tensor_of(c.at("x"), c.at("shape").get<std::vector<std::int64_t>>());
    const auto fitted = fit_logistic_regression(x, c.at("labels").get<std::vector<std::int32_t>>(), c.at("classes").get<std::int64_t>());
    const auto expected = c.at("probabilities").get<std::vector<double>>();
    for (std::int64_t e = 0; e < x.rows(); ++e) {
      std::vector<double> p;
      double sum = 0;
      for (std::int64_t k = 0; k < fitted.classes; ++k) {
        double logit = fitted.biases[static_cast<std::size_t>(k)];
        for (std::int64_t i = 0; i < fitted.d; ++i) logit += fitted.weights[static_cast<std::size_t>(k * fitted.d + i)] * static_cast<double>(x.row(e)[i]);
        sum += p.emplace_back(scalar_exp(logit));
      }
      for (std::int64_t k = 0; k < fitted.classes; ++k) {
        EXPECT_NEAR(p[static_cast<std::size_t>(k)] / sum, expected[static_cast<std::size_t>(e * fitted.classes + k)], 1e-6) << fitted.classes << " classes, example " << e;
      }
    }
  }
  EXPECT_EQ(compared, 2);
}

}  // namespace
}  // namespace polymath
