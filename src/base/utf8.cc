#include "base/utf8.h"

namespace polymath {

bool utf8_valid(std::string_view text) {
  while (!text.empty()) {
    Utf8Char c = utf8_decode(text);
    if (!c.valid) return false;
    text.remove_prefix(static_cast<std::size_t>(c.length));
  }
  return true;
}

std::string utf8_lossy(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    Utf8Char c = utf8_decode(text);
    if (c.valid) out.append(text.substr(0, static_cast<std::size_t>(c.length)));
    else utf8_append(out, 0xFFFD);
    text.remove_prefix(static_cast<std::size_t>(c.length));
  }
  return out;
}

std::size_t utf8_length(std::string_view text) {
  std::size_t count = 0;
  for (char c : text) count += (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
  return count;
}

std::u32string utf8_to_utf32(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    Utf8Char c = utf8_decode(text);
    out += c.code;
    text.remove_prefix(static_cast<std::size_t>(c.length));
  }
  return out;
}

std::string utf32_to_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char32_t code : text) utf8_append(out, code);
  return out;
}

std::string utf8_slice(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t index = 0, from = text.size(), to = text.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<std::uint8_t>(text[i]) & 0xC0) == 0x80) continue;
    if (index == begin) from = i;
    if (index == end) {
      to = i;
      break;
    }
    ++index;
  }
  return from >= to ? std::string() : std::string(text.substr(from, to - from));
}

}  // namespace polymath
