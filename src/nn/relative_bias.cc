#include "nn/relative_bias.h"

#include "base/threads.h"

namespace polymath {

RelativeBiasTerm::Distances RelativeBiasTerm::distances(const HeadScores& s) const {
  const std::int32_t* column = column_.data() + s.begin;
  Distances distances{column, column[s.length - 1] - column[0], {}};
  for (std::int32_t d = -distances.most; d <= distances.most; ++d) distances.bucket.push_back(bias_->bucket(d));
  return distances;
}

void RelativeBiasTerm::add(const HeadScores& s, const Tensor&) const {
  const Distances at = distances(s);
  std::vector<float> by_distance;
  for (const int bucket : at.bucket) by_distance.push_back(bias_->weight[static_cast<std::size_t>(bucket * bias_->heads + s.head)]);
  for (std::int64_t i = 0; i < s.length; ++i) {
    const float* of_key = by_distance.data() + at.most - at.column[i];
    for (std::int64_t j = 0; j < s.length; ++j) s.scores[i * s.stride + j] += of_key[at.column[j]];
  }
}

void RelativeBiasTerm::add(const QueryScores& s) const {
  const std::int32_t column = column_[static_cast<std::size_t>(s.row)];
  for (std::int64_t j = 0; j < s.keys; ++j) {
    const int bucket = bias_->bucket(std::int64_t{s.key_column[j]} - column);
    s.scores[j] += bias_->weight[static_cast<std::size_t>(bucket * bias_->heads + s.head)];
  }
}

void RelativeBiasTerm::backward(const HeadScores& d, int heads, const Tensor&, Tensor&) const {
  if (!bias_->weight.trained()) return;
  const Distances at = distances(d);
  std::vector<float> gradient(static_cast<std::size_t>(bias_->weight.size()), 0.0f);
  ThreadPool::global().parallel_for(static_cast<std::size_t>(heads), [&](std::size_t head) {
    std::vector<float> by_distance(at.bucket.size(), 0.0f);
    const float* scores = d.scores + static_cast<std::int64_t>(head) * d.length * d.stride;
    for (std::int64_t i = 0; i < d.length; ++i) {
      float* of_key = by_distance.data() + at.most - at.column[i];
      for (std::int64_t j = 0; j < d.length; ++j) of_key[at.column[j]] += scores[i * d.stride + j];
    }
    for (std::size_t i = 0; i < by_distance.size(); ++i) gradient[static_cast<std::size_t>(at.bucket[i] * heads) + head] += by_distance[i];
  });
  bias_->weight.add_gradient(gradient.data());
}

}  // namespace polymath
