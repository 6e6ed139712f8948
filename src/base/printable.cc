#include "base/printable.h"

#include "base/utf8.h"

namespace polymath {

std::string printable(std::string_view text, std::size_t most) {
  constexpr const char* kHex = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (out.size() >= most) return out + "...";
    const Utf8Char c = utf8_decode(text.substr(i));
    const auto length = static_cast<std::size_t>(c.length);
    if (c.code == '\n') out += "\\n";
    else if (!c.valid || c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0) || c.code == 0x2028 || c.code == 0x2029) {
      for (std::size_t k = 0; k < length; ++k) {
        const auto byte = static_cast<unsigned char>(text[i + k]);
        out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      }
    } else out += text.substr(i, length);
    i += length;
  }
  return out;
}

}  // namespace polymath
