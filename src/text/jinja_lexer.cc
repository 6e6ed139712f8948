#include "text/jinja_lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

// Line breaks as \n, and without the one at the end.
std::string normalized(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') out += source[i];
    else if (i + 1 == source.size() || source[i + 1] != '\n') out += '\n';
  }
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

int lines_in(std::string_view text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

std::string hex(char32_t c, int digits) {
  std::string out;
  for (int i = digits - 1; i >= 0; --i) out += "0123456789abcdef"[c >> (4 * i) & 15];
  return out;
}

// A string literal's content; `wrong` says what is wrong with it.
std::string unescape(std::string_view in, std::string& wrong) {
  std::string out;
  for (std::size_t i = 0; i < in.size();) {
    if (in[i] != '\\' || i + 1 == in.size()) {
      out += in[i++];
      continue;
    }
    const char c = in[i + 1];
    i += 2;
    static constexpr std::string_view kPlain = "\\'\"abfnrtv\n", kMeans = "\\'\"\a\b\f\n\r\t\v";
    if (const std::size_t k = kPlain.find(c); k != std::string_view::npos) {
      if (k < kMeans.size()) out += kMeans[k];  // a backslash at the end of a line takes the line break away
    } else if (c >= '0' && c <= '7') {
      char32_t code = 0;
      std::size_t end = std::min(i + 2, in.size());
      for (--i; i < end && in[i] >= '0' && in[i] <= '7'; ++i) code = code * 8 + static_cast<char32_t>(in[i] - '0');
      utf8_append(out, code);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      std::uint32_t code = 0;
      std::size_t end = i;
      while (end < in.size() && end < i + digits && is_hex(in[end])) ++end;
      std::from_chars(in.data() + i, in.data() + end, code, 16);
      if (end != i + digits) return wrong = c == 'x' ? "truncated \\xXX escape" : c == 'u' ? "truncated \\uXXXX escape" : "truncated \\UXXXXXXXX escape", out;
      if (code > 0x10FFFF) return wrong = "illegal Unicode character", out;
      if (code >= 0xD800 && code < 0xE000) return wrong = "half a surrogate pair cannot be text", out;
      utf8_append(out, code);
      i = end;
    } else if (c == 'N') {
      return wrong = "\\N{...} is not supported", out;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      // jinja2 escapes what is not ASCII before it unescapes, so the backslash takes the escape's own backslash.
      const Utf8Char code = utf8_decode(in.substr(i - 1));
      out += '\\';
      out += code.code <= 0xFF ? "x" + hex(code.code, 2) : code.code <= 0xFFFF ? "u" + hex(code.code, 4) : "U" + hex(code.code, 8);
      i += static_cast<std::size_t>(code.length) - 1;
    } else {
      (out += '\\') += c;
    }
  }
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : in_(normalized(source)) {
    if (in_.ends_with('\n')) in_.pop_back();
    rest_ = in_;
  }

  std::vector<Token> run() {
    while (!failed_ && at_ < rest_.size()) text();
    if (!failed_) tokens_.push_back({TokenType::kEnd, tokens_.empty() ? 1 : tokens_.back().line, {}, {}});
    return std::move(tokens_);
  }

 private:
  void add(TokenType type, std::string text = {}, Value value = {}) { tokens_.push_back({type, line_, std::move(text), std::move(value)}); }
  void fail(std::string reason) {
    add(TokenType::kError, std::move(reason));
    failed_ = true;
  }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < rest_.size() ? rest_[at_ + ahead] : '\0'; }
  bool starts(std::string_view what) const { return rest_.substr(at_).starts_with(what); }

  // Goes past n bytes, and says whether they end a line: lstrip_blocks looks for that.
  void pass(std::size_t n) {
    line_ += lines_in(rest_.substr(at_, n));
    at_ += n;
    line_starting_ = n > 0 && rest_[at_ - 1] == '\n';
  }

  std::size_t spaces_at(std::size_t from) const {
    std::size_t end = from;
    while (end < rest_.size()) {
      const Utf8Char c = utf8_decode(rest_.substr(end));
      if (!python::is_space(c.code)) break;
      end += static_cast<std::size_t>(c.length);
    }
    return end - from;
  }

  // The bytes of a tag's beginning `{% raw %}` at `at`, or 0; `sign` is its - or +.
  std::size_t raw_begin(std::size_t at, char& sign) const {
    const std::size_t begin = at;
    at += 2;
    sign = at < rest_.size() && (rest_[at] == '-' || rest_[at] == '+') ? rest_[at++] : '\0';
    at += spaces_at(at);
    if (!rest_.substr(at).starts_with("raw")) return 0;
    at += 3;
    at += spaces_at(at);
    if (rest_.substr(at).starts_with("-%}")) return at + 3 + spaces_at(at + 3) - begin;
    return rest_.substr(at).starts_with("%}") ? at + 2 - begin : 0;
  }

  // The same of `{% endraw %}`, with what it takes behind it.
  std::size_t raw_end(std::size_t at, char& sign) const {
    const std::size_t begin = at;
    at += 2;
    sign = at < rest_.size() && (rest_[at] == '-' || rest_[at] == '+') ? rest_[at++] : '\0';
    at += spaces_at(at);
    if (!rest_.substr(at).starts_with("endraw")) return 0;
    at += 6;
    at += spaces_at(at);
    const std::size_t end = closing(at, "%}", /*plus=*/true);
    return end ? at + end - begin : 0;
  }

  // The bytes of a tag's end at `at`: `%}` and a line break, `-%}` and all whitespace, or `+%}` alone; 0: it is none.
  std::size_t closing(std::size_t at, std::string_view mark, bool plus) const {
    const std::string_view rest = rest_.substr(at);
    if (rest.starts_with('-') && rest.substr(1).starts_with(mark)) return 3 + spaces_at(at + 3);
    if (plus && rest.starts_with('+') && rest.substr(1).starts_with(mark)) return 3;
    if (!rest.starts_with(mark)) return 0;
    return plus && rest.substr(2).starts_with('\n') ? 3 : 2;
  }

  // Adds the text before a tag, without what the tag's sign or lstrip_blocks takes from its end.
  void data(std::string_view text, char sign, bool variable) {
    const int lines = lines_in(text);
    if (sign == '-') {
      text = python::strip(text, std::nullopt, python::Ends::kRight);
    } else if (sign != '+' && !variable) {
      const std::size_t begin = text.rfind('\n') + 1;  // npos + 1 is 0
      const std::string_view last = text.substr(begin);
      if ((begin > 0 || line_starting_) && python::strip(last).empty()) text = text.substr(0, begin);
    }
    if (!text.empty()) add(TokenType::kData, std::string(text));
    line_ += lines;
  }

  // Text up to the next tag, and the tag.
  void text() {
    std::size_t at = at_;
    for (; at + 1 < rest_.size(); ++at) {
      if (rest_[at] == '{' && (rest_[at + 1] == '{' || rest_[at + 1] == '%' || rest_[at + 1] == '#')) break;
    }
    if (at + 1 >= rest_.size()) {
      add(TokenType::kData, std::string(rest_.substr(at_)));
      pass(rest_.size() - at_);
      return;
    }
    char sign = '\0';
    const char kind = rest_[at + 1];
    const std::size_t raw = kind == '%' ? raw_begin(at, sign) : 0;
    if (!raw) sign = at + 2 < rest_.size() && (rest_[at + 2] == '-' || rest_[at + 2] == '+') ? rest_[at + 2] : '\0';
    data(rest_.substr(at_, at - at_), sign, kind == '{');
    at_ = at;
    if (raw) {
      pass(raw);
      raw_text();
      return;
    }
    if (kind != '#') add(kind == '{' ? TokenType::kVariableBegin : TokenType::kBlockBegin);
    pass(sign ? 3 : 2);
    if (kind == '#') comment();
    else tag(kind == '{');
  }

  void raw_text() {
    for (std::size_t at = at_; at + 1 < rest_.size(); ++at) {
      if (rest_[at] != '{' || rest_[at + 1] != '%') continue;
      char sign = '\0';
      const std::size_t end = raw_end(at, sign);
      if (!end) continue;
      data(rest_.substr(at_, at - at_), sign, false);
      at_ = at;
      pass(end);
      return;
    }
    if (at_ < rest_.size()) fail("Missing end of raw directive");
  }

  void comment() {
    for (std::size_t at = at_; at < rest_.size(); ++at) {
      const std::size_t end = closing(at, "#}", true);
      if (!end) continue;
      pass(at + end - at_);
      return;
    }
    if (at_ < rest_.size()) fail("Missing end of comment tag");
  }

  // What is between {{ and }}, or {% and %}.
  void tag(bool variable) {
    std::string open;  // brackets that wait for their ends
    while (!failed_) {
      if (open.empty()) {
        if (const std::size_t end = closing(at_, variable ? "}}" : "%}", !variable)) {
          add(variable ? TokenType::kVariableEnd : TokenType::kBlockEnd);
          pass(end);
          return;
        }
      }
      if (at_ >= rest_.size()) return;
      if (const std::size_t spaces = spaces_at(at_)) pass(spaces);
      else if (is_digit(peek())) number();
      else if (peek() == '\'' || peek() == '"') string();
      else if (!name()) op(open);
    }
  }

  // Digits with single underscores between them, from `at` on.
  std::size_t digits_at(std::size_t at, bool (*digit)(char)) const {
    const std::size_t begin = at;
    while (at < rest_.size() && (digit(rest_[at]) || (rest_[at] == '_' && at > begin && at + 1 < rest_.size() && digit(rest_[at + 1])))) ++at;
    return at - begin;
  }

  void number() {
    const std::size_t whole = digits_at(at_, is_digit);
    std::size_t size = whole;
    if (at_ == 0 || rest_[at_ - 1] != '.') {  // a float
      bool is_float = false;
      if (peek(size) == '.' && is_digit(peek(size + 1))) size += 1 + digits_at(at_ + size + 1, is_digit), is_float = true;
      if (peek(size) == 'e' || peek(size) == 'E') {
        const std::size_t sign = peek(size + 1) == '+' || peek(size + 1) == '-' ? 2 : 1;
        if (is_digit(peek(size + sign))) size += sign + digits_at(at_ + size + sign, is_digit), is_float = true;
      }
      if (is_float) {
        add(TokenType::kFloat, std::string(rest_.substr(at_, size)));
        tokens_.back().value = Value::real(*python::parse_float(tokens_.back().text));
        return pass(size);
      }
    }
    size = whole;
    const char kind = static_cast<char>(peek(1) | 32);
    if (peek() == '0' && (kind == 'x' || kind == 'o' || kind == 'b')) {
      const auto digit = kind == 'x' ? is_hex : kind == 'o' ? [](char c) { return c >= '0' && c <= '7'; } : [](char c) { return c == '0' || c == '1'; };
      const std::size_t underscore = peek(2) == '_' ? 1 : 0;
      const std::size_t digits = digits_at(at_ + 2 + underscore, digit);
      if (digits > 0) size = 2 + underscore + digits;
      else size = 1;
    } else if (peek() == '0') {
      size = digits_at(at_, [](char c) { return c == '0'; });
    }
    const std::string text(rest_.substr(at_, size));
    try {
      add(TokenType::kInteger, text, Value::integer(*python::parse_int(text, 0)));
    } catch (const Error& e) {
      fail(e.reason);
    }
    pass(size);
  }

  void string() {
    const char quote = peek();
    std::size_t end = at_ + 1;
    while (end < rest_.size() && rest_[end] != quote) end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return unexpected();
    std::string wrong, text = unescape(rest_.substr(at_ + 1, end - at_ - 1), wrong);
    if (!wrong.empty()) return fail(wrong);
    add(TokenType::kString, std::move(text));
    pass(end + 1 - at_);
  }

  bool name() {
    std::size_t end = at_;
    while (end < rest_.size()) {
      const Utf8Char c = utf8_decode(rest_.substr(end));
      if (c.code != '_' && !python::is_alnum(c.code) && !python::is(c.code, python::Fact::kIdentifierPart)) break;
      end += static_cast<std::size_t>(c.length);
    }
    if (end == at_) return false;
    std::string text(rest_.substr(at_, end - at_));
    if (!python::is_identifier(text)) fail("Invalid character in identifier");
    else add(TokenType::kName, std::move(text));
    pass(end - at_);
    return true;
  }

  void op(std::string& open) {
    static constexpr auto kOperators = std::to_array<std::string_view>({"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"});
    const auto found = std::find_if(kOperators.begin(), kOperators.end(), [&](std::string_view o) { return starts(o); });
    if (found == kOperators.end()) return unexpected();
    const char c = (*found)[0];
    if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
    else if (c == ')' || c == ']' || c == '}') {
      if (open.empty()) return fail(std::string("unexpected '") + c + "'");
      const char expected = open.back();
      open.pop_back();
      if (expected != c) return fail(std::string("unexpected '") + c + "', expected '" + expected + "'");
    }
    add(TokenType::kOperator, std::string(*found));
    pass(found->size());
  }

  void unexpected() {
    const std::string_view rest = rest_.substr(at_);
    fail("unexpected char " + python::repr(rest.substr(0, static_cast<std::size_t>(utf8_decode(rest).length))) + " at " +
         std::to_string(utf8_length(rest_.substr(0, at_))));
  }

  std::string in_;
  std::string_view rest_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true, failed_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  return Lexer(source).run();
}

std::string describe(const Token& token) {
  switch (token.type) {
    case TokenType::kData: return "template data / text";
    case TokenType::kBlockBegin: return "begin of statement block";
    case TokenType::kBlockEnd: return "end of statement block";
    case TokenType::kVariableBegin: return "begin of print statement";
    case TokenType::kVariableEnd: return "end of print statement";
    case TokenType::kString: return "string";
    case TokenType::kInteger: return "integer";
    case TokenType::kFloat: return "float";
    case TokenType::kEnd: return "end of template";
    default: return token.text;
  }
}

void fail_syntax(const std::string& reason, int line) { throw Error(ErrorCode::kBadFile, reason, "line " + std::to_string(line)); }

}  // namespace polymath::jinja
