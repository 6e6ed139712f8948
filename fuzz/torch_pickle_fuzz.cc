// A pytorch_model.bin is refused with an Error, or every byte of every tensor can be read.
#include "formats/torch_pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    volatile std::uint8_t sink = 0;
    const polymath::TorchFile file = polymath::parse_torch_file({data, size}, "input");
    for (const polymath::TensorView& t : file.tensors) {
      if (static_cast<std::uint64_t>(t.elements()) * polymath::dtype_size(t.dtype) != t.data.size()) __builtin_trap();
      for (std::uint8_t byte : t.data) sink = static_cast<std::uint8_t>(sink ^ byte);
    }
  } catch (const polymath::Error&) {
  }
  return 0;
}
