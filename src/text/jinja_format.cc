// Python's two ways to fill a text: "%s" % x and "{}".format(x).
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/utf8.h"
#include "text/jinja_builtins.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

constexpr std::int64_t kMostWidth = 1'000'000;

std::size_t width_of(std::string_view text) { return utf8_length(text); }

// A float by C's rules, with at most a million digits.
std::string real(double value, char type, std::int64_t precision, bool alternate) {
  if (std::isnan(value)) return type >= 'A' && type <= 'Z' ? "NAN" : "nan";
  if (std::isinf(value)) return std::string(value < 0 ? "-" : "") + (type >= 'A' && type <= 'Z' ? "INF" : "inf");
  const char format[] = {'%', alternate ? '#' : '.', alternate ? '.' : '*', alternate ? '*' : type, alternate ? type : '\0', '\0'};
  std::string out(64, '\0');
  for (int pass = 0; pass < 2; ++pass) {
    const int size = std::snprintf(out.data(), out.size(), format, static_cast<int>(precision), value);
    if (static_cast<std::size_t>(size) < out.size()) {
      out.resize(static_cast<std::size_t>(size));
      break;
    }
    out.resize(static_cast<std::size_t>(size) + 1);
  }
  return out;
}

// The digits of |i| in a base.
std::string digits(std::int64_t i, int base, bool upper) {
  char buffer[72];
  const std::uint64_t magnitude = i < 0 ? 0 - static_cast<std::uint64_t>(i) : static_cast<std::uint64_t>(i);
  std::string out(buffer, std::to_chars(buffer, buffer + sizeof buffer, magnitude, base).ptr);
  return upper ? python::upper(out) : out;
}

// ascii(v): repr with what is beyond ASCII escaped.
std::string ascii(Machine& m, const Value& v) {
  std::string out;
  for (const char32_t c : utf8_to_utf32(repr(m, v))) {
    if (c < 0x80) out += static_cast<char>(c);
    else out += python::repr(utf32_to_utf8(std::u32string(1, c)), true).substr(1), out.pop_back();
  }
  return out;
}

// ---- %: docs.python.org, "printf-style String Formatting".

class Percent {
 public:
  Percent(Machine& m, const Value& format, const Value& arguments)
      : m_(m), in_(format.as_text()), markup_(format.markup()), arguments_(arguments), is_tuple_(arguments.is(Kind::kTuple)),
        is_mapping_(arguments.is(Kind::kDict) || (!is_tuple_ && !arguments.string() && (arguments.is(Kind::kList) || arguments.undefined() || arguments.as<Range>()))) {}

  std::string run() {
    while (at_ < in_.size()) {
      if (in_[at_] != '%') {
        const std::size_t end = std::min(in_.find('%', at_), in_.size());
        out_.append(in_, at_, end - at_);
        at_ = end;
      } else {
        ++at_;
        field();
      }
      m_.will_make(out_.size());
    }
    if (!is_mapping_ && used_ < (is_tuple_ ? arguments_.items().size() : 1)) fail("not all arguments converted during string formatting");
    return std::move(out_);
  }

 private:
  char take() {
    if (at_ >= in_.size()) fail("incomplete format");
    return in_[at_++];
  }

  Value next_argument() {
    if (keyed_) return std::exchange(keyed_, std::nullopt).value();
    if (is_tuple_) {
      if (used_ < arguments_.items().size()) return arguments_.items()[used_++];
    } else if (used_ == 0) {
      ++used_;
      return arguments_;
    }
    fail("not enough arguments for format string");
  }

  std::int64_t number_or_star() {
    if (at_ < in_.size() && in_[at_] == '*') {
      ++at_;
      const Value v = next_argument();
      if (!v.integral()) fail("* wants int");
      if (v.as_int() > kMostWidth || v.as_int() < -kMostWidth) fail("a width is above a million");
      return v.as_int();
    }
    std::int64_t n = 0;
    for (; at_ < in_.size() && in_[at_] >= '0' && in_[at_] <= '9'; ++at_) {
      n = n * 10 + (in_[at_] - '0');
      if (n > kMostWidth) fail("a width or precision is above a million");
    }
    return n;
  }

