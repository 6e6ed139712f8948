// What a training needs to go on after its process has ended at any moment: one file, replaced as a whole.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "formats/safetensors.h"

namespace polymath {

// The file OUT/.training/state.safetensors. Not thread safe.
class TrainingState {
 public:
  explicit TrainingState(const std::string& output);

  bool exists() const;
  const std::string& path() const { return path_; }

  // Replaces what is there at one stroke: who reads it, or is killed meanwhile, has the old one or the new one. Throws
  // Error{kIo} where it cannot be written; the old one stays.
  void write(const std::vector<NamedArray>& arrays, const Json& progress) const;

  struct Kept {
    MappedFile file;
    std::vector<TensorView> tensors;
    Json progress;
  };
  // Throws Error naming the file, where it is none that write() made.
  Kept read() const;

  // Takes away what processes that were killed have left beside it.
  void clean() const;

 private:
  std::string folder_, path_;
};

}  // namespace polymath
