// The pre-tokenizers of tokenizer.json: a text cut into words.
#pragma once

#include <memory>
#include <string>

#include "formats/tokenizer_json.h"
#include "text/pieces.h"

namespace polymath {

// Const use from many threads is safe.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void operator()(Pieces& pieces) const = 0;
  virtual bool needs_tracking() const { return false; }  // depends on where pieces began in the original
};

// Throws Error{kBadFile} naming `where`.
std::shared_ptr<const PreTokenizer> make_pre_tokenizer(const spec::PreTokenizer& part, const std::string& where);

}  // namespace polymath
