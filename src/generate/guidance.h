// Classifier-free guidance (Sanchez et al. 2023, arXiv:2306.17806): scores move away from what the model would write
// without the prompt, of which it keeps the last token alone.
#pragma once

#include <span>
#include <vector>

#include "generate/decoding.h"

namespace polymath {

class Guidance {
 public:
  // For `slots` sequences side by side, which all follow the same prompt. (Transformers does not move these contexts when beams
  // change places; a slot keeps its own.)
  Guidance(const Model& model, double scale, std::size_t slots, std::int32_t last_of_prompt);

  // Adds a feed for each slot.
  void add_feeds(std::vector<Feed>& feeds);
  // scores <- scale * (log softmax(scores) - unguided) + unguided; logits: of that slot's feed.
  void apply(std::span<float> scores, const float* logits) const;
  void written(std::size_t slot, std::int32_t id) { next_[slot] = id; }

 private:
  float scale_;
  std::vector<KvCache> caches_;
  std::vector<std::int32_t> next_;
};

}  // namespace polymath
