// Quantized matrices inside a safetensors file, as `polymath quantize` writes them (docs/quantization.md).
//
// A matrix [n, k] is a U8 tensor of its panels: [ceil(n/16)][ceil(k/32)] blocks of 16 float16 scales and 32 x 16 numbers.
// Which tensors are such is said in __metadata__, under the key kPanelsKey, as JSON:
// {"version": 1, "tensors": {NAME: {"storage": "q8" or "q4", "shape": [n, k], "transposed": false}}}.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats/safetensors.h"

namespace polymath {

inline constexpr const char* kPanelsKey = "polymath.panels";
inline constexpr int kPanelsVersion = 1;
inline constexpr std::size_t kPanelOutputs = 16, kPanelBlock = 32;
inline constexpr std::size_t kQ8BlockBytes = 544, kQ4BlockBytes = 288;

// The bytes of the panels of a matrix. Throws Error naming `where` if there are too many.
std::uint64_t panels_bytes(DType dtype, std::uint64_t n, std::uint64_t k, const std::string& where);

// Gives the tensors that the metadata names their type and shape. Throws Error naming `where` and the tensor if they do
// not fit what it says.
void apply_panels(std::vector<TensorView>& tensors, const std::map<std::string, std::string>& metadata, const std::string& where);

// What a writer says of one tensor.
struct PanelsEntry {
  std::string name;
  DType dtype = DType::kQ8;
  std::vector<std::int64_t> shape;
  bool transposed = false;
};
std::string panels_metadata(const std::vector<PanelsEntry>& entries);

}  // namespace polymath
