// UTF-8, decoded and encoded strictly (RFC 3629).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polymath {

struct Utf8Char {
  char32_t code;  // U+FFFD where the bytes are not UTF-8
  int length;     // bytes it takes, at least 1
  bool valid;
};

// The code point at the beginning of `text`, which must not be empty. An invalid
// sequence gives U+FFFD for its maximal valid prefix, as Python's and Rust's lossy decoders do.
inline Utf8Char utf8_decode(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1, true};
  int length = 0;
  std::uint8_t low = 0x80, high = 0xBF;  // allowed range of the second byte
  char32_t code = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2, code = first & 0x1F;
  else if (first >= 0xE0 && first <= 0xEF) {
    length = 3, code = first & 0x0F;
    if (first == 0xE0) low = 0xA0;   // no overlong forms
    if (first == 0xED) high = 0x9F;  // no surrogates
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4, code = first & 0x07;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;  // nothing above U+10FFFF
  } else {
    return {0xFFFD, 1, false};
  }
  for (int i = 1; i < length; ++i) {
    if (static_cast<std::size_t>(i) >= text.size() || byte(i) < low || byte(i) > high) return {0xFFFD, i, false};
    code = code << 6 | (byte(i) & 0x3F);
    low = 0x80, high = 0xBF;
  }
  return {code, length, true};
}

inline void utf8_append(std::string& out, char32_t code) {
  if (code < 0x80) out += static_cast<char>(code);
  else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

bool utf8_valid(std::string_view text);
std::string utf8_lossy(std::string_view text);    // invalid sequences replaced by U+FFFD
std::size_t utf8_length(std::string_view text);   // code points; text must be valid
std::u32string utf8_to_utf32(std::string_view text);
std::string utf32_to_utf8(std::u32string_view text);

// The substring of code points [begin, end) of valid text, clipped to it.
std::string utf8_slice(std::string_view text, std::size_t begin, std::size_t end);

}  // namespace polymath
