// The normalizers of tokenizer.json.
#pragma once

#include <memory>
#include <string>

#include "formats/tokenizer_json.h"
#include "text/normalized_string.h"

namespace polymath {

// Const use from many threads is safe.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void operator()(NormalizedString& s) const = 0;
};

// Throws Error{kBadFile} naming `where`.
std::shared_ptr<const Normalizer> make_normalizer(const spec::Normalizer& part, const std::string& where);

}  // namespace polymath
