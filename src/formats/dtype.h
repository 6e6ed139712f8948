// The number types that checkpoints hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace polymath {

// The two 8-bit floats are known by name and size only: Checkpoint::find refuses them. kQ8 and kQ4 are matrices in panels
// of blocks (panels.h), of whose elements none has bytes of its own.
enum class DType { kF64, kF32, kF16, kBf16, kI64, kI32, kI16, kI8, kU8, kBool, kU64, kU32, kU16, kF8E4M3, kF8E5M2, kQ8, kQ4 };

inline bool is_float(DType dtype) { return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBf16; }
inline bool is_panels(DType dtype) { return dtype == DType::kQ8 || dtype == DType::kQ4; }

// Of one element; not for kQ8 and kQ4.
inline std::size_t dtype_size(DType dtype) {
  switch (dtype) {
    case DType::kF64: case DType::kI64: case DType::kU64: return 8;
    case DType::kF32: case DType::kI32: case DType::kU32: return 4;
    case DType::kF16: case DType::kBf16: case DType::kI16: case DType::kU16: return 2;
    default: return 1;
  }
}

// The names of the safetensors format (and Q8, Q4, which a file cannot name): F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL U64 U32 U16 F8_E4M3 F8_E5M2.
const char* dtype_name(DType dtype);
std::optional<DType> dtype_named(std::string_view name);

float f16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_f16(float value);  // rounds to nearest even
std::uint16_t f32_to_bf16(float value);  // the same; NaN stays NaN

// One element of any type, exact where float32 can hold it.
float element_to_f32(DType dtype, const std::uint8_t* at);
std::int64_t element_to_i64(DType dtype, const std::uint8_t* at);  // floats are truncated

}  // namespace polymath
