#include "models/new_adapter.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.h"

namespace polymath {
namespace {

// The modules that PEFT saves whole with classifiers, and what lies between them and the layers.
constexpr std::array<std::string_view, 7> kTrainedWhole = {"classifier", "score", "qa_outputs", "pooler", "pre_classifier", "classification_head", "summary"};

constexpr std::string_view kWeight = ".weight";

TensorView view_of(const std::string& name, std::vector<std::int64_t> shape, const std::vector<float>& values) {
  return {.name = name,
          .dtype = DType::kF32,
          .shape = std::move(shape),
          .data = {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)}};
}

}  // namespace

std::string_view NewAdapter::whole_module(std::string_view name) { return part_among(name, kTrainedWhole); }

bool NewAdapter::is_target(const std::string& module) const {
  if (options_.target_modules.empty()) return !FreshTensors::is_of_head(module);
  return std::any_of(options_.target_modules.begin(), options_.target_modules.end(),
                     [&](const std::string& target) { return module == target || module.ends_with("." + target); });
}

const LowRankTensors* NewAdapter::of(const std::string& name, const TensorView& weight, std::int64_t n, std::int64_t k) {
  const std::string module = name.substr(0, name.size() - kWeight.size());
  if (trains(name) || !is_target(module)) return nullptr;
  auto& change = changes_[module];
  if (change.changed.data()) return &change;
  std::vector<float> a(static_cast<std::size_t>(options_.r * k));
  const std::string name_a = module + ".lora_A.weight", name_b = module + ".lora_B.weight";
  const double range = 1 / std::sqrt(static_cast<double>(k));
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(range * (2 * uniform(options_.seed, hash_of(name_a), i) - 1));
  change.a = parameters_.of(view_of(name_a, {options_.r, k}, a));
  change.b = parameters_.of(view_of(name_b, {n, options_.r}, std::vector<float>(static_cast<std::size_t>(n * options_.r))));
  change.scale = scaling();
  change.changed = weight.data;
  return &change;
}

std::vector<std::string> NewAdapter::modules() const {
  std::vector<std::string> names;
  for (const auto& [module, unused] : changes_) names.push_back(module);
  return names;
}

float NewAdapter::scaling() const {
  const auto r = static_cast<double>(options_.r);
  return static_cast<float>(options_.lora_alpha / (options_.use_rslora ? std::sqrt(r) : r));
}

}  // namespace polymath
