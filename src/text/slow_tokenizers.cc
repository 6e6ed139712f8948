#include "text/slow_tokenizers.h"

namespace polymath {

BackendFactory slow_backend(std::string_view tokenizer_class) {
  if (tokenizer_class == "MarianTokenizer") return make_marian_tokenizer;
  if (tokenizer_class == "M2M100Tokenizer") return make_m2m100_tokenizer;
  return nullptr;
}

}  // namespace polymath