  void field() {
    keyed_ = std::nullopt;
    if (at_ < in_.size() && in_[at_] == '%') {
      ++at_;
      out_ += '%';
      return;
    }
    if (at_ < in_.size() && in_[at_] == '(') {
      int open = 1;
      const std::size_t begin = ++at_;
      for (; at_ < in_.size() && open > 0; ++at_) open += in_[at_] == '(' ? 1 : in_[at_] == ')' ? -1 : 0;
      if (open > 0) fail("incomplete format key");
      if (arguments_.undefined()) fail(arguments_.undefined_message());
      if (!arguments_.is(Kind::kDict)) fail("format requires a mapping");
      const std::string key = in_.substr(begin, at_ - 1 - begin);
      const Value* found = arguments_.as_dict().find(key);
      if (!found) fail(python::repr(key));
      keyed_ = *found;
      used_ = 1;
    }
    bool left = false, zero = false, alternate = false;
    char sign = '\0';
    for (; at_ < in_.size(); ++at_) {
      const char c = in_[at_];
      if (c == '-') left = true;
      else if (c == '+') sign = '+';
      else if (c == ' ') sign = sign ? sign : ' ';
      else if (c == '#') alternate = true;
      else if (c == '0') zero = true;
      else break;
    }
    std::int64_t width = number_or_star(), precision = -1;
    if (width < 0) left = true, width = -width;
    if (at_ < in_.size() && in_[at_] == '.') {
      ++at_;
      precision = std::max<std::int64_t>(number_or_star(), 0);
    }
    if (at_ < in_.size() && (in_[at_] == 'h' || in_[at_] == 'l' || in_[at_] == 'L')) ++at_;
    const char type = take();
    const Value v = next_argument();
    std::string prefix, body;
    convert(v, type, precision, alternate, prefix, body);
    const bool numeric = std::string_view("diouxXeEfFgG").find(type) != std::string_view::npos;
    if (numeric) {
      if (body.starts_with('-')) body.erase(0, 1), prefix.insert(0, "-");
      else if (sign) prefix.insert(0, 1, sign);
    }
    const std::size_t size = width_of(prefix) + width_of(body);
    const std::size_t fill = static_cast<std::size_t>(width) > size ? static_cast<std::size_t>(width) - size : 0;
    if (left) out_ += prefix + body + std::string(fill, ' ');
    else if (numeric && zero) out_ += prefix + std::string(fill, '0') + body;
    else out_ += std::string(fill, ' ') + prefix + body;
  }

  // What % makes of a value; `prefix` is 0x and the like.
  void convert(const Value& v, char type, std::int64_t precision, bool alternate, std::string& prefix, std::string& body) {
    switch (type) {
      case 's':
      case 'r':
      case 'a':
        body = type == 's' ? to_string(m_, v) : type == 'r' ? repr(m_, v) : ascii(m_, v);
        if (precision >= 0) body = utf8_slice(body, 0, static_cast<std::size_t>(precision));
        if (markup_ && !(v.markup() && type == 's')) body = escape(body);
        return;
      case 'd': case 'i': case 'u': case 'o': case 'x': case 'X': {
        const bool base_ten = type == 'd' || type == 'i' || type == 'u';
        if (v.undefined() && base_ten) fail(v.undefined_message());
        if (!v.integral() && !(v.is(Kind::kFloat) && base_ten)) {
          fail("%" + std::string(1, type) + " format: " + (base_ten ? "a real number" : "an integer") + " is required, not " + type_name(v));
        }
        if (v.is(Kind::kFloat) && !(std::fabs(v.as_double()) < 9.2e18)) {
          if (!std::isfinite(v.as_double())) fail("cannot convert float infinity or NaN to integer");
          fail_unsupported("an integer is above 64 bits");
        }
        const std::int64_t i = v.is(Kind::kFloat) ? static_cast<std::int64_t>(v.as_double()) : v.as_int();
        body = digits(i, base_ten ? 10 : type == 'o' ? 8 : 16, type == 'X');
        if (static_cast<std::int64_t>(body.size()) < precision) body.insert(0, static_cast<std::size_t>(precision) - body.size(), '0');
        if (alternate && !base_ten) prefix = std::string("0") + type;
        if (i < 0) body.insert(0, "-");
        return;
      }
      case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': {
        const std::optional<double> d = v.number() ? std::optional<double>(v.as_double()) : std::nullopt;
        if (v.undefined()) fail(v.undefined_message());
        if (!d) fail("must be real number, not " + type_name(v));
        body = real(*d, type, precision < 0 ? 6 : precision, alternate);
        return;
      }
      case 'c':
        if (v.string() && v.text_length() == 1) body = v.as_text();
        else if (v.integral()) {
          if (v.as_int() < 0 || v.as_int() > 0x10FFFF || (v.as_int() >= 0xD800 && v.as_int() < 0xE000)) fail("%c arg not in range(0x110000)");
          utf8_append(body, static_cast<char32_t>(v.as_int()));
        } else {
          fail("%c requires int or char");
        }
        if (markup_) body = escape(body);
        return;
      default: fail("unsupported format character " + python::repr(std::string(1, type)) + " at index " + std::to_string(utf8_length(in_.substr(0, at_ - 1))));
    }
  }

  Machine& m_;
  const std::string& in_;
  bool markup_;
  const Value& arguments_;
  bool is_tuple_, is_mapping_;
  std::size_t at_ = 0, used_ = 0;
  std::optional<Value> keyed_;
  std::string out_;
};

