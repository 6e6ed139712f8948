#include "text/python_text.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/utf8.h"
#include "polymath/error.h"
#include "text/python_text_tables.h"

namespace polymath::python {
namespace {

// The set of facts of a code point: the runs of each page of 256 code points are few.
class FlagIndex {
 public:
  FlagIndex() {
    std::size_t run = 0;
    for (std::size_t page = 0; page < first_.size(); ++page) {
      while (run + 1 < kFlagRunsSize && kFlagRuns[run + 1] >> 8 <= page << 8) ++run;
      first_[page] = static_cast<std::uint16_t>(run);
    }
  }
  std::uint16_t flags(char32_t c) const {
    const std::size_t page = std::min<std::size_t>(c >> 8, 0x10FF);
    const std::uint32_t* end = kFlagRuns + first_[page + 1] + 1;
    return kFlags[std::upper_bound(kFlagRuns + first_[page], end, static_cast<std::uint32_t>(c) << 8 | 0xFF)[-1] & 0xFF];
  }

 private:
  std::array<std::uint16_t, 0x1101> first_{};
};

std::uint16_t flags(char32_t c) {
  static const FlagIndex index;
  return index.flags(c);
}

// Appends what `c` maps to; false where the tables say nothing.
bool map_one(char32_t c, const std::uint32_t* runs, std::size_t runs_size, const std::uint32_t* special, std::size_t special_size, std::u32string& out) {
  std::size_t low = 0, high = runs_size / 4;  // the first run whose last is not below c
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (runs[middle * 4 + 1] < c) low = middle + 1;
    else high = middle;
  }
  if (low < runs_size / 4 && runs[low * 4] <= c && (c - runs[low * 4]) % runs[low * 4 + 2] == 0) {
    out += static_cast<char32_t>(c + runs[low * 4 + 3]);
    return true;
  }
  for (std::size_t i = 0; i < special_size && special[i] <= c; i += 2 + special[i + 1]) {
    if (special[i] != c) continue;
    for (std::uint32_t k = 0; k < special[i + 1]; ++k) out += static_cast<char32_t>(special[i + 2 + k]);
    return true;
  }
  return false;
}

void append_upper(char32_t c, std::u32string& out) {
  if (!map_one(c, kUpperRuns, kUpperRunsSize, kUpperSpecial, kUpperSpecialSize, out)) out += c;
}

void append_title(char32_t c, std::u32string& out) {
  if (!map_one(c, kTitleRuns, kTitleRunsSize, kTitleSpecial, kTitleSpecialSize, out)) append_upper(c, out);
}

// Σ becomes ς at the end of a word.
void append_lower(const std::u32string& text, std::size_t i, std::u32string& out) {
  const char32_t c = text[i];
  if (c == U'\u03A3') {
    std::size_t before = i, after = i + 1;
    while (before > 0 && is(text[before - 1], Fact::kSigmaSkip)) --before;
    while (after < text.size() && is(text[after], Fact::kSigmaSkip)) ++after;
    const bool ends = before > 0 && is(text[before - 1], Fact::kSigmaStop) && !(after < text.size() && is(text[after], Fact::kSigmaStop));
    out += ends ? U'\u03C2' : U'\u03C3';
    return;
  }
  if (!map_one(c, kLowerRuns, kLowerRunsSize, kLowerSpecial, kLowerSpecialSize, out)) out += c;
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

template <class Visit>
void each(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const Utf8Char c = utf8_decode(text);
    visit(c.code);
    text.remove_prefix(static_cast<std::size_t>(c.length));
  }
}

// The code point that ends a text that is not empty, and its bytes.
std::pair<char32_t, std::size_t> last_of(std::string_view text) {
  std::size_t begin = text.size() - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  return {utf8_decode(text.substr(begin)).code, text.size() - begin};
}

bool breaks_line(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

std::vector<std::string_view> split_at_whitespace(std::string_view text, std::int64_t most, bool from_right) {
  std::vector<std::string_view> out;
  const Ends outer = from_right ? Ends::kRight : Ends::kLeft;
  for (text = strip(text, std::nullopt, outer); !text.empty(); text = strip(text, std::nullopt, outer)) {
    if (most >= 0 && static_cast<std::int64_t>(out.size()) == most) {
      out.push_back(text);  // whitespace at its far end stays
      break;
    }
    std::size_t taken = 0;
    while (taken < text.size()) {
      const auto [code, length] = from_right ? last_of(text.substr(0, text.size() - taken))
                                             : std::pair<char32_t, std::size_t>(utf8_decode(text.substr(taken)).code, utf8_decode(text.substr(taken)).length);
      if (is_space(code)) break;
      taken += length;
    }
    out.push_back(from_right ? text.substr(text.size() - taken) : text.substr(0, taken));
    if (from_right) text.remove_suffix(taken);
    else text.remove_prefix(taken);
  }
  if (from_right) std::reverse(out.begin(), out.end());
  return out;
}

// The digits of a number as ASCII, without underscores between digits; nothing where there is something else.
std::optional<std::string> plain_digits(std::string_view text) {
  std::string out;
  bool wrong = false;
  each(strip(text), [&](char32_t c) {
    if (c < 0x80) out += static_cast<char>(c);
    else if (is(c, Fact::kDecimal)) out += static_cast<char>('0' + decimal_value(c));
    else wrong = true;
  });
  if (wrong) return std::nullopt;
  return out;
}

bool is_digit_of(char c, int base) {
  const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
  return value < base;
}

}  // namespace

bool is(char32_t c, Fact fact) { return (flags(c) >> static_cast<int>(fact) & 1) != 0; }

int decimal_value(char32_t c) {
  char32_t begin = c;  // digits stand in runs of ten, from 0 to 9
  while (begin > 0 && is(begin - 1, Fact::kDecimal)) --begin;
  return static_cast<int>((c - begin) % 10);
}

std::string change_case(std::string_view text, Case to) {
  if (is_ascii(text) && (to == Case::kUpper || to == Case::kLower)) {
    std::string out(text);
    for (char& c : out) {
      if (to == Case::kUpper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
      if (to == Case::kLower && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return out;
  }
  const std::u32string in = utf8_to_utf32(text);
  std::u32string out;
  bool in_word = false;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const char32_t c = in[i];
    switch (to) {
      case Case::kUpper: append_upper(c, out); break;
      case Case::kLower: append_lower(in, i, out); break;
      case Case::kCapitalize: i == 0 ? append_title(c, out) : append_lower(in, i, out); break;
      case Case::kTitle:
        in_word ? append_lower(in, i, out) : append_title(c, out);
        in_word = is(c, Fact::kCased);
        break;
      case Case::kSwap: is(c, Fact::kUpper) ? append_lower(in, i, out) : is(c, Fact::kLower) ? append_upper(c, out) : void(out += c); break;
      case Case::kFold:
        if (!map_one(c, kFoldRuns, kFoldRunsSize, kFoldSpecial, kFoldSpecialSize, out) &&
            !map_one(c, kLowerRuns, kLowerRunsSize, kLowerSpecial, kLowerSpecialSize, out)) out += c;
        break;
    }
  }
  return utf32_to_utf8(out);
}

bool is_lower(std::string_view text) {
  bool found = false, wrong = false;
  each(text, [&](char32_t c) {
    wrong |= is(c, Fact::kUpper) || is(c, Fact::kTitle);
    found |= is(c, Fact::kLower);
  });
  return found && !wrong;
}

bool is_upper(std::string_view text) {
  bool found = false, wrong = false;
  each(text, [&](char32_t c) {
    wrong |= is(c, Fact::kLower) || is(c, Fact::kTitle);
    found |= is(c, Fact::kUpper);
  });
  return found && !wrong;
}

bool is_title(std::string_view text) {
  bool found = false, wrong = false, in_word = false;
  each(text, [&](char32_t c) {
    if (is(c, Fact::kUpper) || is(c, Fact::kTitle)) wrong |= in_word, in_word = found = true;
    else if (is(c, Fact::kLower)) wrong |= !in_word, in_word = found = true;
    else in_word = false;
  });
  return found && !wrong;
}

bool all(std::string_view text, bool (*fact)(char32_t)) {
  bool yes = !text.empty();
  each(text, [&](char32_t c) { yes = yes && fact(c); });
  return yes;
}

bool is_identifier(std::string_view text) {
  bool first = true, yes = !text.empty();
  each(text, [&](char32_t c) {
    yes = yes && is(c, first ? Fact::kIdentifierStart : Fact::kIdentifierPart);
    first = false;
  });
  return yes;
}

std::string_view strip(std::string_view text, std::optional<std::string_view> chars, Ends ends) {
  const std::u32string set = chars ? utf8_to_utf32(*chars) : std::u32string();
  const auto goes = [&](char32_t c) { return chars ? set.find(c) != std::u32string::npos : is_space(c); };
  while (ends != Ends::kRight && !text.empty()) {
    const Utf8Char c = utf8_decode(text);
    if (!goes(c.code)) break;
    text.remove_prefix(static_cast<std::size_t>(c.length));
  }
  while (ends != Ends::kLeft && !text.empty()) {
    const auto [code, length] = last_of(text);
    if (!goes(code)) break;
    text.remove_suffix(length);
  }
  return text;
}

std::vector<std::string_view> split(std::string_view text, std::optional<std::string_view> separator, std::int64_t most, bool from_right) {
  if (!separator) return split_at_whitespace(text, most, from_right);
  // From the right: both texts the other way round, so that the time stays linear.
  const std::string reversed = from_right ? std::string(text.rbegin(), text.rend()) : std::string();
  const std::string reversed_separator = from_right ? std::string(separator->rbegin(), separator->rend()) : std::string();
  const std::string_view in = from_right ? std::string_view(reversed) : text, between = from_right ? std::string_view(reversed_separator) : *separator;
  std::vector<std::string_view> out;
  std::size_t from = 0;
  const auto take = [&](std::size_t begin, std::size_t end) { out.push_back(from_right ? text.substr(text.size() - end, end - begin) : text.substr(begin, end - begin)); };
  while (most < 0 || static_cast<std::int64_t>(out.size()) < most) {
    const std::size_t at = find(in, between, from);
    if (at == std::string_view::npos) break;
    take(from, at);
    from = at + between.size();
  }
  take(from, in.size());
  if (from_right) std::reverse(out.begin(), out.end());
  return out;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char c = utf8_decode(text.substr(i));
    std::size_t next = i + static_cast<std::size_t>(c.length);
    if (breaks_line(c.code)) {
      if (c.code == '\r' && next < text.size() && text[next] == '\n') ++next;
      out.push_back(text.substr(begin, (keep_ends ? next : i) - begin));
      begin = next;
    }
    i = next;
  }
  if (begin < text.size()) out.push_back(text.substr(begin));
  return out;
}

std::size_t find(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (part.empty()) return from;
  if (part.size() > text.size() - from) return std::string_view::npos;
  const void* at = ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return at ? static_cast<std::size_t>(static_cast<const char*>(at) - text.data()) : std::string_view::npos;
}

std::size_t find_last(std::string_view text, std::string_view part) {
  if (part.size() > text.size()) return std::string_view::npos;
  if (part.empty()) return text.size();
  if (part.size() <= 64) {  // mostly it is close, and no copy is needed
    const std::size_t skipped = text.size() - std::min<std::size_t>(text.size(), part.size() + 4096);
    if (const std::size_t at = text.substr(skipped).rfind(part); at != std::string_view::npos) return skipped + at;
  }
  const std::string reversed(text.rbegin(), text.rend()), reversed_part(part.rbegin(), part.rend());
  const std::size_t at = find(reversed, reversed_part);
  return at == std::string_view::npos ? at : text.size() - at - part.size();
}

std::size_t count(std::string_view text, std::string_view part) {
  if (part.empty()) return utf8_length(text) + 1;
  std::size_t total = 0;
  for (std::size_t at = find(text, part); at != std::string_view::npos; at = find(text, part, at + part.size())) ++total;
  return total;
}

std::string expand_tabs(std::string_view text, std::int64_t size) {
  std::string out;
  std::int64_t column = 0;
  each(text, [&](char32_t c) {
    if (c == '\t') {
      const std::int64_t spaces = size > 0 ? size - column % size : 0;
      out.append(static_cast<std::size_t>(spaces), ' ');
      column += spaces;
      return;
    }
    utf8_append(out, c);
    column = c == '\n' || c == '\r' ? 0 : column + 1;
  });
  return out;
}

std::string repr(std::string_view text, bool ascii) {
  const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  each(text, [&](char32_t c) {
    if (c == static_cast<char32_t>(quote) || c == '\\') (out += '\\') += static_cast<char>(c);
    else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (c == '\t') out += "\\t";
    else if (is(c, Fact::kPrintable) && !(ascii && c > 126)) utf8_append(out, c);
    else {
      const int digits = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
      out += digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U";
      for (int i = digits - 1; i >= 0; --i) out += "0123456789abcdef"[c >> (4 * i) & 15];
    }
  });
  return out + quote;
}

std::string repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  const double magnitude = std::fabs(value);
  const bool positional = value == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  const auto format = positional ? std::chars_format::fixed : std::chars_format::scientific;
  std::string out(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr);
  if (positional && out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::optional<std::int64_t> parse_int(std::string_view text, int base) {
  std::optional<std::string> plain = plain_digits(text);
  if (!plain || (base != 0 && (base < 2 || base > 36))) return std::nullopt;
  std::string_view rest = *plain;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) negative = rest[0] == '-', rest.remove_prefix(1);
  const char kind = rest.size() > 1 && rest[0] == '0' ? static_cast<char>(rest[1] | 32) : '\0';
  const int prefixed = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
  if (prefixed != 0 && (base == 0 || base == prefixed)) {
    base = prefixed;
    rest.remove_prefix(2);
    if (rest.starts_with('_')) rest.remove_prefix(1);
  } else if (base == 0) {
    base = 10;
    if (rest.size() > 1 && rest[0] == '0' && rest.find_first_not_of("0_") != std::string_view::npos) return std::nullopt;
  }
  std::string digits;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '_') {
      if (i == 0 || i + 1 == rest.size() || rest[i - 1] == '_') return std::nullopt;
    } else if (is_digit_of(rest[i], base)) {
      digits += rest[i];
    } else {
      return std::nullopt;
    }
  }
  if (digits.empty()) return std::nullopt;
  if (negative) digits.insert(0, "-");
  std::int64_t value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value, base).ec != std::errc()) {
    throw Error(ErrorCode::kUnsupported, "an integer is above 64 bits");
  }
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  const std::optional<std::string> plain = plain_digits(text);
  if (!plain) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < plain->size(); ++i) {
    const char c = (*plain)[i];
    if (c != '_') digits += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    else if (i == 0 || i + 1 == plain->size() || !is_digit_of((*plain)[i - 1], 10) || !is_digit_of((*plain)[i + 1], 10)) return std::nullopt;
  }
  std::string_view rest = digits;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) negative = rest[0] == '-', rest.remove_prefix(1);
  if (rest == "inf" || rest == "infinity") return negative ? -INFINITY : INFINITY;
  if (rest == "nan") return std::nan("");
  if (rest.empty() || !(is_digit_of(rest[0], 10) || (rest[0] == '.' && rest.size() > 1 && is_digit_of(rest[1], 10)))) return std::nullopt;
  double value = 0;
  const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (end != rest.data() + rest.size()) return std::nullopt;
  if (code == std::errc::result_out_of_range) value = std::strtod(std::string(rest).c_str(), nullptr);  // infinity or zero
  return negative ? -value : value;
}

std::string slice(std::string_view text, std::size_t length, std::int64_t start, std::int64_t count, std::int64_t step) {
  if (count <= 0) return {};
  if (length == text.size()) {  // ASCII
    if (step == 1) return std::string(text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(count)));
    std::string out;
    for (std::int64_t i = 0; i < count; ++i) out += text[static_cast<std::size_t>(start + i * step)];
    return out;
  }
  if (step == 1) return utf8_slice(text, static_cast<std::size_t>(start), static_cast<std::size_t>(start + count));
  const std::u32string codes = utf8_to_utf32(text);
  std::string out;
  for (std::int64_t i = 0; i < count; ++i) utf8_append(out, codes[static_cast<std::size_t>(start + i * step)]);
  return out;
}

}  // namespace polymath::python
