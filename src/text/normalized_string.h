// A text that is being normalized, and where each of its bytes came from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "text/encoding.h"
#include "text/unicode.h"

namespace polymath {

// Code points of valid UTF-8, one after the other.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text) : text_(text) {}
  bool done() const { return position_ >= text_.size(); }
  std::size_t position() const { return position_; }  // byte at which the next code point begins
  char32_t next() {
    const auto byte = static_cast<std::uint8_t>(text_[position_]);
    if (byte < 0x80) return ++position_, byte;
    const Utf8Char c = utf8_decode(text_.substr(position_));
    position_ += static_cast<std::size_t>(c.length);
    return c.code;
  }

 private:
  std::string_view text_;
  std::size_t position_ = 0;
};

inline std::size_t utf8_size(char32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

// How many bytes a component may make of a text of `before` bytes: no tokenizer of use makes more, and without a limit a small
// file that doubles a text in each of many steps would ask for all memory.
inline std::size_t growth_limit(std::size_t before) { return before * 64 + 256; }
[[noreturn]] void fail_growth(const char* part, std::size_t before);  // Error{kResource}

// A part of the original text, changed. Every byte of `text` has an alignment: the bytes of the original that it
// stands for. Without tracking there are none, and everything runs faster.
struct NormalizedString {
  using Change = unicode::Change;

  std::string text;
  std::vector<Span> align;  // bytes of the whole original; empty without tracking
  bool tracked = true;
  std::uint32_t original_begin = 0, original_end = 0;  // this part of the original
  std::size_t most = SIZE_MAX;                         // bytes that a normalizer may make of it

  static NormalizedString of(std::string_view text, bool tracked);

  // Replaces the text by what `changes` yields, after leaving out the first `removed` code points.
  void transform(const std::vector<Change>& changes, std::size_t removed);
  // The same for the bytes [begin, end) of the text alone.
  void transform_range(std::size_t begin, std::size_t end, const std::vector<Change>& changes, std::size_t removed);

  void prepend(std::string_view prefix);  // does nothing to an empty text
  void strip(bool left, bool right);
  void lowercase();
  void to_form(unicode::Form form);
  void to_bytes();  // every byte as its character of the byte-level alphabet

  template <class Keep>
  void filter(const Keep& keep) {
    std::vector<Change> changes;
    std::size_t removed = 0, removed_first = 0;
    for (CodePoints points(text); !points.done();) {
      const char32_t c = points.next();
      if (keep(c)) {
        changes.push_back({c, 0});
        continue;
      }
      ++removed;
      if (changes.empty()) ++removed_first;
      else --changes.back().change;
    }
    if (removed > 0) transform(changes, removed_first);
  }

  template <class Function>
  void map(const Function& function) {
    std::vector<Change> changes;
    bool changed = false;
    for (CodePoints points(text); !points.done();) {
      const char32_t c = points.next();
      changes.push_back({function(c), 0});
      changed |= changes.back().code != c;
    }
    if (changed) transform(changes, 0);
  }
};

// The byte-level alphabet of GPT-2: a printable code point for each byte.
char32_t byte_character(std::uint8_t byte);
int append_byte_character(std::string& out, std::uint8_t byte);  // its bytes in UTF-8
int character_byte(char32_t c);                                  // -1: none

}  // namespace polymath