// ---- format(value, spec): docs.python.org, "Format Specification Mini-Language".

struct Spec {
  char32_t fill = ' ';
  char align = '\0', sign = '\0', grouping = '\0', type = '\0';
  bool alternate = false, zero = false, negative_zero = false;
  std::int64_t width = -1, precision = -1;
};

[[noreturn]] void fail_spec(const std::string& spec, const Value& v) {
  fail("Invalid format specifier '" + spec + "' for object of type '" + type_name(v) + "'");
}

Spec parse_spec(const std::string& text, const Value& v) {
  const std::u32string in = utf8_to_utf32(text);
  Spec spec;
  std::size_t i = 0;
  const auto is_align = [](char32_t c) { return c == '<' || c == '>' || c == '=' || c == '^'; };
  const auto at = [&](std::size_t k) { return k < in.size() ? in[k] : U'\0'; };
  const auto number = [&] {
    std::int64_t n = -1;
    for (; at(i) >= '0' && at(i) <= '9'; ++i) {
      n = std::max<std::int64_t>(n, 0) * 10 + static_cast<std::int64_t>(at(i) - '0');
      if (n > kMostWidth) fail("a width or precision is above a million");
    }
    return n;
  };
  bool fill_given = false;
  if (in.size() > 1 && is_align(in[1])) spec.fill = in[0], spec.align = static_cast<char>(in[1]), i = 2, fill_given = true;
  else if (!in.empty() && is_align(in[0])) spec.align = static_cast<char>(in[0]), i = 1;
  if (at(i) == '+' || at(i) == '-' || at(i) == ' ') spec.sign = static_cast<char>(at(i++));
  if (at(i) == 'z') spec.negative_zero = true, ++i;
  if (at(i) == '#') spec.alternate = true, ++i;
  if (!fill_given && at(i) == '0') {
    spec.zero = true;
    spec.fill = '0';
    if (!spec.align && !v.string()) spec.align = '=';
    ++i;
  }
  spec.width = number();
  if (at(i) == ',' || at(i) == '_') spec.grouping = static_cast<char>(at(i++));
  if (at(i) == ',' || at(i) == '_') fail("Cannot specify both ',' and '_'.");
  if (at(i) == '.') {
    ++i;
    spec.precision = number();
    if (spec.precision < 0) fail("Format specifier missing precision");
  }
  if (in.size() - std::min(i, in.size()) > 1) fail_spec(text, v);
  if (i < in.size()) {
    if (in[i] >= 0x80) fail_spec(text, v);
    spec.type = static_cast<char>(in[i]);
  }
  return spec;
}

[[noreturn]] void fail_type(const Spec& spec, const Value& v) {
  fail(std::string("Unknown format code '") + spec.type + "' for object of type '" + type_name(v) + "'");
}

