// Facts about code points, as PyPI `tokenizers` 0.23 knows them.
//
// Its parts follow different versions of Unicode, and neither the system's utf8proc nor its PCRE2 may
// change an answer, so the facts come from tables (unicode_tables.cc). Normalization asks utf8proc, but
// only about code points that the tables name; those never change (Unicode's stability policy).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polymath::unicode {

enum Flag : std::uint32_t {
  kWord = 1,               // \w of the pre-tokenizer Whitespace and of single_word
  kAlphabetic = 2,         // [[:alpha:]] of a pattern in tokenizer.json
  kNumber = 4,             // Digits
  kPunctuation = 8,        // beyond ASCII's: Punctuation, BertPreTokenizer
  kControl = 16,           // what BertNormalizer's clean_text removes
  kMarkNonspacing = 32,    // what its strip_accents removes
  kCombiningMark = 64,     // what StripAccents removes
  kNormalizing = 128,      // has a decomposition or a combining class
  kUnsettled = 1u << 24,   // its category is younger than Unicode 14, or it has none
};

enum class Grapheme : std::uint8_t { kOther, kCr, kLf, kControl, kExtend, kZwj, kPrepend, kSpacingMark, kL, kV, kT, kLv, kLvt, kPictographic };

// The order of the categories in kRecords.
enum Category : std::uint8_t { Cn, Lu, Ll, Lt, Lm, Lo, Mn, Mc, Me, Nd, Nl, No, Pc, Pd, Ps, Pe, Pi, Pf, Po, Sm, Sc, Sk, So, Zs, Zl, Zp, Cc, Cf, Co, Cs };

std::uint32_t record(char32_t c);

inline bool has(char32_t c, Flag flag) { return (record(c) & flag) != 0; }
inline Grapheme grapheme_class(char32_t c) { return static_cast<Grapheme>(record(c) >> 8 & 0xFF); }
inline Category category(char32_t c) { return static_cast<Category>(record(c) >> 16 & 0xFF); }

inline bool is_whitespace(char32_t c) {  // White_Space; settled since Unicode 6.3
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

inline bool is_ascii_punctuation(char32_t c) {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
}

inline bool is_punctuation(char32_t c) {
  return c < 0x80 ? is_ascii_punctuation(c) : has(c, kPunctuation);
}

std::uint8_t script_class(char32_t c);  // 0 goes with every other

// The lower case of a code point other than U+0130, whose lower case is "i" and U+0307.
char32_t lower(char32_t c);

// Python's str.lower() of valid text: U+0130 becomes two code points, and a sigma that ends a word its final form.
std::string lower_text(std::string_view text);

bool is_ascii(std::string_view text);

// Bytes of the first grapheme cluster of `text` (not empty, valid); clusters longer than 5 bytes may be cut there or later.
std::size_t grapheme_length(std::string_view text);

// One code point of a changed text. `change` says where it comes from: 0: it replaces the next code point; 1: it is
// inserted; -n: it replaces the next one and removes n more.
struct Change {
  char32_t code;
  std::int32_t change;
};

enum class Form { kNfd, kNfkd, kNfc, kNfkc };

// The normal form of valid text as changes; false where it is that text itself (`out` is then empty).
bool normalize(std::string_view text, Form form, std::vector<Change>& out);

}  // namespace polymath::unicode
