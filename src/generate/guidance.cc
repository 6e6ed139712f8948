#include "generate/guidance.h"

#include "generate/processors.h"
#include "polymath/error.h"

namespace polymath {

Guidance::Guidance(const Model& model, double scale, std::size_t slots, std::int32_t last_of_prompt)
    : scale_(static_cast<float>(scale)), caches_(slots, KvCache(model.kv_shape())), next_(slots, last_of_prompt) {
  if (model.is_encoder_decoder()) throw Error(ErrorCode::kUnsupported, "is for models without an encoder", "guidance_scale");
}

void Guidance::add_feeds(std::vector<Feed>& feeds) {
  for (std::size_t slot = 0; slot < caches_.size(); ++slot) feeds.push_back({.cache = &caches_[slot], .ids = {&next_[slot], 1}});
}

void Guidance::apply(std::span<float> scores, const float* logits) const {
  log_softmax(scores);
  std::vector<float> unguided(logits, logits + scores.size());
  log_softmax(unguided);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = scale_ * (scores[i] - unguided[i]) + unguided[i];
}

}  // namespace polymath
