#include "text/charsmap.h"

#include "base/bytes.h"
#include "base/utf8.h"
#include "polymath/error.h"

namespace polymath {
namespace {

// A unit of the trie: a label, the offset to its children, and whether a value follows.
bool has_leaf(std::uint32_t unit) { return unit >> 8 & 1; }
std::uint32_t label(std::uint32_t unit) { return unit & (1u << 31 | 0xFF); }
std::uint32_t offset(std::uint32_t unit) { return unit >> 10 << ((unit & 1u << 9) >> 6); }
std::uint32_t value(std::uint32_t unit) { return unit & ((1u << 31) - 1); }

}  // namespace

Charsmap::Charsmap(std::string_view bytes, const std::string& where) {
  const std::string name = where + ": precompiled_charsmap";
  if (bytes.empty()) throw Error(ErrorCode::kBadFile, "is empty", name);
  ByteReader reader(as_bytes(bytes), name);
  const std::size_t units = reader.read<std::uint32_t>() / 4;
  if (units > reader.remaining() / 4) reader.fail("its trie is longer than the file's data");
  if (units == 0) reader.fail("its trie is empty");
  trie_.reserve(units);
  for (std::size_t i = 0; i < units; ++i) trie_.push_back(reader.read<std::uint32_t>());
  replacements_ = as_text(reader.take(reader.remaining()));
  if (!utf8_valid(replacements_)) reader.fail("its replacements are not UTF-8");
}

std::optional<std::string_view> Charsmap::transform(std::string_view text) const {
  std::size_t node = offset(trie_[0]);
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte == 0) break;
    node ^= byte;
    if (node >= trie_.size() || label(trie_[node]) != byte) break;
    const std::uint32_t unit = trie_[node];
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= trie_.size()) break;
    const std::size_t begin = value(trie_[node]);
    // A damaged map may point behind the replacements or into a character.
    if (begin > replacements_.size()) break;
    if (begin < replacements_.size() && (static_cast<std::uint8_t>(replacements_[begin]) & 0xC0) == 0x80) break;
    const std::size_t end = replacements_.find('\0', begin);
    return std::string_view(replacements_).substr(begin, end == std::string::npos ? end : end - begin);
  }
  return std::nullopt;
}

}  // namespace polymath
