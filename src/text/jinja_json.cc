// The tojson filter as Transformers overrides it: Python's json.dumps with its options.
#include <cmath>

#include "base/utf8.h"
#include "text/jinja_builtins.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

class Dump {
 public:
  Dump(Machine& m, bool ascii, bool sort_keys) : m_(m), ascii_(ascii), sort_keys_(sort_keys) {}

  bool lines = false;
  std::string indent, item_separator = ", ", key_separator = ": ";

  std::string run(const Value& v) {
    value(v, 0);
    return std::move(out_);
  }

 private:
  void text(const std::string& s) {
    out_ += '"';
    for (const char32_t c : utf8_to_utf32(s)) {
      if (c == '"') out_ += "\\\"";
      else if (c == '\\') out_ += "\\\\";
      else if (c == '\n') out_ += "\\n";
      else if (c == '\r') out_ += "\\r";
      else if (c == '\t') out_ += "\\t";
      else if (c == '\f') out_ += "\\f";
      else if (c == '\b') out_ += "\\b";
      else if (c < 0x20 || (ascii_ && c > 0x7E)) {
        if (c > 0xFFFF) unit(0xD800 + ((c - 0x10000) >> 10)), unit(0xDC00 + ((c - 0x10000) & 0x3FF));
        else unit(c);
      } else utf8_append(out_, c);
    }
    out_ += '"';
  }
  void unit(char32_t c) {
    out_ += "\\u";
    for (int i = 3; i >= 0; --i) out_ += "0123456789abcdef"[c >> (4 * i) & 15];
  }

  static std::string number(const Value& v) {
    if (v.integral()) return std::to_string(v.as_int());
    const double d = v.as_double();
    return std::isnan(d) ? "NaN" : std::isinf(d) ? (d > 0 ? "Infinity" : "-Infinity") : python::repr(d);
  }

  void line(std::size_t depth) {
    if (!lines) return;
    out_ += '\n';
    m_.will_make(out_.size() + depth * indent.size());
    for (std::size_t i = 0; i < depth; ++i) out_ += indent;
  }

  void key(const Value& v) {
    if (v.string()) text(v.as_text());
    else if (v.is(Kind::kBool)) out_ += v.as_bool() ? "\"true\"" : "\"false\"";
    else if (v.none_value()) out_ += "\"null\"";
    else if (v.number()) out_ += "\"" + number(v) + "\"";
    else fail("keys must be str, int, float, bool or None, not " + type_name(v));
  }

  void value(const Value& v, std::size_t depth) {
    m_.spend(1);
    m_.will_make(out_.size());
    switch (v.kind()) {
      case Kind::kNone: out_ += "null"; return;
      case Kind::kBool: out_ += v.as_bool() ? "true" : "false"; return;
      case Kind::kInt:
      case Kind::kFloat: out_ += number(v); return;
      case Kind::kString: text(v.as_text()); return;
      case Kind::kList:
      case Kind::kTuple: {
        out_ += '[';
        bool first = true;
        for (const Value& item : v.items()) {
          if (!first) out_ += item_separator;
          first = false;
          line(depth + 1);
          value(item, depth + 1);
        }
        if (!first) line(depth);
        out_ += ']';
        return;
      }
      case Kind::kDict: {
        out_ += '{';
        std::vector<Keyed> entries;
        for (const auto& [k, item] : v.as_dict().entries()) entries.push_back({sort_keys_ ? Value::tuple({k, item}) : k, item});
        if (sort_keys_) sort(m_, entries, false);
        bool first = true;
        for (const Keyed& entry : entries) {
          if (!first) out_ += item_separator;
          first = false;
          line(depth + 1);
          key(sort_keys_ ? entry.key.items()[0] : entry.key);
          out_ += key_separator;
          value(entry.item, depth + 1);
        }
        if (!first) line(depth);
        out_ += '}';
        return;
      }
      default: fail("Object of type " + type_name(v) + " is not JSON serializable");
    }
  }

  Machine& m_;
  bool ascii_, sort_keys_;
  std::string out_;
};

}  // namespace

Value to_json(Machine& m, const Value& v, const Value& ensure_ascii, const Value& indent, const Value& separators, const Value& sort_keys) {
  const auto flag = [&](const Value& given) { return !given.missing() && truth(m, given); };
  Dump dump(m, flag(ensure_ascii), flag(sort_keys));
  if (!indent.missing() && !indent.none_value()) {
    dump.lines = true;
    dump.item_separator = ",";
    if (indent.string()) dump.indent = indent.as_text();
    else {
      const std::int64_t width = index_of(indent, "indent");
      if (width > 0) m.will_make(static_cast<std::size_t>(width));
      dump.indent = std::string(width > 0 ? static_cast<std::size_t>(width) : 0, ' ');
    }
  }
  if (!separators.missing() && !separators.none_value()) {
    const std::vector<Value> two = m.items_of(separators);
    if (two.size() != 2) fail("separators must be two");
    if (!two[0].string() || !two[1].string()) fail("separators must be texts");
    dump.item_separator = two[0].as_text();
    dump.key_separator = two[1].as_text();
  }
  return Value::text(dump.run(v));
}

}  // namespace polymath::jinja
