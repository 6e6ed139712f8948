// Where a module finds its tensors: a checkpoint and the path of names that leads to the module.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "nn/fresh_tensors.h"
#include "tensor/weight.h"

namespace polymath {

// Finds what changes the linear layers of a model while it is made.
class LayerChanges {
 public:
  virtual ~LayerChanges() = default;
  // The change of a layer [n, k] whose weight is this tensor of this name; null: none. It must stay where it is.
  virtual const LowRankTensors* of(const std::string& name, const TensorView& weight, std::int64_t n, std::int64_t k) = 0;
  // Whether a tensor is itself to be trained beside the changes.
  virtual bool trains(const std::string& name) const = 0;
};

// The weights of one model. Tensors are asked for by the names that today's Transformers gives them;
// older hubs' spellings are found too: LayerNorm.gamma/beta, and names with or without the base model's
// prefix ("bert."). Must outlive the modules built from it.
class Weights {
 public:
  // parameters: where the model is to be trained, what its tensors become; else null
  // fresh: makes what a head needs and the checkpoint has not, or not in this shape; or null: that is an error
  // changes: of linear layers, then the only ones to be trained but for what it names; or null
  Weights(const Checkpoint& checkpoint, std::string base_prefix, LoadType type, ParameterStore* parameters = nullptr, FreshTensors* fresh = nullptr,
          LayerChanges* changes = nullptr)
      : checkpoint_(checkpoint), base_prefix_(std::move(base_prefix)), type_(type), parameters_(parameters), fresh_(fresh), changes_(changes) {}

  const TensorView* find(const std::string& name) const;  // null when there is none
  // A tensor that was made for this name and shape, now or before; null: the checkpoint's is to be taken.
  const TensorView* made(const std::string& name, const std::vector<std::int64_t>& shape) const;
  // The weight of a linear layer [n, k] with what changes it.
  const TensorView& with_change(const TensorView& weight, const std::string& name, std::int64_t n, std::int64_t k) const;
  bool makes() const { return fresh_ && !fresh_->names().empty(); }  // whether a part of the head had to be made already
  LoadType type() const { return type_; }

  // Today's name of a parameter: that under which it was asked for first.
  const std::string& name_asked(const std::string& parameter) const;

 private:
  const TensorView* find_any(const std::string& name) const;
  const TensorView* find_spelled(const std::string& name) const;
  const TensorView* as_parameter(const TensorView* tensor, const std::string& name) const;

  const Checkpoint& checkpoint_;
  std::string base_prefix_;
  LoadType type_;
  ParameterStore* parameters_;
  FreshTensors* fresh_;
  LayerChanges* changes_;
  mutable std::deque<TensorView> changed_;
  mutable std::map<std::string, std::string> asked_;  // parameter -> name; filled while a model is made
};

struct Scope {
  const Weights* weights = nullptr;
  std::string path;

  Scope operator/(const std::string& name) const { return {weights, path.empty() ? name : path + "." + name}; }
  Scope operator/(int index) const { return *this / std::to_string(index); }

  // The tensor path.name; throws Error{kNotFound} naming it.
  const TensorView& tensor(const std::string& name) const;
  const TensorView* find(const std::string& name) const { return weights->find((*this / name).path); }
  // As tensor(), and throws Error{kBadFile} unless it has this shape.
  const TensorView& tensor(const std::string& name, std::initializer_list<std::int64_t> shape) const;
};

// Rows [begin, begin + count) of a tensor of two or more axes: the same bytes, so valid as long as the tensor.
TensorView rows_of(const TensorView& tensor, std::int64_t begin, std::int64_t count);

// modules[i] for i in [0, count), each built from its config and scope/i.
template <class Module, class... Args>
std::vector<Module> each(int count, const Scope& scope, const Args&... args) {
  std::vector<Module> modules;
  modules.reserve(static_cast<std::size_t>(std::clamp(count, 0, 1024)));  // count is the file's word; a missing layer ends the loop
  for (int i = 0; i < count; ++i) modules.emplace_back(args..., scope / i);
  return modules;
}

}  // namespace polymath
