#include "train/carried_state.h"

#include <array>

namespace polymath {

CarriedState::CarriedState(const Model& model, std::size_t streams) : shape_(model.kv_shape()) {
  for (std::size_t s = 0; s < streams; ++s) caches_.emplace_back(shape_);
}

void CarriedState::attach(Step& step) {
  for (std::size_t s = 0; s < static_cast<std::size_t>(step.sequences()); ++s) step.cache.push_back(&caches_[s]);
}

void CarriedState::clear() {
  for (KvCache& cache : caches_) cache.truncate(0);
}

std::size_t CarriedState::width() const { return 1 + static_cast<std::size_t>(2 * shape_.layers) * static_cast<std::size_t>(shape_.head_dim); }

NamedArray CarriedState::array() {
  values_.assign(caches_.size() * width(), 0.0f);
  for (std::size_t s = 0; s < caches_.size(); ++s) {
    float* at = values_.data() + s * width();
    if (caches_[s].length() == 0) continue;
    *at++ = 1;
    for (int layer = 0; layer < shape_.layers; ++layer, at += 2 * shape_.head_dim) caches_[s].read(0, layer, 0, at, at + shape_.head_dim);
  }
  return {"carried", DType::kF32, {static_cast<std::int64_t>(caches_.size()), static_cast<std::int64_t>(width())},
          Bytes(reinterpret_cast<const std::uint8_t*>(values_.data()), values_.size() * sizeof(float))};
}

void CarriedState::restore() {
  clear();
  for (std::size_t s = 0; s < caches_.size(); ++s) {
    const float* at = values_.data() + s * width();
    if (*at++ == 0) continue;
    caches_[s].extend(std::array<std::int32_t, 1>{0});
    for (int layer = 0; layer < shape_.layers; ++layer, at += 2 * shape_.head_dim) caches_[s].write(0, layer, 0, at, at + shape_.head_dim);
  }
}

}  // namespace polymath
