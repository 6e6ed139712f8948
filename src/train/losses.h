// What training makes smaller. Each is a tensor of one value, recorded where its input is; sums are taken in double.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace polymath {

// A label that does not count, as in Transformers.
inline constexpr std::int32_t kIgnored = -100;

// The mean over rows of -log softmax(row)[label]; a row whose label is kIgnored does not count. With smoothing e, the label
// weighs 1 - e, and e is spread over all (Szegedy et al. 2016, arXiv:1512.00567). Throws Error naming `what` where a label is
// another one, or none counts.  logits: [rows, n], labels: [rows]
Tensor cross_entropy(const Tensor& logits, std::span<const std::int32_t> labels, const char* what, double smoothing = 0);

// The same of sequences of different lengths: one softmax over the logits of each.
// logits: [rows], begin: [sequences + 1], labels: [sequences], counted from the sequence's begin
Tensor span_cross_entropy(const Tensor& logits, std::span<const std::int32_t> begin, std::span<const std::int32_t> labels, const char* what);

// The mean over rows of -sum(log softmax(row) * targets).  logits, targets: [rows, n]
Tensor soft_cross_entropy(const Tensor& logits, std::span<const float> targets);

// T^2 times the mean over rows of KL(softmax(teacher / T) || softmax(row / T)): what a student learns from a teacher's logits at
// temperature T (Hinton et al. 2015, arXiv:1503.02531). Nothing flows to the teacher.  logits, teacher: [rows, n]
Tensor distillation_loss(const Tensor& logits, const Tensor& teacher, double temperature);

// The mean of (x - target)^2, of all values.
Tensor mean_squared_error(const Tensor& x, std::span<const float> targets);

// The mean of -(t log s + (1 - t) log(1 - s)), s = sigmoid(logit); targets that are NaN do not count.
Tensor binary_cross_entropy(const Tensor& logits, std::span<const float> targets);

}  // namespace polymath
