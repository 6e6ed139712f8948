// Python's str, over UTF-8: the facts, the case mappings and the methods of docs.python.org, "String Methods", as Python 3.11
// answers (Unicode 14). Texts are valid UTF-8; lengths and positions are in code points where a comment says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polymath::python {

enum class Fact { kAlpha, kDecimal, kDigit, kNumeric, kLower, kUpper, kTitle, kSpace, kPrintable, kIdentifierStart, kIdentifierPart, kCased, kSigmaStop, kSigmaSkip };

bool is(char32_t c, Fact fact);
inline bool is_space(char32_t c) { return is(c, Fact::kSpace); }
inline bool is_alnum(char32_t c) { return is(c, Fact::kAlpha) || is(c, Fact::kDecimal) || is(c, Fact::kDigit) || is(c, Fact::kNumeric); }
int decimal_value(char32_t c);  // of a code point that is kDecimal

enum class Case { kUpper, kLower, kTitle, kCapitalize, kSwap, kFold };
std::string change_case(std::string_view text, Case to);
inline std::string lower(std::string_view text) { return change_case(text, Case::kLower); }
inline std::string upper(std::string_view text) { return change_case(text, Case::kUpper); }

// islower, isupper, istitle; and isalpha, isspace, ...: every code point of a text that is not empty.
bool is_lower(std::string_view text);
bool is_upper(std::string_view text);
bool is_title(std::string_view text);
bool all(std::string_view text, bool (*fact)(char32_t));
bool is_identifier(std::string_view text);

// strip, lstrip, rstrip; without `chars`: whitespace.
enum class Ends { kBoth, kLeft, kRight };
std::string_view strip(std::string_view text, std::optional<std::string_view> chars = std::nullopt, Ends ends = Ends::kBoth);

// split and rsplit; `most` < 0: all. Between separators (not empty), or at whitespace.
std::vector<std::string_view> split(std::string_view text, std::optional<std::string_view> separator, std::int64_t most, bool from_right = false);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);

// Byte offset of the first (last) occurrence, or npos. Linear time.
std::size_t find(std::string_view text, std::string_view part, std::size_t from = 0);
std::size_t find_last(std::string_view text, std::string_view part);
std::size_t count(std::string_view text, std::string_view part);  // as str.count: an empty part occurs length + 1 times

std::string expand_tabs(std::string_view text, std::int64_t size);

// repr(text), and ascii(text).
std::string repr(std::string_view text, bool ascii = false);

// repr(value): the shortest digits that read back to the same double, inf and nan.
std::string repr(double value);

// int(text, base) and float(text) with Python's whitespace, underscores and digits of all scripts; nothing where Python raises
// ValueError. An integer above 64 bits is an Error{kUnsupported}.
std::optional<std::int64_t> parse_int(std::string_view text, int base = 10);
std::optional<double> parse_float(std::string_view text);

// text[start:stop:step] in code points, of `length` of them; the bounds must be as slice.indices gives them.
std::string slice(std::string_view text, std::size_t length, std::int64_t start, std::int64_t count, std::int64_t step);

}  // namespace polymath::python
