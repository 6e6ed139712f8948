// PEFT adapter folders: LoRA (Hu et al. 2021, arXiv:2106.09685), its rank-stabilized scaling (2312.03732) and DoRA (2402.09353).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "formats/config.h"
#include "models/model.h"
#include "tensor/low_rank.h"

namespace polymath {

// An adapter_config.json with what it adapts. The weights are merged when a model loads.
class Adapter {
 public:
  // Nothing where the folder is no adapter. Throws Error naming the field where it is one of another kind, or names a base
  // model that is not a folder here.
  static std::optional<Adapter> open(const std::string& folder);

  const std::string& base() const { return base_; }  // the folder of the model that it adapts
  // The class it was made for, by task_type or auto_mapping; absent where it names none.
  std::optional<Head> head(const Architecture& architecture) const;
  // The adapter's own config.json, where it has one; else the base's, with as many labels as a classifier that the adapter
  // brings along has.
  Config config() const;
  // Adds the adapter to the base model's tensors, but for the layers named in `left`. Throws Error naming the tensor that does
  // not fit.
  void apply(Checkpoint& base, const Weights& names, const std::string& model_type, const std::set<std::string>& left = {}) const;

  // The changes of layers that linear() can add by itself, by module.
  std::map<std::string, LowRankTensors> layer_changes() const;

 private:
  Adapter(std::string folder, Config config);

  struct Parts;
  std::map<std::string, Parts> modules() const;
  double scaling(const std::string& module, std::int64_t rank) const;

  std::string folder_, base_;
  Config config_;
  Checkpoint tensors_;
};

// Finds an adapter's changes for the layers of a model that is made over the base's own weights.
class AdapterChanges final : public LayerChanges {
 public:
  explicit AdapterChanges(const Adapter& adapter) : changes_(adapter.layer_changes()) {}

  const LowRankTensors* of(const std::string& name, const TensorView& weight, std::int64_t n, std::int64_t k) override;
  bool trains(const std::string&) const override { return false; }

  std::set<std::string> modules() const;
  // Where a module is no linear layer of the model: leaves it to Adapter::apply. Whether there was one.
  bool drop_unused();

 private:
  std::map<std::string, LowRankTensors> changes_;
  std::set<std::string> used_;
};

// The folder whose config.json and tokenizer belong to `folder`: an adapter's base, or itself.
std::string base_folder_of(const std::string& folder);

}  // namespace polymath
