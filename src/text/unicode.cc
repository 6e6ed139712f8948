#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "base/utf8.h"
#include "text/unicode_tables.h"

namespace polymath::unicode {
namespace {

// Finds the run of a code point: the runs of each page of 256 code points are few.
class RunIndex {
 public:
  RunIndex(const std::uint32_t* runs, std::size_t size) : runs_(runs) {
    std::size_t run = 0;
    for (std::size_t page = 0; page <= kPages; ++page) {
      while (run + 1 < size && runs[run + 1] >> 8 <= page << 8) ++run;
      first_[page] = static_cast<std::uint16_t>(run);
    }
  }

  std::uint8_t value(char32_t c) const {
    if (c > 0x10FFFF) c = 0xD800;
    const std::size_t page = c >> 8;
    const std::uint32_t* begin = runs_ + first_[page];
    const std::uint32_t* end = runs_ + first_[page + 1] + 1;
    const std::uint32_t* after = std::upper_bound(begin, end, static_cast<std::uint32_t>(c) << 8 | 0xFF);
    return static_cast<std::uint8_t>(after[-1]);
  }

 private:
  static constexpr std::size_t kPages = 0x1100;
  const std::uint32_t* runs_;
  std::array<std::uint16_t, kPages + 1> first_{};
};

const RunIndex& records() {
  static const RunIndex index(kRuns, kRunsSize);
  return index;
}

}  // namespace

std::uint32_t record(char32_t c) { return kRecords[records().value(c)]; }

std::uint8_t script_class(char32_t c) {
  static const RunIndex index(kScriptRuns, kScriptRunsSize);
  return index.value(c);
}

char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  std::size_t low = 0, high = kLowerRunsSize / 4;  // the first run whose last is not below c
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (kLowerRuns[middle * 4 + 1] < c) low = middle + 1;
    else high = middle;
  }
  if (low == kLowerRunsSize / 4) return c;
  const std::uint32_t* run = kLowerRuns + low * 4;
  if (c < run[0] || (c - run[0]) % run[2] != 0) return c;
  return c + run[3];
}

std::string lower_text(std::string_view text) {
  const std::u32string codes = utf8_to_utf32(text);
  const auto type = [](char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); };
  const auto is_cased = [&](char32_t c) {
    const auto t = type(c);
    return t == UTF8PROC_CATEGORY_LU || t == UTF8PROC_CATEGORY_LL || t == UTF8PROC_CATEGORY_LT;
  };
  const auto is_ignorable = [&](char32_t c) {
    const auto t = type(c);
    return t == UTF8PROC_CATEGORY_MN || t == UTF8PROC_CATEGORY_ME || t == UTF8PROC_CATEGORY_CF || t == UTF8PROC_CATEGORY_LM || t == UTF8PROC_CATEGORY_SK ||
           std::u32string_view(U"'.:\u00B7\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A").find(c) != std::u32string_view::npos;
  };
  std::u32string out;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] == 0x130) out += U"i\u0307";
    else if (codes[i] == 0x3A3) {
      std::size_t before = i, after = i + 1;
      while (before > 0 && is_ignorable(codes[before - 1])) --before;
      while (after < codes.size() && is_ignorable(codes[after])) ++after;
      const bool is_final = before > 0 && is_cased(codes[before - 1]) && !(after < codes.size() && is_cased(codes[after]));
      out += is_final ? U'\u03C2' : U'\u03C3';
    } else out += lower(codes[i]);
  }
  return utf32_to_utf8(out);
}

bool is_ascii(std::string_view text) {
  std::size_t i = 0;
  std::uint64_t all = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    all |= word;
  }
  for (; i < text.size(); ++i) all |= static_cast<std::uint8_t>(text[i]);
  return (all & 0x8080808080808080u) == 0;
}

std::size_t grapheme_length(std::string_view text) {
  using enum Grapheme;
  Utf8Char c = utf8_decode(text);
  std::size_t length = static_cast<std::size_t>(c.length);
  Grapheme before = grapheme_class(c.code);
  bool pictographic = before == kPictographic;  // ExtPict Extend* ZWJ so far
  while (length < text.size()) {
    c = utf8_decode(text.substr(length));
    const Grapheme after = grapheme_class(c.code);
    bool joined = false;
    if (before == kCr && after == kLf) joined = true;
    else if (before == kControl || before == kCr || before == kLf || after == kControl || after == kCr || after == kLf) joined = false;
    else if (before == kL && (after == kL || after == kV || after == kLv || after == kLvt)) joined = true;
    else if ((before == kLv || before == kV) && (after == kV || after == kT)) joined = true;
    else if ((before == kLvt || before == kT) && after == kT) joined = true;
    else if (after == kExtend || after == kZwj || after == kSpacingMark || before == kPrepend) joined = true;
    else if (before == kZwj && after == kPictographic && pictographic) joined = true;
    // Left out, for they join what is longer than 5 bytes anyway: flags, and conjuncts of Indic scripts.
    if (!joined) break;
    if (after == kPictographic) pictographic = true;
    else if (after != kExtend && after != kZwj) pictographic = false;
    before = after;
    length += static_cast<std::size_t>(c.length);
  }
  return length;
}

