#include "tasks/scores.h"

#include <algorithm>
#include <cmath>

namespace polymath {

std::vector<float> softmax_of(std::span<const float> logits) {
  const float top = *std::max_element(logits.begin(), logits.end());
  std::vector<double> e;
  double sum = 0;
  for (float x : logits) {
    e.push_back(std::exp(static_cast<double>(x - top)));
    sum += e.back();
  }
  std::vector<float> scores;
  for (double x : e) scores.push_back(static_cast<float>(x / sum));
  return scores;
}

float sigmoid_of(float x) { return static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(x)))); }

std::size_t argmax_of(std::span<const float> values) {
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace polymath
