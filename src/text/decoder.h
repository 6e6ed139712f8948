// The decoders of tokenizer.json: tokens to text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/tokenizer_json.h"

namespace polymath {

// Const use from many threads is safe.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Changes the tokens; they are joined without spaces afterwards.
  virtual void operator()(std::vector<std::string>& tokens) const = 0;
};

// Throws Error{kBadFile} naming `where`.
std::shared_ptr<const Decoder> make_decoder(const spec::Decoder& part, const std::string& where);

void replace_all(std::string& text, std::string_view from, std::string_view to);

}  // namespace polymath