namespace {

bool is_hangul_syllable(char32_t c) { return c >= 0xAC00 && c <= 0xD7A3; }

std::uint8_t combining_class(char32_t c) {
  if (c < 0x300 || !has(c, kNormalizing)) return 0;
  return static_cast<std::uint8_t>(utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class);
}

struct Classed {
  Change change;
  std::uint8_t combining;
};

// Full decompositions, with marks in canonical order.
void decompose(std::string_view text, bool compatible, std::vector<Classed>& out) {
  std::size_t sorted = 0;  // out[sorted..] are marks that wait for the next starter
  auto sort_pending = [&] {
    std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(sorted), out.end(),
                     [](const Classed& a, const Classed& b) { return a.combining < b.combining; });
    sorted = out.size();
  };
  auto push = [&](char32_t c, bool first) {
    const std::uint8_t combining = combining_class(c);
    if (combining == 0) sort_pending();
    out.push_back({{c, first ? 0 : 1}, combining});
  };
  while (!text.empty()) {
    const Utf8Char c = utf8_decode(text);
    text.remove_prefix(static_cast<std::size_t>(c.length));
    if (c.code < 0xA0 || (!is_hangul_syllable(c.code) && !has(c.code, kNormalizing))) {
      push(c.code, true);
      continue;
    }
    utf8proc_int32_t parts[32];
    int boundary = 0;
    const auto flags = static_cast<utf8proc_option_t>(compatible ? UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT : UTF8PROC_DECOMPOSE);
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c.code), parts, std::size(parts), flags, &boundary);
    if (count <= 0 || count > static_cast<utf8proc_ssize_t>(std::size(parts))) {
      push(c.code, true);
      continue;
    }
    for (utf8proc_ssize_t i = 0; i < count; ++i) push(static_cast<char32_t>(parts[i]), i == 0);
  }
  sort_pending();
}

// The composition of two code points, or 0.
char32_t compose(char32_t a, char32_t b) {
  if (a >= 0x1100 && a < 0x1113 && b >= 0x1161 && b < 0x1176) return 0xAC00 + ((a - 0x1100) * 21 + (b - 0x1161)) * 28;
  if (is_hangul_syllable(a) && (a - 0xAC00) % 28 == 0 && b > 0x11A7 && b < 0x11C3) return a + (b - 0x11A7);
  if (b < 0x300 || a < 0x3C || is_hangul_syllable(a) || (a >= 0x1100 && a < 0x1200)) return 0;  // these compose with nothing else
  utf8proc_int32_t pair[3] = {static_cast<utf8proc_int32_t>(a), static_cast<utf8proc_int32_t>(b), 0};
  const auto flags = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair, 2, flags) != 1) return 0;
  const auto composed = static_cast<char32_t>(pair[0]);
  return has(composed, kNormalizing) ? composed : 0;
}

// Composes what `decomposed` holds, in the order (and with the origins) of the crate unicode-normalization-alignments.
void recompose(const std::vector<Classed>& decomposed, std::vector<Change>& out) {
  std::vector<Change> blocked;  // marks behind the starter that did not compose with it
  Change starter{};
  bool has_starter = false, has_last = false;
  std::uint8_t last_class = 0;
  auto emit_blocked = [&] {
    out.insert(out.end(), blocked.begin(), blocked.end());
    blocked.clear();
  };
  for (const auto& [change, combining] : decomposed) {
    if (!has_starter) {
      if (combining != 0) out.push_back(change);
      else starter = change, has_starter = true;
      continue;
    }
    const bool is_blocked = has_last && last_class >= combining;
    const char32_t composed = is_blocked ? 0 : compose(starter.code, change.code);
    if (composed) {
      starter = {composed, starter.change + change.change - 1};
    } else if (combining == 0 && (!has_last || is_blocked)) {
      out.push_back(starter);
      emit_blocked();
      starter = change;
      has_last = false;
    } else {
      blocked.push_back(change);
      last_class = combining;
      has_last = true;
    }
  }
  if (has_starter) out.push_back(starter);
  emit_blocked();
}

}  // namespace

bool normalize(std::string_view text, Form form, std::vector<Change>& out) {
  out.clear();
  const bool composing = form == Form::kNfc || form == Form::kNfkc;
  // Below this code point the form changes nothing.
  const char32_t limit = form == Form::kNfc ? 0x300 : form == Form::kNfd ? 0xC0 : 0xA0;
  bool changes = false;
  for (std::string_view rest = text; !rest.empty() && !changes;) {
    const Utf8Char c = utf8_decode(rest);
    rest.remove_prefix(static_cast<std::size_t>(c.length));
    // Jamo and some others compose without being changed themselves, so composing forms skip only what is low.
    changes = c.code >= limit && (composing || is_hangul_syllable(c.code) || has(c.code, kNormalizing));
  }
  if (!changes) return false;
  std::vector<Classed> decomposed;
  decomposed.reserve(text.size());
  decompose(text, form == Form::kNfkd || form == Form::kNfkc, decomposed);
  out.reserve(decomposed.size());
  if (composing) recompose(decomposed, out);
  else {
    for (const Classed& item : decomposed) out.push_back(item.change);
  }
  return true;
}

}  // namespace polymath::unicode