// sign + prefix + digits, padded; separators go between the whole digits, and into the zeros that "=" pads with.
std::string pad_number(Machine& m, const Spec& spec, std::string sign, const std::string& prefix, std::string body) {
  sign += prefix;
  if (spec.grouping) {
    const std::size_t group = spec.type == 'b' || spec.type == 'o' || spec.type == 'x' || spec.type == 'X' ? 4 : 3;
    std::size_t whole = 0;
    const bool hex = group == 4 && (spec.type == 'x' || spec.type == 'X');
    while (whole < body.size() && ((body[whole] >= '0' && body[whole] <= '9') || (hex && std::isxdigit(static_cast<unsigned char>(body[whole]))))) ++whole;
    const std::string rest = body.substr(whole);
    std::string digits = body.substr(0, whole);
    const auto grouped = [&](const std::string& plain) {
      std::string out;
      for (std::size_t k = 0; k < plain.size(); ++k) {
        if (k > 0 && (plain.size() - k) % group == 0) out += spec.grouping;
        out += plain[k];
      }
      return out;
    };
    if (spec.align == '=' && spec.fill == '0' && !digits.empty()) {
      while (static_cast<std::int64_t>(sign.size() + grouped(digits).size() + rest.size()) < spec.width) {
        const std::size_t missing = static_cast<std::size_t>(spec.width) - sign.size() - grouped(digits).size() - rest.size();
        digits.insert(0, std::max<std::size_t>(missing / 2, 1), '0');
      }
      // Python never lets a separator come first: one zero more than asked for may stand there.
      while (digits.size() > whole && static_cast<std::int64_t>(sign.size() + grouped(digits.substr(1)).size() + rest.size()) >= spec.width) digits.erase(0, 1);
    }
    body = grouped(digits) + rest;
  }
  const std::size_t size = sign.size() + body.size();
  const std::size_t fill = spec.width > static_cast<std::int64_t>(size) ? static_cast<std::size_t>(spec.width) - size : 0;
  m.will_make(size + fill * 4);
  std::string unit, filler;
  utf8_append(unit, spec.fill);
  const auto filled = [&](std::size_t n) {
    std::string out;
    for (std::size_t k = 0; k < n; ++k) out += unit;
    return out;
  };
  const char align = spec.align ? spec.align : '>';
  if (align == '=') return sign + filled(fill) + body;
  if (align == '<') return sign + body + filled(fill);
  if (align == '^') return filled(fill / 2) + sign + body + filled(fill - fill / 2);
  return filled(fill) + sign + body;
}

std::string sign_of(const Spec& spec, bool negative) { return negative ? "-" : spec.sign == '-' || spec.sign == '\0' ? "" : std::string(1, spec.sign); }

std::string format_real(Machine& m, const Value& v, const Spec& spec) {
  double d = v.as_double();
  char type = spec.type;
  if (spec.grouping && type == 'n') fail(std::string("Cannot specify '") + spec.grouping + "' with 'n'.");
  std::string body;
  if (type == '\0' && spec.precision < 0) {
    body = python::repr(std::fabs(d));
    if (std::isnan(d)) body = "nan";
  } else if (type == '\0') {  // as g, but with at least one digit behind the point, and e at a smaller size
    const std::int64_t precision = std::max<std::int64_t>(spec.precision, 1);
    body = real(std::fabs(d), 'e', precision - 1, false);
    if (std::isfinite(d)) {
      const long exponent = std::strtol(body.c_str() + body.find('e') + 1, nullptr, 10);
      if (exponent < -4 || exponent >= precision - 1) {
        std::string mantissa = body.substr(0, body.find('e'));
        if (mantissa.find('.') != std::string::npos) {
          while (mantissa.ends_with('0')) mantissa.pop_back();
          if (mantissa.ends_with('.')) mantissa.pop_back();
        }
        body = mantissa + body.substr(body.find('e'));
      } else {
        body = real(std::fabs(d), 'g', precision, false);
        if (body.find('.') == std::string::npos && body.find('e') == std::string::npos) body += ".0";
      }
    }
  } else if (std::string_view("eEfFgGn%").find(type) != std::string_view::npos) {
    if (type == 'n') type = 'g';
    const double shown = type == '%' ? std::fabs(d) * 100 : std::fabs(d);
    body = real(shown, type == '%' ? 'f' : type, spec.precision < 0 ? 6 : spec.precision, spec.alternate);
    if (type == '%') body += '%';
  } else {
    fail_type(spec, v);
  }
  bool negative = std::signbit(d) && !std::isnan(d);
  if (spec.negative_zero && negative && body.find_first_of("123456789") == std::string::npos) negative = false;
  return pad_number(m, spec, sign_of(spec, negative), "", body);
}

