// Filters over texts.
#include <algorithm>

#include "base/utf8.h"
#include "text/jinja_builtins.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

bool flag(Machine& m, const Bound& b, std::size_t i) { return b.has(i) && truth(m, b[i]); }

// soft_str: Markup stays what it is, everything else becomes a text.
Value soft(Machine& m, const Value& v) { return v.string() ? v : Value::text(to_string(m, v)); }

Value method(Machine& m, const Value& self, std::string_view name, std::vector<Value> arguments = {}) {
  arguments.insert(arguments.begin(), self);
  return invoke(m, *find_method(self, name), {std::move(arguments), {}});
}

Value upper(Machine& m, Bound& b) { return method(m, soft(m, b[0]), "upper"); }
Value lower(Machine& m, Bound& b) { return method(m, soft(m, b[0]), "lower"); }
Value capitalize(Machine& m, Bound& b) { return method(m, soft(m, b[0]), "capitalize"); }
Value string(Machine& m, Bound& b) { return soft(m, b[0]); }
Value center(Machine& m, Bound& b) { return method(m, soft(m, b[0]), "center", {b.has(1) ? b[1] : Value::integer(80)}); }

Value trim(Machine& m, Bound& b) {
  return b.has(1) ? method(m, soft(m, b[0]), "strip", {b[1]}) : method(m, soft(m, b[0]), "strip");
}

// Each word's first letter; a word begins behind - ( { [ < and whitespace.
Value title(Machine& m, Bound& b) {
  const Value text = soft(m, b[0]);
  std::string out, word;
  const auto flush = [&] {
    if (word.empty()) return;
    const std::size_t first = static_cast<std::size_t>(utf8_decode(word).length);
    out += python::upper(word.substr(0, first)) + python::lower(word.substr(first));
    word.clear();
  };
  for (const char32_t c : utf8_to_utf32(text.as_text())) {
    const bool between = c == '-' || c == '(' || c == '{' || c == '[' || c == '<' || python::is_space(c);
    if (between) flush(), utf8_append(out, c);
    else utf8_append(word, c);
  }
  flush();
  return Value::text(std::move(out));
}

Value replace(Machine& m, Bound& b) {
  std::vector<Value> arguments = {Value::text(to_string(m, b[1])), Value::text(to_string(m, b[2]))};
  if (b.has(3) && !b[3].none_value()) arguments.push_back(b[3]);
  return method(m, Value::text(to_string(m, b[0])), "replace", std::move(arguments));
}

Value indent(Machine& m, Bound& b) {
  if (b[0].undefined()) fail(b[0].undefined_message());
  if (!b[0].string()) fail("unsupported operand type(s) for +=: '" + type_name(b[0]) + "' and 'str'");
  const std::int64_t width = b.has(1) && b[1].string() ? 0 : b.has(1) ? index_of(b[1], "width") : 4;
  const std::size_t spaces = width > 0 ? static_cast<std::size_t>(width) : 0;
  m.will_make(spaces);
  std::string indention = b.has(1) && b[1].string() ? b[1].as_text() : std::string(spaces, ' ');
  const std::string text = b[0].as_text() + '\n';  // so that a line break at the end begins one line more
  const std::vector<std::string_view> lines = python::split_lines(text);
  const bool blank = flag(m, b, 3);
  m.will_make(text.size() + lines.size() * (indention.size() + 1));
  std::string out = flag(m, b, 2) ? indention : "";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) {
      out += '\n';
      if (blank || !lines[i].empty()) out += indention;
    }
    out += lines[i];
  }
  return like(b[0], std::move(out));
}

Value truncate(Machine& m, Bound& b) {
  const std::int64_t length = b.has(1) ? index_of(b[1], "length") : 255, leeway = b.has(4) && !b[4].none_value() ? index_of(b[4], "leeway") : 5;
  const std::string end = b.has(3) ? soft_text(m, b[3]) : "...";
  const std::int64_t end_length = static_cast<std::int64_t>(utf8_length(end));
  if (length < end_length) fail("expected length >= " + std::to_string(end_length) + ", got " + std::to_string(length));
  if (leeway < 0) fail("expected leeway >= 0, got " + std::to_string(leeway));
  const std::optional<std::int64_t> size = m.length(b[0]);
  if (!size) fail("object of type '" + type_name(b[0]) + "' has no len()");
  if (*size <= length || *size - length <= leeway) return b[0];
  if (!b[0].string()) fail("can only concatenate " + type_name(b[0]) + " to str");
  std::string kept = utf8_slice(b[0].as_text(), 0, static_cast<std::size_t>(length - end_length));
  if (!flag(m, b, 2)) {
    const std::size_t space = kept.rfind(' ');
    if (space != std::string::npos) kept.resize(space);
  }
  return like(b[0], kept + (b[0].markup() && b.has(3) ? escape(m, b[3]) : end));
}

Value wordcount(Machine& m, Bound& b) {
  std::int64_t count = 0;
  bool inside = false;
  for (const char32_t c : utf8_to_utf32(soft_text(m, b[0]))) {
    const bool part = c == '_' || python::is_alnum(c);
    count += part && !inside;
    inside = part;
  }
  return Value::integer(count);
}

Value format(Machine& m, Bound& b) {
  if (!b.rest.positional.empty() && !b.rest.named.empty()) fail("can't handle positional and keyword arguments at the same time");
  if (b.rest.named.empty()) return percent_format(m, soft(m, b[0]), Value::tuple(b.rest.positional));
  Dict dict;
  for (const auto& [name, value] : b.rest.named) dict.set(name, value);
  return percent_format(m, soft(m, b[0]), Value::dict(std::move(dict)));
}

