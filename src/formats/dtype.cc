#include "formats/dtype.h"

#include <cmath>

namespace polymath {
namespace {

struct Name {
  const char* name;
  DType dtype;
};
constexpr Name kNames[] = {{"F64", DType::kF64}, {"F32", DType::kF32}, {"F16", DType::kF16}, {"BF16", DType::kBf16},
                           {"I64", DType::kI64}, {"I32", DType::kI32}, {"I16", DType::kI16}, {"I8", DType::kI8},
                           {"U8", DType::kU8},   {"BOOL", DType::kBool}, {"U64", DType::kU64}, {"U32", DType::kU32},
                           {"U16", DType::kU16}, {"F8_E4M3", DType::kF8E4M3}, {"F8_E5M2", DType::kF8E5M2}};

template <class T>
T load(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

const char* dtype_name(DType dtype) {
  if (is_panels(dtype)) return dtype == DType::kQ8 ? "Q8" : "Q4";
  for (const Name& n : kNames) {
    if (n.dtype == dtype) return n.name;
  }
  return "?";
}

std::optional<DType> dtype_named(std::string_view name) {
  for (const Name& n : kNames) {
    if (name == n.name) return n.dtype;
  }
  return std::nullopt;
}

float f16_to_f32(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  std::uint32_t exponent = bits >> 10 & 0x1F, mantissa = bits & 0x3FF;
  std::uint32_t out;
  if (exponent == 31) out = sign | 0x7F800000 | mantissa << 13;
  else if (exponent != 0) out = sign | (exponent + 112) << 23 | mantissa << 13;
  else {
    const float value = std::ldexp(static_cast<float>(mantissa), -24);  // subnormal or zero, exact
    std::memcpy(&out, &value, 4);
    out |= sign;
  }
  float result;
  std::memcpy(&result, &out, 4);
  return result;
}

std::uint16_t f32_to_bf16(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<std::uint16_t>(bits >> 16 | 0x40);  // NaN stays NaN
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

std::uint16_t f32_to_f16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  bits &= 0x7FFFFFFF;
  if (bits > 0x7F800000) return sign | 0x7E00;
  if (bits >= 0x477FF000) return sign | 0x7C00;  // rounds above the largest finite value
  if (bits < 0x38800000) {                       // subnormal: the nearest multiple of 2^-24
    float magnitude;
    std::memcpy(&magnitude, &bits, 4);
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(std::ldexp(magnitude, 24))));
  }
  const std::uint32_t rounded = bits + 0xFFF + (bits >> 13 & 1);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

float element_to_f32(DType dtype, const std::uint8_t* at) {
  switch (dtype) {
    case DType::kF64: return static_cast<float>(load<double>(at));
    case DType::kF32: return load<float>(at);
    case DType::kF16: return f16_to_f32(load<std::uint16_t>(at));
    case DType::kBf16: {
      const std::uint32_t bits = static_cast<std::uint32_t>(load<std::uint16_t>(at)) << 16;
      float value;
      std::memcpy(&value, &bits, 4);
      return value;
    }
    default: return static_cast<float>(element_to_i64(dtype, at));
  }
}

std::int64_t element_to_i64(DType dtype, const std::uint8_t* at) {
  switch (dtype) {
    case DType::kI64: return load<std::int64_t>(at);
    case DType::kI32: return load<std::int32_t>(at);
    case DType::kI16: return load<std::int16_t>(at);
    case DType::kI8: return load<std::int8_t>(at);
    case DType::kU64: return static_cast<std::int64_t>(load<std::uint64_t>(at));
    case DType::kU32: return load<std::uint32_t>(at);
    case DType::kU16: return load<std::uint16_t>(at);
    case DType::kU8: case DType::kBool: case DType::kF8E4M3: case DType::kF8E5M2: return *at;
    default: {
      const double value = dtype == DType::kF64 ? load<double>(at) : static_cast<double>(element_to_f32(dtype, at));
      if (!(value > -9.2e18 && value < 9.2e18)) return INT64_MIN;
      return static_cast<std::int64_t>(value);
    }
  }
}

}  // namespace polymath
