// A safetensors file is refused with an Error, or every byte of every tensor and every value of a quantized one can be read.
#include "formats/panels.h"
#include "tensor/weight.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    volatile std::uint8_t sink = 0;
    std::map<std::string, std::string> metadata;
    auto tensors = polymath::parse_safetensors({data, size}, "input", nullptr, &metadata);
    polymath::apply_panels(tensors, metadata, "input");
    for (const polymath::TensorView& t : tensors) {
      if (polymath::is_panels(t.dtype)) {
        if (polymath::read_f32(t).size() != static_cast<std::size_t>(t.elements())) __builtin_trap();
        continue;
      }
      if (static_cast<std::uint64_t>(t.elements()) * polymath::dtype_size(t.dtype) != t.data.size()) __builtin_trap();
      for (std::uint8_t byte : t.data) sink = static_cast<std::uint8_t>(sink ^ byte);
      if (t.elements() > 0) sink = static_cast<std::uint8_t>(polymath::element_to_i64(t.dtype, t.data.data()));
    }
  } catch (const polymath::Error&) {
  }
  return 0;
}
