// The named tensors that a model is run on, read from a safetensors file and checked against each other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/model.h"

namespace polymath::cli {

// A named input as int32 [sequences, columns]; multiple choice has [batch, choices, columns].
struct IdMatrix {
  std::vector<std::int32_t> values;
  std::vector<std::int64_t> shape;
};

class ModelInputs {
 public:
  explicit ModelInputs(const std::string& path);  // throws Error naming the file, and the tensor where one is wrong

  const std::string& path() const { return path_; }
  const TensorView* find(const std::string& name) const;          // null when there is none
  std::optional<IdMatrix> ids(const std::string& name) const;     // of two or three axes
  std::vector<std::int32_t> integers(const std::string& name) const;  // of any shape; empty when there is none
  std::vector<float> numbers(const std::string& name) const;          // the same as float32

  const std::vector<std::int64_t>& shape() const { return ids_.shape; }  // of input_ids
  const PaddedBatch& batch() const { return batch_; }
  // Throws Error where the axes of input_ids are not those of the class.
  void check_axes(Head head) const;

  // The decoder's rows, which `missing` gives where there are no decoder_input_ids: all columns, since what a mask hides
  // is answered for too.
  Step target(const Step& source, const std::function<IdMatrix()>& missing) const;

 private:
  std::string path_;
  MappedFile file_;
  std::vector<TensorView> tensors_;
  IdMatrix ids_;
  PaddedBatch batch_;
};

}  // namespace polymath::cli
