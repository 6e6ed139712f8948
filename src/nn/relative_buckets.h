// T5's buckets of relative positions (Raffel et al. 2019, arXiv:1910.10683): near distances have one each, far ones share.
#pragma once

#include <cstdint>
#include <vector>

namespace polymath {

class RelativeBuckets {
 public:
  // Distances from max_distance on share the last bucket. Bidirectional: half of the buckets are for keys that follow, and all
  // that follow share one otherwise. buckets: at least 4, or 2 in one direction; max_distance: more than that half's exact ones,
  // half as many
  RelativeBuckets(int buckets, std::int64_t max_distance, bool bidirectional);

  // The bucket of key position - query position.
  int operator()(std::int64_t relative) const {
    if (relative > 0 && !bidirectional_) return 0;
    const int side = relative > 0 ? half_ : 0;
    const auto n = static_cast<std::uint64_t>(relative < 0 ? -relative : relative);
    return side + (n < near_.size() ? near_[n] : far_bucket(static_cast<double>(n)));
  }

 private:
  int far_bucket(double distance) const;

  int half_;  // buckets of one direction
  std::int64_t max_distance_;
  bool bidirectional_;
  std::vector<int> near_;  // by distance
};

}  // namespace polymath
