// What a key's distance adds to the scores of a head, by T5's buckets (Raffel et al. 2019, arXiv:1910.10683).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "nn/relative_buckets.h"
#include "tensor/ops.h"

namespace polymath {

struct RelativeBias {
  RelativeBuckets bucket;
  int heads;
  Vector weight;  // [buckets, heads]
};

// Of the rows of one pass, which have these columns.
class RelativeBiasTerm final : public CachedScoreTerm {
 public:
  RelativeBiasTerm(std::shared_ptr<const RelativeBias> bias, std::span<const std::int32_t> columns)
      : bias_(std::move(bias)), column_(columns.begin(), columns.end()) {}

  void add(const HeadScores& scores, const Tensor& qkv) const override;
  void add(const QueryScores& scores) const override;
  void backward(const HeadScores& d, int heads, const Tensor& qkv, Tensor& dqkv) const override;

 private:
  // The bucket of each distance between columns of a sequence, from -most to most; columns ascend.
  struct Distances {
    const std::int32_t* column;  // [length]
    std::int32_t most;
    std::vector<int> bucket;  // [2 most + 1]
  };
  Distances distances(const HeadScores& scores) const;

  std::shared_ptr<const RelativeBias> bias_;
  std::vector<std::int32_t> column_;  // [rows]
};

}  // namespace polymath
