// The character map that sentencepiece compiles normalization rules to ("precompiled_charsmap").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polymath {

// Immutable; const use from many threads is safe.
class Charsmap {
 public:
  // `bytes`: the size of a double-array trie, the trie, and the replacements, each ended by a NUL.
  // Throws Error{kBadFile} naming `where`.
  Charsmap(std::string_view bytes, const std::string& where);

  // What the shortest prefix of `text` that has a rule becomes; nothing where none has.
  std::optional<std::string_view> transform(std::string_view text) const;

 private:
  std::vector<std::uint32_t> trie_;
  std::string replacements_;
};

}  // namespace polymath
