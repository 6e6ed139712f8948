#include "text/pattern_syntax.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/printable.h"
#include "polymath/error.h"
#include "text/unicode.h"

namespace polymath {
namespace {

// Contents of character classes, by general category: those do not depend on the version of Unicode (see pattern.cc).
constexpr const char* kSpace = R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr const char* kLetters = R"(\p{L}\p{M}\p{Nl}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189})";
constexpr const char* kHex = "0-9a-fA-F";

// \w has the superscripts and fractions of Latin-1 too; [[:word:]] has not.
std::string word_class() { return std::string(kLetters) + R"(\p{Nd}\p{Pc}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})"; }

// Alphabetic code points; among the marks only some are, and not the same in all versions of Unicode.
const std::string& alphabetic_class() {
  static const std::string contents = [] {
    std::string out = R"(\p{L}\p{Nl}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189})";
    auto is_mark = [](char32_t c) {
      const unicode::Category category = unicode::category(c);
      return category >= unicode::Mn && category <= unicode::Me && unicode::has(c, unicode::kAlphabetic);
    };
    for (char32_t c = 0x300; c < 0x20000; ++c) {
      if (!is_mark(c)) continue;
      const char32_t first = c;
      while (is_mark(c + 1)) ++c;
      char range[40];
      std::snprintf(range, sizeof range, "\\x{%x}-\\x{%x}", static_cast<unsigned>(first), static_cast<unsigned>(c));
      out += range;
    }
    return out;
  }();
  return contents;
}

// Long names of general categories, and Oniguruma's own properties, as contents of a class.
const std::vector<std::pair<std::string_view, std::string>>& property_names() {
  static const std::vector<std::pair<std::string_view, std::string>> kNames = {
      {"letter", R"(\p{L})"}, {"uppercaseletter", R"(\p{Lu})"}, {"lowercaseletter", R"(\p{Ll})"}, {"titlecaseletter", R"(\p{Lt})"},
      {"casedletter", R"(\p{Lu}\p{Ll}\p{Lt})"}, {"lc", R"(\p{Lu}\p{Ll}\p{Lt})"}, {"modifierletter", R"(\p{Lm})"}, {"otherletter", R"(\p{Lo})"},
      {"mark", R"(\p{M})"}, {"nonspacingmark", R"(\p{Mn})"}, {"spacingmark", R"(\p{Mc})"}, {"enclosingmark", R"(\p{Me})"}, {"combiningmark", R"(\p{M})"},
      {"number", R"(\p{N})"}, {"decimalnumber", R"(\p{Nd})"}, {"letternumber", R"(\p{Nl})"}, {"othernumber", R"(\p{No})"},
      {"punctuation", R"(\p{P})"}, {"connectorpunctuation", R"(\p{Pc})"}, {"dashpunctuation", R"(\p{Pd})"}, {"openpunctuation", R"(\p{Ps})"},
      {"closepunctuation", R"(\p{Pe})"}, {"initialpunctuation", R"(\p{Pi})"}, {"finalpunctuation", R"(\p{Pf})"}, {"otherpunctuation", R"(\p{Po})"},
      {"symbol", R"(\p{S})"}, {"mathsymbol", R"(\p{Sm})"}, {"currencysymbol", R"(\p{Sc})"}, {"modifiersymbol", R"(\p{Sk})"}, {"othersymbol", R"(\p{So})"},
      {"separator", R"(\p{Z})"}, {"spaceseparator", R"(\p{Zs})"}, {"lineseparator", R"(\p{Zl})"}, {"paragraphseparator", R"(\p{Zp})"},
      {"other", R"(\p{C})"}, {"control", R"(\p{Cc})"}, {"format", R"(\p{Cf})"}, {"unassigned", R"(\p{Cn})"}, {"privateuse", R"(\p{Co})"}, {"surrogate", R"(\p{Cs})"},
      {"alpha", alphabetic_class()}, {"alphabetic", alphabetic_class()}, {"digit", R"(\p{Nd})"}, {"alnum", alphabetic_class() + R"(\p{Nd})"}, {"word", word_class()},
      {"space", kSpace}, {"whitespace", kSpace}, {"blank", R"(\p{Zs}\x{9})"}, {"cntrl", R"(\p{Cc})"}, {"punct", R"(\p{P})"},
      {"upper", R"(\p{Uppercase})"}, {"uppercase", R"(\p{Uppercase})"}, {"lower", R"(\p{Lowercase})"}, {"lowercase", R"(\p{Lowercase})"},
      {"graph", R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co})"}, {"print", R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs})"},
      {"xdigit", kHex}, {"ascii", R"(\x{0}-\x{7f})"}, {"any", R"(\x{0}-\x{10ffff})"}, {"assigned", "^\\p{Cn}"},
  };
  return kNames;
}

