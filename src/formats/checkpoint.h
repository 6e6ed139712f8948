// The weights of a checkpoint folder, whatever file they are in.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "formats/safetensors.h"

namespace polymath {

// Opens model.safetensors, model.safetensors.index.json, pytorch_model.bin or pytorch_model.bin.index.json, the
// first that exists. Files are mapped; only headers are read. Const use from many threads is safe.
class Checkpoint {
 public:
  Checkpoint() = default;  // no tensors

  // Throws Error naming the file and tensor at fault.
  static Checkpoint open(const std::string& folder);

  // The same of a PEFT adapter: adapter_model.safetensors or adapter_model.bin.
  static Checkpoint open_adapter(const std::string& folder);

  // The same tensors, whose bytes stay this checkpoint's; for a copy that is to be changed.
  Checkpoint view() const;

  // Puts float32 values in the place of a tensor, or adds one. Not for use while others read.
  void set(const std::string& name, std::vector<std::int64_t> shape, std::vector<float> values);

  // Null when there is none. Throws Error{kUnsupported} where the tensor's type is known but cannot be computed with.
  const TensorView* find(const std::string& name) const;
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }

 private:
  static Checkpoint open_first(const std::string& folder, std::initializer_list<const char*> names, const char* what);
  void add_file(const std::string& path);
  void add_tensors(std::vector<TensorView> tensors, const std::string& path);
  void add_shards(const std::string& folder, const std::string& index_path);

  std::vector<std::unique_ptr<MappedFile>> files_;
  std::vector<std::shared_ptr<const void>> owned_;  // bytes that had to be rearranged
  std::map<std::string, TensorView> tensors_;
};

}  // namespace polymath
