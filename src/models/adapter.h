// PEFT adapter folders: LoRA (Hu et al. 2021, arXiv:2106.09685), its rank-stabilized scaling (2312.03732) and DoRA (2402.09353).
#pragma once

#include <optional>
#include <string>

#include "formats/config.h"
#include "models/model.h"

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
  // Adds the adapter to the base model's tensors. Throws Error naming the tensor that does not fit.
  void apply(Checkpoint& base, const Weights& names, const std::string& model_type) const;

 private:
  Adapter(std::string folder, Config config);

  double scaling(const std::string& module, std::int64_t rank) const;

  std::string folder_, base_;
  Config config_;
  Checkpoint tensors_;
};

// The folder whose config.json and tokenizer belong to `folder`: an adapter's base, or itself.
std::string base_folder_of(const std::string& folder);

}  // namespace polymath
