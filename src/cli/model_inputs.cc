#include "cli/model_inputs.h"

#include <algorithm>

#include "polymath/error.h"

namespace polymath::cli {

ModelInputs::ModelInputs(const std::string& path) : path_(path), file_(path), tensors_(parse_safetensors(file_.bytes(), path)) {
  const auto found = ids("input_ids");
  if (!found) throw Error(ErrorCode::kInvalidArgument, "the tensor is missing", path + ": input_ids");
  if (found->values.empty()) throw Error(ErrorCode::kInvalidArgument, "holds no tokens", path + ": input_ids");
  ids_ = *found;
  const auto same_shape = [&](const char* name) {
    auto other = ids(name);
    if (other && other->shape != ids_.shape) throw Error(ErrorCode::kInvalidArgument, "has another shape than input_ids", path + ": " + name);
    return other ? std::move(other->values) : std::vector<std::int32_t>();
  };
  batch_ = {.ids = ids_.values, .type_ids = same_shape("token_type_ids"), .mask = same_shape("attention_mask"),
            .position_ids = same_shape("position_ids"), .columns = ids_.shape.back()};
}

const TensorView* ModelInputs::find(const std::string& name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const TensorView& t) { return t.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

std::optional<IdMatrix> ModelInputs::ids(const std::string& name) const {
  const TensorView* found = find(name);
  if (!found) return std::nullopt;
  if (found->shape.size() != 2 && found->shape.size() != 3) {
    throw Error(ErrorCode::kInvalidArgument, "has " + std::to_string(found->shape.size()) + " axes instead of 2 or 3", path_ + ": " + name);
  }
  return IdMatrix{integers(name), found->shape};
}

std::vector<std::int32_t> ModelInputs::integers(const std::string& name) const {
  std::vector<std::int32_t> values;
  const TensorView* found = find(name);
  if (!found) return values;
  const std::size_t size = dtype_size(found->dtype);
  values.reserve(static_cast<std::size_t>(found->elements()));
  for (std::size_t at = 0; at < found->data.size(); at += size) {
    const std::int64_t value = element_to_i64(found->dtype, found->data.data() + at);
    if (value < INT32_MIN || value > INT32_MAX) throw Error(ErrorCode::kInvalidArgument, std::to_string(value) + " is out of range", path_ + ": " + name);
    values.push_back(static_cast<std::int32_t>(value));
  }
  return values;
}

std::vector<float> ModelInputs::numbers(const std::string& name) const {
  const TensorView* found = find(name);
  return found ? read_f32(*found) : std::vector<float>();
}

void ModelInputs::check_axes(Head head) const {
  const bool choices = head == Head::kMultipleChoice;
  if (choices == (ids_.shape.size() == 3)) return;
  throw Error(ErrorCode::kInvalidArgument, choices ? "must be [batch, choices, tokens] for this class" : "must be [batch, tokens] for this class",
              path_ + ": input_ids");
}

Step ModelInputs::target(const Step& source, const std::function<IdMatrix()>& missing) const {
  auto given = ids("decoder_input_ids");
  const auto mask = ids("decoder_attention_mask");
  if (given && (given->shape.size() != 2 || given->shape[0] != source.sequences() || given->values.empty())) {
    throw Error(ErrorCode::kInvalidArgument, "must be [batch, tokens] with the batch of input_ids", path_ + ": decoder_input_ids");
  }
  if (!given) given = missing();
  if (mask && mask->shape != given->shape) {
    throw Error(ErrorCode::kInvalidArgument, "has another shape than decoder_input_ids", path_ + ": decoder_attention_mask");
  }
  PaddedBatch batch{.ids = given->values, .columns = given->shape[1]};
  if (mask) batch.mask = mask->values;
  return unpad(batch, Hidden::kKeep);
}

}  // namespace polymath::cli
