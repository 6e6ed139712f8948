// pytorch_model.bin: what torch.save wrote of a state dict, zip archive or legacy file.
//
// A pickle is a program. The one here can build dicts, lists, tuples, numbers, strings and tensors, and nothing
// else: every other global it names is refused, none is ever called.
// Sources: the opcodes' comments in CPython's pickletools; torch/serialization.py for the two containers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/safetensors.h"

namespace polymath {

struct TorchFile {
  std::vector<TensorView> tensors;  // in the order of the dict; values that are not tensors are left out
  std::vector<std::shared_ptr<const void>> owned;  // bytes of tensors that were not contiguous: keep while views are used
};

// Throws Error naming `where` and the tensor or opcode. Limits: 64 MB of pickle, 4 million values in it, 8 axes;
// tensors to be rearranged may take 4 times the file's size.
TorchFile parse_torch_file(Bytes file, const std::string& where, const MappedFile* mapped = nullptr);

}  // namespace polymath
