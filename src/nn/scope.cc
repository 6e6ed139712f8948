#include "nn/scope.h"

#include <algorithm>

#include "formats/panels.h"
#include "polymath/error.h"

namespace polymath {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace

const TensorView* Weights::find_spelled(const std::string& name) const {
  if (const TensorView* tensor = checkpoint_.find(name)) return tensor;
  if (base_prefix_.empty()) return nullptr;
  if (name.starts_with(base_prefix_ + ".")) return checkpoint_.find(name.substr(base_prefix_.size() + 1));
  return checkpoint_.find(base_prefix_ + "." + name);
}

const TensorView* Weights::find(const std::string& name) const {
  const TensorView* tensor = fresh_ ? fresh_->find(name) : nullptr;
  if (!tensor && fresh_) tensor = fresh_->make_bias(name);  // an old one would not fit
  if (!tensor) tensor = find_any(name);
  return as_parameter(tensor, name);
}

const TensorView* Weights::made(const std::string& name, const std::vector<std::int64_t>& shape) const {
  if (!fresh_ || !fresh_->may_make(name)) return nullptr;
  const TensorView* tensor = fresh_->find(name);
  if (!tensor) {
    const TensorView* kept = find_any(name);
    if (kept && kept->shape == shape) return nullptr;
    tensor = &fresh_->make(name, shape);
  }
  return as_parameter(tensor, name);
}

const TensorView* Weights::as_parameter(const TensorView* tensor, const std::string& name) const {
  if (!tensor || !parameters_) return tensor;
  if (changes_ && !changes_->trains(name) && !(fresh_ && fresh_->find(name))) return tensor;
  asked_.emplace(tensor->name, name);
  return &parameters_->of(*tensor);
}

const TensorView& Weights::with_change(const TensorView& weight, const std::string& name, std::int64_t n, std::int64_t k) const {
  const LowRankTensors* change = changes_ ? changes_->of(name, weight, n, k) : nullptr;
  if (!change) return weight;
  changed_.push_back(weight);
  changed_.back().low_rank = change;
  return changed_.back();
}

const std::string& Weights::name_asked(const std::string& parameter) const {
  const auto found = asked_.find(parameter);
  return found == asked_.end() ? parameter : found->second;
}

const TensorView* Weights::find_any(const std::string& name) const {
  if (const TensorView* tensor = find_spelled(name)) return tensor;
  for (auto [now, once] : {std::pair{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}}) {
    if (name.ends_with(now)) return find_spelled(name.substr(0, name.size() - std::string(now).size()) + once);
  }
  return nullptr;
}

const TensorView& Scope::tensor(const std::string& name) const {
  if (const TensorView* found = find(name)) return *found;
  throw Error(ErrorCode::kNotFound, "this tensor is not in the checkpoint", (*this / name).path);
}

const TensorView& Scope::tensor(const std::string& name, std::initializer_list<std::int64_t> shape) const {
  if (const TensorView* made = weights->made((*this / name).path, shape)) return *made;
  const TensorView& found = tensor(name);
  if (!std::equal(found.shape.begin(), found.shape.end(), shape.begin(), shape.end())) {
    throw Error(ErrorCode::kBadFile, "has the shape " + shape_text(found.shape) + " where config.json asks for " + shape_text(shape),
                found.name);
  }
  return found;
}

TensorView rows_of(const TensorView& tensor, std::int64_t begin, std::int64_t count) {
  TensorView part = tensor;
  part.shape[0] = count;
  std::uint64_t bytes = 0, offset = 0;
  if (is_panels(tensor.dtype)) {
    const auto k = static_cast<std::uint64_t>(tensor.shape.back());
    const std::int64_t rows = tensor.shape.size() == 2 ? 1 : tensor.shape[1];  // of each matrix, or itself
    constexpr auto kRows = static_cast<std::int64_t>(kPanelOutputs);
    const bool to_end = begin + count == tensor.shape[0];
    if (tensor.transposed || begin * rows % kRows != 0 || (count * rows % kRows != 0 && !to_end)) {
      throw Error(ErrorCode::kBadFile, "is quantized in panels that its parts cut", tensor.name);
    }
    offset = panels_bytes(tensor.dtype, static_cast<std::uint64_t>(begin * rows), k, tensor.name);
    bytes = panels_bytes(tensor.dtype, static_cast<std::uint64_t>(count * rows), k, tensor.name);
  } else {
    const std::size_t row_bytes = tensor.data.size() / static_cast<std::size_t>(tensor.shape[0]);
    offset = static_cast<std::uint64_t>(begin) * row_bytes;
    bytes = static_cast<std::uint64_t>(count) * row_bytes;
  }
  part.data = tensor.data.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes));
  return part;
}

}  // namespace polymath
