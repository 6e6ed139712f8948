// A LoRA adapter that is being trained (Hu et al. 2021, arXiv:2106.09685); adapter.h reads what comes of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nn/scope.h"
#include "tensor/low_rank.h"

namespace polymath {

// The fields of PEFT's LoraConfig that there is a choice of.
struct LoraOptions {
  std::int64_t r = 16;
  double lora_alpha = 32;
  bool use_rslora = false;                  // alpha / sqrt(r) instead of alpha / r (Kalajdzievski 2023, arXiv:2312.03732)
  std::vector<std::string> target_modules;  // how the names of layers end; empty: all linear layers below the head
  std::uint64_t seed = 0;
};

// Gives linear layers two new parameters, MODULE.lora_A.weight [r, k], uniform as PEFT's, and MODULE.lora_B.weight [n, r], zero.
// What is trained beside them is the head of a classifier, with its pooler. Must outlive the model.
class NewAdapter final : public LayerChanges {
 public:
  NewAdapter(LoraOptions options, ParameterStore& parameters) : options_(std::move(options)), parameters_(parameters) {}

  const LowRankTensors* of(const std::string& name, const TensorView& weight, std::int64_t n, std::int64_t k) override;
  bool trains(const std::string& name) const override { return !whole_module(name).empty(); }
  // The module of a head that a tensor of this name belongs to: "classifier"; empty: none that is trained.
  static std::string_view whole_module(std::string_view name);

  const LoraOptions& options() const { return options_; }
  // The layers that it changes, by name.
  std::vector<std::string> modules() const;
  float scaling() const;

 private:
  bool is_target(const std::string& module) const;

  LoraOptions options_;
  ParameterStore& parameters_;
  std::map<std::string, LowRankTensors> changes_;  // by module
};

}  // namespace polymath