Value escape_filter(Machine& m, Bound& b) { return Value::text(escape(m, b[0]), true); }
Value force_escape(Machine& m, Bound& b) { return Value::text(escape(to_string(m, b[0])), true); }
Value safe(Machine& m, Bound& b) { return Value::text(to_string(m, b[0]), true); }

// Comments and tags out, whitespace to single spaces, and HTML's references back to characters.
Value striptags(Machine& m, Bound& b) {
  std::string text = to_string(m, b[0]);
  const auto cut = [&](std::string_view from, std::string_view to) {
    std::string out;
    std::size_t at = 0;
    while (true) {
      const std::size_t begin = python::find(text, from, at);
      const std::size_t end = begin == std::string::npos ? begin : python::find(text, to, begin);
      if (end == std::string::npos) break;
      out.append(text, at, begin - at);
      at = end + to.size();
    }
    text = out + text.substr(std::min(at, text.size()));
  };
  cut("<!--", "-->");
  cut("<", ">");
  std::string joined;
  for (std::string_view part : python::split(text, std::nullopt, -1)) joined += (joined.empty() ? "" : " ") + std::string(part);
  if (joined.find('&') != std::string::npos) fail_unsupported("the filter striptags over a text with &");
  return Value::text(std::move(joined));
}

std::string quoted(std::string_view text, bool in_query) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-' || c == '~' || (c == '/' && !in_query);
    if (plain) out += c;
    else if (c == ' ' && in_query) out += '+';
    else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += "0123456789ABCDEF"[byte >> 4];
      out += "0123456789ABCDEF"[byte & 15];
    }
  }
  return out;
}

Value urlencode(Machine& m, Bound& b) {
  if (b[0].string() || !m.try_iterate(b[0])) return Value::text(quoted(to_string(m, b[0]), false));
  const Value pairs = b[0].is(Kind::kDict) ? Value::object(std::make_shared<DictView>(b[0], DictView::Part::kItems)) : b[0];
  std::string out;
  const std::shared_ptr<Iterator> source = m.iterate(pairs);
  for (Value item; source->next(m, item);) {
    const std::vector<Value> pair = m.items_of(item);
    if (pair.size() != 2) fail("not enough values to unpack (expected 2, got " + std::to_string(pair.size()) + ")");
    out += (out.empty() ? "" : "&") + quoted(to_string(m, pair[0]), true) + "=" + quoted(to_string(m, pair[1]), true);
    m.will_make(out.size());
  }
  return Value::text(std::move(out));
}

Value xmlattr(Machine& m, Bound& b) {
  if (b[0].undefined()) fail(b[0].undefined_message());
  if (!b[0].is(Kind::kDict)) fail("'" + type_name(b[0]) + "' object has no attribute 'items'");
  std::string out;
  for (const auto& [key, value] : b[0].as_dict().entries()) {
    if (value.none_value() || value.undefined()) continue;
    if (!key.string()) fail("expected string or bytes-like object, got '" + type_name(key) + "'");
    if (key.as_text().find_first_of(" \t\n\r\f\v/>=") != std::string::npos) fail("Invalid character in attribute name: " + python::repr(key.as_text()));
    out += (out.empty() ? "" : " ") + escape(m, key) + "=\"" + escape(m, value) + "\"";
  }
  if (!out.empty() && (!b.has(1) || truth(m, b[1]))) out.insert(0, " ");
  return Value::text(std::move(out));
}

Value tojson(Machine& m, Bound& b) {
  const auto given = [&](std::size_t i) { return b.has(i) ? b[i] : Value(); };
  return to_json(m, b[0], given(1), given(2), given(3), given(4));
}

Value unsupported(Machine&, Bound&) { fail_unsupported("the filters pprint, urlize and wordwrap"); }

constexpr Builtin kFilters[] = {
    {"capitalize", "s", capitalize},
    {"center", "value width=", center},
    {"e", "/ s", escape_filter},
    {"escape", "/ s", escape_filter},
    {"forceescape", "value", force_escape},
    {"format", "value *", format},
    {"indent", "s width= first= blank=", indent},
    {"lower", "s", lower},
    {"pprint", "value", unsupported},
    {"replace", "s old new count=", replace},
    {"safe", "value", safe},
    {"string", "/ s", string},
    {"striptags", "value", striptags},
    {"title", "s", title},
    {"tojson", "x ensure_ascii= indent= separators= sort_keys=", tojson},
    {"trim", "value chars=", trim},
    {"truncate", "s length= killwords= end= leeway=", truncate},
    {"upper", "s", upper},
    {"urlencode", "value", urlencode},
    {"urlize", "value trim_url_limit= nofollow= target= rel= extra_schemes=", unsupported},
    {"wordcount", "s", wordcount},
    {"wordwrap", "s width= break_long_words= wrapstring= break_on_hyphens=", unsupported},
    {"xmlattr", "d autospace=", xmlattr},
};

}  // namespace

std::span<const Builtin> text_filters() { return kFilters; }

std::string soft_text(Machine& m, const Value& v) { return to_string(m, v); }

Value like(const Value& model, std::string text) { return Value::text(std::move(text), model.markup()); }

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&#34;";
    else if (c == '\'') out += "&#39;";
    else out += c;
  }
  return out;
}

std::string escape(Machine& m, const Value& v) { return v.markup() ? v.as_text() : escape(to_string(m, v)); }

}  // namespace polymath::jinja
