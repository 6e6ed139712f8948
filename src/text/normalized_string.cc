#include "text/normalized_string.h"

#include <algorithm>
#include <array>

#include "polymath/error.h"

namespace polymath {
namespace {

struct ByteAlphabet {
  std::array<char32_t, 256> character{};
  std::array<int, 512> byte{};
  std::array<char, 256 * 2> utf8{};  // two bytes each; the second is 0 where one is enough
  ByteAlphabet() {
    byte.fill(-1);
    char32_t next = 256;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      character[b] = printable ? b : next++;
      byte[character[b]] = static_cast<int>(b);
      std::string encoded;
      utf8_append(encoded, character[b]);
      utf8[b * 2] = encoded[0];
      utf8[b * 2 + 1] = encoded.size() > 1 ? encoded[1] : '\0';
    }
  }
};

const ByteAlphabet& alphabet() {
  static const ByteAlphabet instance;
  return instance;
}

}  // namespace

void fail_growth(const char* part, std::size_t before) {
  throw Error(ErrorCode::kResource, "makes more than " + std::to_string(growth_limit(before)) + " bytes of a text of " + std::to_string(before), part);
}

char32_t byte_character(std::uint8_t byte) { return alphabet().character[byte]; }

int append_byte_character(std::string& out, std::uint8_t byte) {
  const char* utf8 = &alphabet().utf8[byte * 2u];
  out += utf8[0];
  if (!utf8[1]) return 1;
  out += utf8[1];
  return 2;
}

int character_byte(char32_t c) { return c < 512 ? alphabet().byte[c] : -1; }

NormalizedString NormalizedString::of(std::string_view text, bool tracked) {
  NormalizedString s;
  s.text = text;
  s.tracked = tracked;
  s.original_end = static_cast<std::uint32_t>(text.size());
  s.most = growth_limit(text.size());
  if (tracked) {
    s.align.reserve(text.size());
    for (CodePoints points(text); !points.done();) {
      const auto begin = static_cast<std::uint32_t>(points.position());
      points.next();
      const auto end = static_cast<std::uint32_t>(points.position());
      for (std::uint32_t i = begin; i < end; ++i) s.align.push_back({begin, end});
    }
  }
  return s;
}

void NormalizedString::transform(const std::vector<Change>& changes, std::size_t removed) {
  if (!tracked) return transform_range(0, text.size(), changes, removed);
  // The crate asks which bytes stand for the whole original: from the first that stands for something,
  // and only while none lies beyond the original's end.
  std::size_t begin = align.size(), end = 0;
  for (std::size_t i = 0; i < align.size(); ++i) {
    if (align[i][1] > original_end || align[i][1] < original_begin) break;
    if (begin == align.size() && align[i][0] != align[i][1]) begin = i;
    end = i + 1;
  }
  if (original_begin == original_end) begin = end = 0;
  else if (end == 0) return;
  else if (begin == align.size()) begin = end;
  transform_range(begin, end, changes, removed);
}

void NormalizedString::transform_range(std::size_t begin, std::size_t end, const std::vector<Change>& changes, std::size_t removed) {
  std::string made;
  made.reserve(end - begin + 16);
  if (!tracked) {
    for (const Change& change : changes) utf8_append(made, change.code);
    if (begin == 0 && end == text.size()) text = std::move(made);
    else text.replace(begin, end - begin, made);
    return;
  }
  std::vector<Span> made_align;
  made_align.reserve(end - begin + 16);
  CodePoints replaced(std::string_view(text).substr(begin, end - begin));
  for (; removed > 0 && !replaced.done(); --removed) replaced.next();
  std::size_t offset = begin + replaced.position();
  const Span none = {original_begin, original_begin};
  auto at = [&](std::size_t i) { return i < align.size() ? align[i] : align.empty() ? none : align.back(); };
  for (const Change& change : changes) {
    Span from;
    if (change.change > 0) {
      from = offset < 1 ? none : at(offset - 1);
    } else {
      from = at(offset);
      for (std::int32_t i = change.change; i <= 0 && !replaced.done(); ++i) replaced.next();
      offset = begin + replaced.position();
    }
    utf8_append(made, change.code);
    made_align.insert(made_align.end(), utf8_size(change.code), from);
  }
  if (begin == 0 && end == text.size()) {
    text = std::move(made);
    align = std::move(made_align);
    return;
  }
  text.replace(begin, end - begin, made);
  const auto first = align.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto kept = align.erase(first, align.begin() + static_cast<std::ptrdiff_t>(end));
  align.insert(kept, made_align.begin(), made_align.end());
}

void NormalizedString::prepend(std::string_view prefix) {
  if (text.empty()) return;
  const Utf8Char first = utf8_decode(text);
  std::vector<Change> changes;
  for (CodePoints points(prefix); !points.done();) changes.push_back({points.next(), changes.empty() ? 0 : 1});
  changes.push_back({first.code, 1});
  transform_range(0, static_cast<std::size_t>(first.length), changes, 0);
}

void NormalizedString::strip(bool left, bool right) {
  std::u32string points = utf8_to_utf32(text);
  std::size_t begin = 0, end = points.size();
  if (left) {
    while (begin < points.size() && unicode::is_whitespace(points[begin])) ++begin;
  }
  std::size_t trailing = 0;
  if (right) {
    while (trailing < points.size() && unicode::is_whitespace(points[points.size() - 1 - trailing])) ++trailing;
  }
  if (begin == 0 && trailing == 0) return;
  end -= trailing;
  std::vector<Change> changes;
  for (std::size_t i = begin; i < end; ++i) changes.push_back({points[i], 0});
  transform(changes, begin);
}

void NormalizedString::lowercase() {
  if (unicode::is_ascii(text)) {
    for (char& c : text) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return;
  }
  std::vector<Change> changes;
  changes.reserve(text.size());
  for (CodePoints points(text); !points.done();) {
    const char32_t c = points.next();
    if (c == 0x130) {
      changes.push_back({'i', 0});
      changes.push_back({0x307, 1});
    } else {
      changes.push_back({unicode::lower(c), 0});
    }
  }
  transform(changes, 0);
}

void NormalizedString::to_form(unicode::Form form) {
  std::vector<Change> changes;
  if (unicode::normalize(text, form, changes)) transform(changes, 0);
}

void NormalizedString::to_bytes() {
  std::string made;
  made.reserve(text.size() * 2);
  std::vector<Span> made_align;
  if (tracked) made_align.reserve(text.size() * 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int size = append_byte_character(made, static_cast<std::uint8_t>(text[i]));
    if (tracked) made_align.insert(made_align.end(), static_cast<std::size_t>(size), align[i]);
  }
  text = std::move(made);
  align = std::move(made_align);
}

}  // namespace polymath