std::string format_integer(Machine& m, const Value& v, const Spec& spec, const std::string& text) {
  const char type = spec.type ? spec.type : 'd';
  if (std::string_view("eEfFgG%").find(type) != std::string_view::npos) {
    return format_real(m, Value::real(v.as_double()), spec);
  }
  if (spec.precision >= 0) fail("Precision not allowed in integer format specifier");
  if (spec.negative_zero) fail("Negative zero coercion (z) not allowed in format specifier with integer format code '" + std::string(1, type) + "'");
  if (type == 'c') {
    if (spec.sign || spec.grouping) fail_spec(text, v);
    if (spec.alternate) fail("Alternate form (#) not allowed with integer format specifier 'c'");
    if (v.as_int() < 0 || v.as_int() > 0x10FFFF || (v.as_int() >= 0xD800 && v.as_int() < 0xE000)) fail("%c arg not in range(0x110000)");
    std::string body;
    utf8_append(body, static_cast<char32_t>(v.as_int()));
    return pad_number(m, spec, "", "", body);
  }
  if (spec.grouping == ',' && type != 'd') fail(std::string("Cannot specify ',' with '") + type + "'.");
  if (spec.grouping && type == 'n') fail("Cannot specify '_' with 'n'.");
  const int base = type == 'b' ? 2 : type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : type == 'd' || type == 'n' ? 10 : 0;
  if (base == 0) fail_type(spec, v);
  const std::string prefix = spec.alternate && base != 10 ? std::string("0") + type : "";
  return pad_number(m, spec, sign_of(spec, v.as_int() < 0), prefix, digits(v.as_int(), base, type == 'X'));
}

std::string format_text(Machine& m, const Value& v, const Spec& spec) {
  if (spec.type && spec.type != 's') fail_type(spec, v);
  if (spec.sign) fail(spec.sign == ' ' ? "Space not allowed in string format specifier" : "Sign not allowed in string format specifier");
  if (spec.negative_zero) fail("Negative zero coercion (z) not allowed in string format specifier");
  if (spec.alternate) fail("Alternate form (#) not allowed in string format specifier");
  if (spec.align == '=') fail("'=' alignment not allowed in string format specifier");
  if (spec.grouping) fail(std::string("Cannot specify '") + spec.grouping + "' with 's'.");
  std::string body = v.as_text();
  if (spec.precision >= 0) body = utf8_slice(body, 0, static_cast<std::size_t>(spec.precision));
  const std::size_t size = width_of(body), wanted = spec.width < 0 ? 0 : static_cast<std::size_t>(spec.width);
  const std::size_t fill = wanted > size ? wanted - size : 0;
  const std::size_t left = spec.align == '>' ? fill : spec.align == '^' ? fill / 2 : 0;
  m.will_make(body.size() + fill * 4);
  std::string out;
  for (std::size_t i = 0; i < left; ++i) utf8_append(out, spec.fill);
  out += body;
  for (std::size_t i = left; i < fill; ++i) utf8_append(out, spec.fill);
  return out;
}

std::string format_value(Machine& m, const Value& v, const std::string& spec) {
  if (spec.empty()) return to_string(m, v);
  if (v.string()) return format_text(m, v, parse_spec(spec, v));
  if (v.is(Kind::kFloat)) return format_real(m, v, parse_spec(spec, v));
  if (v.integral()) return format_integer(m, v, parse_spec(spec, v), spec);
  fail("unsupported format string passed to " + type_name(v) + ".__format__");
}

// ---- str.format, as string.Formatter in jinja2's sandbox.

class BraceFormat {
 public:
  BraceFormat(Machine& m, const Arguments& arguments, bool markup) : m_(m), arguments_(arguments), markup_(markup) {}

  std::string run(std::string_view in, int depth) {
    if (depth < 0) fail("Max string recursion exceeded");
    std::string out;
    for (std::size_t i = 0; i < in.size();) {
      const char c = in[i];
      if (c != '{' && c != '}') {
        const std::size_t end = std::min(in.find_first_of("{}", i), in.size());
        out.append(in.substr(i, end - i));
        i = end;
        continue;
      }
      if (i + 1 < in.size() && in[i + 1] == c) {
        out += c;
        i += 2;
        continue;
      }
      if (c == '}') fail("Single '}' encountered in format string");
      if (i + 1 == in.size()) fail("Single '{' encountered in format string");
      out += field(in, ++i, depth);
      m_.will_make(out.size());
    }
    return out;
  }

