#include "tasks/python_format.h"

#include <cstdio>

#include <utf8proc.h>

#include "base/utf8.h"
#include "polymath/error.h"

namespace polymath {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& reason) { throw Error(ErrorCode::kInvalidArgument, reason, where); }

bool printable(char32_t c) {
  if (c == U' ') return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CC: case UTF8PROC_CATEGORY_CF: case UTF8PROC_CATEGORY_CS: case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN: case UTF8PROC_CATEGORY_ZL: case UTF8PROC_CATEGORY_ZP: case UTF8PROC_CATEGORY_ZS: return false;
    default: return true;
  }
}

// repr(text), or ascii(text).
std::u32string repr(const std::u32string& text, bool ascii) {
  const char32_t quote = text.find(U'\'') != std::u32string::npos && text.find(U'"') == std::u32string::npos ? U'"' : U'\'';
  std::u32string out(1, quote);
  for (char32_t c : text) {
    char escaped[16] = "";
    if (c == quote || c == U'\\') out += U'\\';
    else if (c == U'\n') std::snprintf(escaped, sizeof escaped, "\\n");
    else if (c == U'\r') std::snprintf(escaped, sizeof escaped, "\\r");
    else if (c == U'\t') std::snprintf(escaped, sizeof escaped, "\\t");
    else if (!printable(c) || (ascii && c > 126)) {
      const char* form = c <= 0xFF ? "\\x%02x" : c <= 0xFFFF ? "\\u%04x" : "\\U%08x";
      std::snprintf(escaped, sizeof escaped, form, static_cast<unsigned>(c));
    }
    if (*escaped) {
      for (const char* e = escaped; *e; ++e) out += static_cast<char32_t>(*e);
    } else {
      out += c;
    }
  }
  return out + quote;
}

std::u32string apply_spec(std::u32string text, const std::u32string& spec, const std::string& where) {
  const auto is_align = [](char32_t c) { return c == U'<' || c == U'>' || c == U'^' || c == U'='; };
  std::size_t i = 0;
  char32_t fill = U' ', align = U'<';
  if (spec.size() > 1 && is_align(spec[1])) fill = spec[0], align = spec[1], i = 2;
  else if (!spec.empty() && is_align(spec[0])) align = spec[0], i = 1;
  if (align == U'=') fail(where, "'=' alignment not allowed in string format specifier");
  const auto number = [&] {
    std::size_t value = 0;
    for (; i < spec.size() && spec[i] >= U'0' && spec[i] <= U'9'; ++i) {
      value = value * 10 + (spec[i] - U'0');
      if (value > 1'000'000) fail(where, "a width or precision is above a million");
    }
    return value;
  };
  if (i == 0 && !spec.empty() && spec[0] == U'0') fill = U'0';
  const std::size_t width = number();
  if (i < spec.size() && spec[i] == U'.') {
    ++i;
    if (i == spec.size() || spec[i] < U'0' || spec[i] > U'9') fail(where, "Format specifier missing precision");
    text = text.substr(0, number());
  }
  if (i < spec.size() && spec[i] == U's') ++i;
  if (i != spec.size()) fail(where, "Invalid format specifier '" + utf32_to_utf8(spec) + "' for a string");
  if (text.size() >= width) return text;
  const std::size_t missing = width - text.size(), left = align == U'<' ? 0 : align == U'>' ? missing : missing / 2;
  return std::u32string(left, fill) + text + std::u32string(missing - left, fill);
}

}  // namespace

std::string python_format(const std::string& format, const std::string& argument, const std::string& where) {
  const std::u32string text = utf8_to_utf32(format);
  std::u32string out;
  bool automatic = false, manual = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != U'{' && text[i] != U'}') {
      out += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == text[i]) {
      out += text[i++];
      continue;
    }
    if (text[i] == U'}') fail(where, "Single '}' encountered in format string");
    const std::size_t close = text.find(U'}', i);
    if (close == std::u32string::npos) fail(where, i + 1 == text.size() ? "Single '{' encountered in format string" : "expected '}' before end of string");
    std::u32string field = text.substr(i + 1, close - i - 1), spec;
    char32_t conversion = U's';
    const std::size_t mark = field.find_first_of(U"!:");
    if (mark != std::u32string::npos) {
      std::u32string rest = field.substr(mark);
      field.resize(mark);
      if (rest[0] == U'!') {
        if (rest.size() < 2 || (rest.size() > 2 && rest[2] != U':')) fail(where, "expected ':' after conversion specifier");
        conversion = rest[1];
        rest = rest.substr(2);
      }
      if (!rest.empty()) spec = rest.substr(1);
    }
    if (field.empty()) {
      if (automatic) fail(where, "Replacement index 1 out of range for positional args tuple");
      automatic = true;
    } else if (field.find_first_not_of(U"0123456789") == std::u32string::npos) {
      manual = true;
      if (field.find_first_not_of(U"0") != std::u32string::npos) fail(where, "Replacement index " + utf32_to_utf8(field) + " out of range for positional args tuple");
    } else {
      fail(where, "there is no value for the field '" + utf32_to_utf8(field) + "'");
    }
    if (automatic && manual) fail(where, "cannot switch between automatic field numbering and manual field specification");
    std::u32string value = utf8_to_utf32(argument);
    if (conversion == U'r' || conversion == U'a') value = repr(value, conversion == U'a');
    else if (conversion != U's') fail(where, "Unknown conversion specifier");
    out += apply_spec(value, spec, where);
    i = close;
  }
  return utf32_to_utf8(out);
}

}  // namespace polymath
