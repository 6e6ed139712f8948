// A safetensors file is refused with an Error, or every byte of every tensor can be read.
#include "formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    volatile std::uint8_t sink = 0;
    for (const polymath::TensorView& t : polymath::parse_safetensors({data, size}, "input")) {
      if (static_cast<std::uint64_t>(t.elements()) * polymath::dtype_size(t.dtype) != t.data.size()) __builtin_trap();
      for (std::uint8_t byte : t.data) sink = static_cast<std::uint8_t>(sink ^ byte);
      if (t.elements() > 0) sink = static_cast<std::uint8_t>(polymath::element_to_i64(t.dtype, t.data.data()));
    }
  } catch (const polymath::Error&) {
  }
  return 0;
}
