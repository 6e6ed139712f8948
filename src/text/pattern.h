// Patterns of tokenizer.json: plain strings, and regular expressions as Oniguruma reads them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_json.h"
#include "text/pieces.h"

namespace polymath {

// Const use from many threads is safe.
class TextPattern {
 public:
  virtual ~TextPattern() = default;
  // Covers the text (not empty) with matches and what lies between. Empty matches are yielded too.
  // Throws Error{kResource} where a regular expression needs too long.
  virtual void find(std::string_view text, std::vector<Match>& out) const = 0;
};

// Throws Error{kBadFile} naming `where` for a regular expression that cannot be read.
std::shared_ptr<const TextPattern> make_pattern(const spec::Pattern& pattern, const std::string& where);

// The pattern that splits words for ByteLevel's use_regex.
std::shared_ptr<const TextPattern> gpt2_pattern();

}  // namespace polymath