 private:
  // A field from behind its "{" on; leaves `i` behind its "}".
  std::string field(std::string_view in, std::size_t& i, int depth) {
    // The name goes up to "!", ":" or "}", but a bracket in it goes to its end.
    const std::size_t begin = i;
    bool bracket = false;
    for (; i < in.size(); ++i) {
      if (bracket) bracket = in[i] != ']';
      else if (in[i] == '[') bracket = true;
      else if (in[i] == '{') fail("unexpected '{' in field name");
      else if (in[i] == '}' || in[i] == ':' || in[i] == '!') break;
    }
    if (i >= in.size()) fail("expected '}' before end of string");
    std::string name(in.substr(begin, i - begin)), spec;
    char conversion = '\0';
    if (in[i] == '!') {
      if (i + 1 >= in.size()) fail("end of string while looking for conversion specifier");
      conversion = in[i + 1];
      i += 2;
      if (i >= in.size()) fail("unmatched '{' in format spec");
      if (in[i] != ':' && in[i] != '}') fail("expected ':' after conversion specifier");
    }
    if (in[i] == ':') {
      const std::size_t from = ++i;
      int open = 1;
      for (; i < in.size(); ++i) {
        open += in[i] == '{' ? 1 : in[i] == '}' ? -1 : 0;
        if (open == 0) break;
      }
      if (open > 0) fail("unmatched '{' in format spec");
      spec = std::string(in.substr(from, i - from));
    }
    ++i;
    Value v = value_of(name);
    if (conversion == 'r') v = Value::text(repr(m_, v));
    else if (conversion == 'a') v = Value::text(ascii(m_, v));
    else if (conversion == 's') v = Value::text(to_string(m_, v));
    else if (conversion != '\0') fail(std::string("Unknown conversion specifier ") + conversion);
    spec = run(spec, depth - 1);
    if (!markup_) return format_value(m_, v, spec);
    if (v.markup()) {
      if (!spec.empty()) fail("Format specifier " + spec + " given, but Markup does not define __html_format__.");
      return v.as_text();
    }
    return escape(format_value(m_, v, spec));
  }

  Value value_of(std::string name) {
    if (name.empty()) {
      if (manual_) fail("cannot switch from manual field specification to automatic field numbering");
      name = std::to_string(automatic_++);
    } else if (python::all(name, [](char32_t c) { return python::is(c, python::Fact::kDigit); })) {
      if (automatic_ > 0) fail("cannot switch from manual field specification to automatic field numbering");
      manual_ = true;
    }
    const std::size_t end = std::min(name.find_first_of(".["), name.size());
    const std::string first = name.substr(0, end);
    Value v;
    const bool number = !first.empty() && first.find_first_not_of("0123456789") == std::string::npos;
    if (number) {
      const std::optional<std::int64_t> index = python::parse_int(first);
      if (!index || *index >= static_cast<std::int64_t>(arguments_.positional.size())) fail("Replacement index " + first + " out of range for positional args tuple");
      v = arguments_.positional[static_cast<std::size_t>(*index)];
    } else {
      const auto found = std::find_if(arguments_.named.begin(), arguments_.named.end(), [&](const auto& named) { return named.first == first; });
      if (found == arguments_.named.end()) fail(python::repr(first));
      v = found->second;
    }
    for (std::size_t i = end; i < name.size();) {
      if (name[i] == '.') {
        const std::size_t next = std::min(name.find_first_of(".[", i + 1), name.size());
        if (next == i + 1) fail("Empty attribute in format string");
        v = m_.get_attribute(v, name.substr(i + 1, next - i - 1));
        i = next;
      } else if (name[i] == '[') {
        const std::size_t close = name.find(']', i);
        if (close == std::string::npos) fail("Missing ']' in format string");
        const std::string key = name.substr(i + 1, close - i - 1);
        if (key.empty()) fail("Empty attribute in format string");
        const bool is_index = key.find_first_not_of("0123456789") == std::string::npos;
        v = m_.get_item(v, is_index ? Value::integer(python::parse_int(key).value_or(0)) : Value::text(key));
        i = close + 1;
      } else {
        fail("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return v;
  }

  Machine& m_;
  const Arguments& arguments_;
  bool markup_, manual_ = false;
  int automatic_ = 0;
};

}  // namespace

Value percent_format(Machine& m, const Value& format, const Value& arguments) { return like(format, Percent(m, format, arguments).run()); }

Value str_format(Machine& m, const Value& format, const Arguments& arguments) {
  return like(format, BraceFormat(m, arguments, format.markup()).run(format.as_text(), 2));
}

}  // namespace polymath::jinja
