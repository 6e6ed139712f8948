#include "nn/fresh_tensors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/random.h"
#include "nn/scalar_math.h"
#include "polymath/error.h"

namespace polymath {
namespace {

// What Transformers' classes call the parts of heads.
constexpr std::array<std::string_view, 14> kHeads = {"classifier", "score", "qa_outputs", "pooler", "pre_classifier", "classification_head",
                                                     "head", "cls", "lm_head", "vocab_transform", "vocab_layer_norm", "generator_predictions", "generator_lm_head",
                                                     "vocab_projector"};

}  // namespace

std::string_view part_among(std::string_view name, std::span<const std::string_view> parts) {
  for (std::size_t begin = 0; begin < name.size();) {
    const std::string_view part = name.substr(begin, name.find('.', begin) - begin);
    if (std::find(parts.begin(), parts.end(), part) != parts.end()) return part;
    begin += part.size() + 1;
  }
  return {};
}

bool FreshTensors::is_of_head(const std::string& name) { return !part_among(name, kHeads).empty(); }

const TensorView& FreshTensors::make(const std::string& name, const std::vector<std::int64_t>& shape) {
  auto made = std::make_unique<Made>();
  std::int64_t count = 1;
  for (const std::int64_t n : shape) count *= n;
  if (count > std::int64_t{1} << 33) throw Error(ErrorCode::kResource, "would have " + std::to_string(count) + " values", name);
  std::vector<float>& values = made->values;
  values.assign(static_cast<std::size_t>(count), shape.size() == 1 && name.ends_with("weight") ? 1.0f : 0.0f);
  if (shape.size() > 1) {  // Box and Muller 1958
    const std::uint64_t hash = hash_of(name);
    // A table that also decodes states between -1 and 1: when it begins much smaller, AdamW learns how frequent tokens are and stays there.
    const double range = everything_ && name.ends_with(".embeddings.weight") ? 0.5 : range_;
    for (std::size_t i = 0; i < values.size(); i += 2) {
      const double radius = range * std::sqrt(-2 * scalar_log(uniform(seed_, hash, i, 0)));
      const SinCos turn = scalar_sin_cos(6.283185307179586 * uniform(seed_, hash, i, 1));
      values[i] = static_cast<float>(radius * turn.cos);
      if (i + 1 < values.size()) values[i + 1] = static_cast<float>(radius * turn.sin);
    }
  }
  made->view = {.name = name,
                .dtype = DType::kF32,
                .shape = shape,
                .data = {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)}};
  return (made_[name] = std::move(made))->view;
}

const TensorView* FreshTensors::make_bias(const std::string& name) {
  if (!name.ends_with(".bias")) return nullptr;
  const std::string layer = name.substr(0, name.size() - 5);
  const TensorView* weight = find(layer + ".weight");
  if (!weight || (layer == "score" && !score_bias_)) return nullptr;
  return &make(name, {weight->shape[0]});
}

const TensorView* FreshTensors::find(const std::string& name) const {
  const auto found = made_.find(name);
  return found == made_.end() ? nullptr : &found->second->view;
}

std::vector<std::string> FreshTensors::names() const {
  std::vector<std::string> names;
  for (const auto& [name, unused] : made_) names.push_back(name);
  return names;
}

}  // namespace polymath
