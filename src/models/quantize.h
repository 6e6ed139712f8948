// A checkpoint folder with its matrices quantized, or in bfloat16, written once and loaded quickly ever after.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "formats/config.h"
#include "tensor/weight.h"

namespace polymath {

struct QuantizeReport {
  std::uint64_t bytes_before = 0, bytes_after = 0;  // of all tensors
  std::size_t quantized = 0, kept = 0;              // tensors
};

// Writes the folder `out`: the weights of `folder` as LoadType::kQ8, kQ4 or kBf16 would keep them in memory (tables that are
// looked up in 8 bits with both quantized types), config.json with a note of it, and all other files of the folder.
// docs/quantization.md describes the format. All or nothing: `out` must not exist, and appears when all is written.
// progress: called with the parts done and in all. Throws Error naming the file at fault.
QuantizeReport quantize_checkpoint(const std::string& folder, const std::string& out, LoadType type,
                                   const std::function<void(std::size_t, std::size_t)>& progress = {});

// The quantization_config of a config.json that quantize_checkpoint wrote says how to load what it left as it was; kAuto
// where there is none. Throws Error{kUnsupported} where another program's method is named.
LoadType saved_type(const Config& config);

}  // namespace polymath