constexpr auto kBinaryProperties = std::to_array<std::string_view>(
    {"asciihexdigit", "bidicontrol", "cased", "caseignorable", "dash", "defaultignorablecodepoint", "diacritic", "emoji", "emojicomponent", "emojimodifier",
     "emojimodifierbase", "emojipresentation", "extendedpictographic", "extender", "graphemebase", "graphemeextend", "hexdigit", "idcontinue", "idstart",
     "ideographic", "joincontrol", "logicalorderexception", "math", "noncharactercodepoint", "patternsyntax", "patternwhitespace", "quotationmark",
     "radical", "regionalindicator", "sentenceterminal", "softdotted", "terminalpunctuation", "unifiedideograph", "variationselector", "xidcontinue", "xidstart"});

class Translator {
 public:
  Translator(std::string_view in, const std::string& where) : in_(in), where_(where) {}

  std::string run() {
    while (at_ < in_.size()) item();
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(ErrorCode code, const std::string& reason) const {
    throw Error(code, "the pattern \"" + printable(in_) + "\" " + reason, where_);
  }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }

  void item() {
    const char c = in_[at_];
    if (c == '{' || c == '*' || c == '+' || c == '?') return quantifier();
    if (c == '(') {
      opened_.push_back(out_.size());
      return group();
    }
    if (c == ')') {
      atom_ = opened_.empty() ? out_.size() : opened_.back();
      if (!opened_.empty()) opened_.pop_back();
      out_ += c;
      ++at_;
      return;
    }
    atom_ = out_.size();
    if (c == '\\') return escape();
    if (c == '[') {
      out_ += char_class();
      return;
    }
    out_ += c;
    ++at_;
  }

  // (?m) is PCRE2's (?s); ^ and $ match at lines either way.
  void group() {
    out_ += in_[at_++];
    if (peek() != '?') return;
    out_ += in_[at_++];
    std::size_t end = at_;
    while (end < in_.size() && (in_[end] == '-' || (in_[end] >= 'a' && in_[end] <= 'z'))) ++end;
    const bool options = end > at_ && end < in_.size() && (in_[end] == ')' || in_[end] == ':');
    for (; options && at_ < end; ++at_) {
      if (in_[at_] == 'm') out_ += 's';
      else if (in_[at_] == 'i' || in_[at_] == 'x' || in_[at_] == '-') out_ += in_[at_];
      else fail(ErrorCode::kUnsupported, std::string("uses the option ") + in_[at_]);
    }
  }

  // a{2}+ is a repeated repetition here and a possessive one there; and {,n} is {0,n}.
  void quantifier() {
    const char c = in_[at_];
    if (c != '{') {
      out_ += c;
      ++at_;
      return;
    }
    std::size_t end = at_ + 1;
    while (end < in_.size() && (in_[end] == ',' || (in_[end] >= '0' && in_[end] <= '9'))) ++end;
    const bool is_interval = end < in_.size() && in_[end] == '}' && end > at_ + 1 && in_.substr(at_, end - at_) != "{,";
    if (!is_interval) {
      atom_ = out_.size();
      out_ += "\\{";
      ++at_;
      return;
    }
    std::string interval(in_.substr(at_, end + 1 - at_));
    if (interval[1] == ',') interval.insert(1, "0");
    out_ += interval;
    at_ = end + 1;
    if (peek() == '+') {
      out_.insert(atom_, "(?:");
      out_ += ")";
    }
  }

  void escape() {
    const char c = peek(1);
    switch (c) {
      case 's': return set(kSpace, false);
      case 'S': return set(kSpace, true);
      case 'w': return set(word_class(), false);
      case 'W': return set(word_class(), true);
      case 'd': return set(R"(\p{Nd})", false);
      case 'D': return set(R"(\p{Nd})", true);
      case 'h': return set(kHex, false);
      case 'H': return set(kHex, true);
      case 'p':
      case 'P': {
        auto [contents, negated] = property();
        out_ += (negated ? "[^" : "[") + contents + "]";
        return;
      }
      case 'b': return boundary(true);
      case 'B': return boundary(false);
      case 'u': out_ += code_point(); return;
      case 'Z': out_ += R"(\Z)"; break;
      case '\0': fail(ErrorCode::kBadFile, "ends with a backslash");
      default: out_ += '\\', out_ += c;
    }
    at_ += 2;
  }

  void set(const std::string& contents, bool negated) {
    out_ += (negated ? "[^" : "[") + contents + "]";
    at_ += 2;
  }

  void boundary(bool positive) {
    const std::string w = "[" + word_class() + "]";
    const std::string before = "(?<=" + w + ")", not_before = "(?<!" + w + ")", after = "(?=" + w + ")", not_after = "(?!" + w + ")";
    out_ += positive ? "(?:" + before + not_after + "|" + not_before + after + ")" : "(?:" + before + after + "|" + not_before + not_after + ")";
    at_ += 2;
  }

