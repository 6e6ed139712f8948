// A linear classifier of vectors, fitted to its optimum: scikit-learn's LogisticRegression with its default penalty.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace polymath {

// Class c of x is the one with the largest logit, weights[c] . x + biases[c]; softmax of them are probabilities.
struct LinearClassifier {
  std::int64_t classes = 0, d = 0;
  std::vector<double> weights, biases;  // [classes, d], [classes]
};

// The minimum of the sum of cross entropies plus half the squared weights (biases are free). Of two classes one weight vector
// tells them apart, so that the first one's is zero, as scikit-learn has it. The same bits for any number of threads.
// x: [examples, d]; labels: [examples], each of [0, classes)
LinearClassifier fit_logistic_regression(const Tensor& x, std::span<const std::int32_t> labels, std::int64_t classes);

}  // namespace polymath
