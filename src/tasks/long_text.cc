#include "tasks/long_text.h"

#include <algorithm>

namespace polymath {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

bool ends_sentence(std::string_view text) {
  for (std::string_view mark : {".", "!", "?", "\n", "\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F"}) {  // the ideographic ones last
    if (text.ends_with(mark)) return true;
  }
  return false;
}

enum class Cut { kSentences, kWords, kCharacters };

// Pieces that make up the text, each with the spaces behind it.
std::vector<std::string_view> pieces_of(std::string_view text, Cut cut) {
  std::vector<std::string_view> pieces;
  std::size_t begin = 0;
  for (std::size_t at = 1; at <= text.size(); ++at) {
    const bool between_characters = at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    const bool after_space = at == text.size() || (is_space(text[at - 1]) && !is_space(text[at]));
    bool here = between_characters;
    if (cut == Cut::kWords) here = after_space;
    if (cut == Cut::kSentences) {
      std::string_view before = text.substr(begin, at - begin);
      const bool new_line = before.ends_with('\n');
      while (!before.empty() && is_space(before.back())) before.remove_suffix(1);
      here = at == text.size() || (after_space && (new_line || ends_sentence(before)));
    }
    if (!here) continue;
    pieces.push_back(text.substr(begin, at - begin));
    begin = at;
  }
  return pieces;
}

}  // namespace

std::vector<std::string> parts_within(std::string_view text, std::size_t limit, const std::function<std::size_t(std::string_view)>& count) {
  if (count(text) <= limit) return {std::string(text)};
  for (const Cut cut : {Cut::kSentences, Cut::kWords, Cut::kCharacters}) {
    const auto pieces = pieces_of(text, cut);
    if (pieces.size() < 2) continue;
    std::vector<std::string> parts;
    std::string part;
    const auto flush = [&] {
      if (part.find_first_not_of(" \n\t\r") != std::string::npos) parts.push_back(part);
      part.clear();
    };
    for (std::string_view piece : pieces) {
      if (!part.empty() && count(part + std::string(piece)) > limit) flush();
      if (part.empty() && count(piece) > limit && piece.size() < text.size()) {
        for (std::string& smaller : parts_within(piece, limit, count)) parts.push_back(std::move(smaller));
      } else {
        part += piece;
      }
    }
    flush();
    return parts;
  }
  return {std::string(text)};  // one character that is more than the limit
}

}  // namespace polymath
