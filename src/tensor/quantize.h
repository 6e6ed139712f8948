// Panels of 16 outputs whose numbers are 8 or 4 bits, in blocks of 32 along k with a float16 scale each (kernels.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/safetensors.h"
#include "kernels/kernels.h"

namespace polymath {

using kernels::Storage;

inline Storage panels_of(DType dtype) { return dtype == DType::kQ8 ? Storage::kQ8 : Storage::kQ4; }
inline bool is_quantized(Storage storage) { return storage == Storage::kQ8 || storage == Storage::kQ4; }

// The bytes of one panel of k inputs, in any storage. Throws Error where they are too many.
std::uint64_t bytes_of_panel(Storage storage, std::uint64_t k);

// values: [16][k] -> a panel. A scale is the one that leaves the least squared error of several near the smallest that
// reaches the column's largest value, which becomes -128 or -8 steps.
void quantize_panel(const float* values, std::size_t k, Storage storage, std::uint8_t* panel);

// out: [count] <- values [begin, begin + count) of the column's k.
void dequantize_column(const std::uint8_t* panel, std::size_t column, Storage storage, std::size_t begin, std::size_t count, float* out);

// All values of a tensor in panels, in its shape.
std::vector<float> dequantize(const TensorView& tensor);

// Copies a column of k values, bit by bit, into a column of another panel.
void copy_column(const std::uint8_t* from, std::size_t from_column, std::uint8_t* to, std::size_t to_column, Storage storage, std::size_t k);

}  // namespace polymath
