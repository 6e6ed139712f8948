// Scores from logits, in float32 as numpy computes them in the pipelines.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace polymath {

// e^(x - max) / sum; the sum of exponentials in double.
std::vector<float> softmax_of(std::span<const float> logits);
float sigmoid_of(float x);

// The index of the largest value, the first among equals.
std::size_t argmax_of(std::span<const float> values);

}  // namespace polymath