  // \u0041 as \x{0041}.
  std::string code_point() {
    std::string digits(in_.substr(at_ + 2, 4));
    const bool hex = digits.size() == 4 && std::all_of(digits.begin(), digits.end(), [](char d) { return std::string_view("0123456789abcdefABCDEF").find(d) != std::string_view::npos; });
    if (!hex) fail(ErrorCode::kBadFile, "has a \\u without four hexadecimal digits");
    at_ += 6;
    return "\\x{" + digits + "}";
  }

  // \p{Name}, \p{^Name} or \P{Name}: the contents of a class for it, and whether that is negated.
  std::pair<std::string, bool> property() {
    bool negated = peek(1) == 'P';
    const std::size_t end = peek(2) == '{' ? in_.find('}', at_) : std::string_view::npos;
    if (end == std::string_view::npos) fail(ErrorCode::kBadFile, "has a \\p without {name}");
    std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
    at_ = end + 1;
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    std::string plain;
    for (const char c : name) {
      if (c != ' ' && c != '_' && c != '-') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    for (const auto& [known, contents] : property_names()) {
      if (plain != known) continue;
      if (contents.starts_with('^')) return {contents.substr(1), !negated};
      return {contents, negated};
    }
    // One letter or two: a category, which PCRE2 spells with a capital. Others are binary properties, or scripts: PCRE2
    // would take them as script extensions.
    if (plain.size() <= 2 && !plain.empty()) plain[0] = static_cast<char>(plain[0] - 32);
    else if (std::find(kBinaryProperties.begin(), kBinaryProperties.end(), plain) == kBinaryProperties.end()) plain.insert(0, "sc:");
    return {"\\p{" + plain + "}", negated};
  }

  // A class, with those nested in it made part of it.
  std::string char_class() {
    std::string out = "[";
    ++at_;
    if (peek() == '^') {
      out += '^';
      ++at_;
    }
    class_contents(out, 0);
    return out + "]";
  }

  void class_contents(std::string& out, int depth) {
    if (depth > 16) fail(ErrorCode::kUnsupported, "nests classes too deeply");
    bool first = true;
    for (;; first = false) {
      if (at_ >= in_.size()) fail(ErrorCode::kBadFile, "has a class without ]");
      const char c = in_[at_];
      if (c == ']' && !first) break;
      if (c == '&' && peek(1) == '&') fail(ErrorCode::kUnsupported, "intersects classes with &&");
      if (c == '[') {
        nested_class(out, depth);
      } else if (c == '\\') {
        class_escape(out);
      } else {
        if (c == ']') out += '\\';
        out += c;
        ++at_;
      }
    }
    ++at_;
  }

  void nested_class(std::string& out, int depth) {
    if (peek(1) == ':') {
      const std::size_t end = in_.find(":]", at_ + 2);
      if (end != std::string_view::npos && end - at_ < 12) {
        std::string name(in_.substr(at_ + 2, end - at_ - 2));
        const bool negated = name.starts_with('^');
        if (negated) name.erase(0, 1);
        if (!negated && name == "punct") out += R"(\p{S})";  // not so \p{Punct}
        if (!negated && name == "word") {
          out += std::string(kLetters) + R"(\p{Nd}\p{Pc})";
          at_ = end + 2;
          return;
        }
        for (const auto& [known, contents] : property_names()) {
          if (name != known) continue;
          if (negated) fail(ErrorCode::kUnsupported, "negates a class within a class");
          out += contents;
          at_ = end + 2;
          return;
        }
      }
    }
    ++at_;
    if (peek() == '^') fail(ErrorCode::kUnsupported, "negates a class within a class");
    class_contents(out, depth + 1);
  }

  void class_escape(std::string& out) {
    const char c = peek(1);
    auto contents = [&](const std::string& text) {
      out += text;
      at_ += 2;
    };
    switch (c) {
      case 's': return contents(kSpace);
      case 'w': return contents(word_class());
      case 'd': return contents(R"(\p{Nd})");
      case 'D': return contents(R"(\P{Nd})");
      case 'h': return contents(kHex);
      case 'S': return contents(R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})");
      case 'W':
      case 'H': fail(ErrorCode::kUnsupported, "negates a class within a class");
      case 'p':
      case 'P': {
        auto [text, negated] = property();
        if (negated && text.find("\\p", 1) == std::string::npos && text.starts_with("\\p")) text[1] = 'P';
        else if (negated) fail(ErrorCode::kUnsupported, "negates a class within a class");
        out += text;
        return;
      }
      case 'u': out += code_point(); return;
      case '\0': fail(ErrorCode::kBadFile, "ends with a backslash");
      default:
        out += '\\';
        out += c;
        at_ += 2;
    }
  }

  std::string_view in_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::string out_;
  std::size_t atom_ = 0;              // where the last atom begins in out_
  std::vector<std::size_t> opened_;   // where the open groups begin
};

}  // namespace

std::string pcre_pattern(std::string_view pattern, const std::string& where) { return Translator(pattern, where).run(); }

}  // namespace polymath
