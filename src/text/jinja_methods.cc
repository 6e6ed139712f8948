// Methods of str, list, tuple, dict and the numbers.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/utf8.h"
#include "text/jinja_builtins.h"
#include "text/jinja_operators.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

using python::Ends;
using python::Fact;

const std::string& text_of(const Value& v, const char* what = "argument") {
  if (!v.string()) fail(std::string(what) + " must be str, not " + type_name(v));
  return v.as_text();
}

std::optional<std::string_view> optional_text(const Bound& b, std::size_t i) {
  if (!b.has(i) || b[i].none_value()) return std::nullopt;
  return text_of(b[i]);
}

// A text that joins `self`: escaped where that is Markup.
std::string joining(Machine& m, const Value& self, const Value& v) {
  text_of(v);
  return self.markup() ? escape(m, v) : v.as_text();
}

Value texts(const Value& self, const std::vector<std::string_view>& parts) {
  std::vector<Value> items;
  for (std::string_view part : parts) items.push_back(like(self, std::string(part)));
  return Value::list(std::move(items));
}

template <python::Case kCase>
Value change_case(Machine&, Bound& b) { return like(b[0], python::change_case(b[0].as_text(), kCase)); }

template <Ends kEnds>
Value strip(Machine& m, Bound& b) {
  const auto chars = optional_text(b, 1);
  if (chars) m.spend(b[0].as_text().size() * chars->size() / 64);
  return like(b[0], std::string(python::strip(b[0].as_text(), chars, kEnds)));
}

template <bool kFromRight>
Value split(Machine& m, Bound& b) {
  const auto separator = optional_text(b, 1);
  if (separator && separator->empty()) fail("empty separator");
  m.spend(b[0].as_text().size() / 16);
  return texts(b[0], python::split(b[0].as_text(), separator, b.has(2) ? index_of(b[2], "maxsplit") : -1, kFromRight));
}

Value splitlines(Machine&, Bound& b) {
  return texts(b[0], python::split_lines(b[0].as_text(), b.has(1) && index_of(b[1], "keepends") != 0));
}

template <bool kLast>
Value partition(Machine&, Bound& b) {
  const std::string &text = b[0].as_text(), &separator = text_of(b[1]);
  if (separator.empty()) fail("empty separator");
  const std::size_t at = kLast ? python::find_last(text, separator) : python::find(text, separator);
  std::array<std::string, 3> parts = {text, "", ""};
  if (at != std::string::npos) parts = {text.substr(0, at), separator, text.substr(at + separator.size())};
  else if (kLast) parts = {"", "", text};
  return Value::tuple({like(b[0], parts[0]), like(b[0], parts[1]), like(b[0], parts[2])});
}

// The bytes of text[start:end] (arguments i and i + 1, in code points), and where they begin; absent where start is past the end.
std::optional<std::pair<std::string_view, std::int64_t>> window(const Bound& b, std::size_t i) {
  const std::string& text = b[0].as_text();
  const std::int64_t length = static_cast<std::int64_t>(b[0].text_length());
  const auto bound = [&](std::size_t k, std::int64_t left_out) {
    if (!b.has(k) || b[k].none_value()) return left_out;
    if (!b[k].integral()) fail("slice indices must be integers or None or have an __index__ method");
    std::int64_t v = b[k].as_int();
    if (v < 0) v = std::max<std::int64_t>(v < -length ? 0 : v + length, 0);
    return v;
  };
  const std::int64_t start = bound(i, 0), end = std::min(bound(i + 1, length), length);
  if (start > length || start > end) return std::nullopt;
  if (static_cast<std::size_t>(length) == text.size()) {
    return std::pair(std::string_view(text).substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)), start);
  }
  const std::size_t before = utf8_slice(text, 0, static_cast<std::size_t>(start)).size();
  const std::size_t size = utf8_slice(text, static_cast<std::size_t>(start), static_cast<std::size_t>(end)).size();
  return std::pair(std::string_view(text).substr(before, size), start);
}

template <bool kLast, bool kMustBeThere>
Value find(Machine& m, Bound& b) {
  const std::string& part = text_of(b[1], "must");
  m.spend(b[0].as_text().size() / 64);
  if (const auto in = window(b, 2)) {
    const std::size_t at = kLast ? python::find_last(in->first, part) : python::find(in->first, part);
    if (at != std::string_view::npos) return Value::integer(in->second + static_cast<std::int64_t>(utf8_length(in->first.substr(0, at))));
  }
  if (kMustBeThere) fail("substring not found");
  return Value::integer(-1);
}

Value count_text(Machine& m, Bound& b) {
  m.spend(b[0].as_text().size() / 64);
  const std::string& part = text_of(b[1], "must");
  const auto in = window(b, 2);
  return Value::integer(in ? static_cast<std::int64_t>(python::count(in->first, part)) : 0);
}

template <bool kEnd>
Value starts(Machine&, Bound& b) {
  const auto in = window(b, 2);
  const auto one = [&](const Value& v) {
    if (!v.string()) return false;
    return in && (kEnd ? in->first.ends_with(v.as_text()) : in->first.starts_with(v.as_text()));
  };
  if (b[1].is(Kind::kTuple)) {
    for (const Value& v : b[1].items()) {
      if (!v.string()) fail(std::string("tuple for ") + (kEnd ? "endswith" : "startswith") + " must only contain str, not " + type_name(v));
      if (one(v)) return Value::boolean(true);
    }
    return Value::boolean(false);
  }
  if (!b[1].string()) fail(std::string(kEnd ? "endswith" : "startswith") + " first arg must be str or a tuple of str, not " + type_name(b[1]));
  return Value::boolean(one(b[1]));
}

Value replace(Machine& m, Bound& b) {
  const std::string& text = b[0].as_text();
  const std::string old = text_of(b[1]), fresh = joining(m, b[0], b[2]);
  const std::int64_t most = b.has(3) ? index_of(b[3], "count") : -1;
  m.spend(text.size() / 64);
  std::string out;
  std::int64_t done = 0;
  std::size_t from = 0;
  if (old.empty()) {  // before each code point, and at the end
    while (most < 0 || done < most) {
      out += fresh;
      ++done;
      m.will_make(out.size());
      if (from >= text.size()) return like(b[0], out);
      const std::size_t next = from + static_cast<std::size_t>(utf8_decode(std::string_view(text).substr(from)).length);
      out.append(text, from, next - from);
      from = next;
    }
  } else {
    for (std::size_t at; (most < 0 || done < most) && (at = python::find(text, old, from)) != std::string::npos; ++done) {
      out.append(text, from, at - from);
      out += fresh;
      from = at + old.size();
      m.will_make(out.size());
    }
  }
  out.append(text, std::min(from, text.size()), std::string::npos);
  return like(b[0], out);
}

Value join(Machine& m, Bound& b) {
  std::string out;
  bool first = true;
  std::shared_ptr<Iterator> items = m.try_iterate(b[1]);
  if (!items) fail("can only join an iterable");
  std::int64_t at = 0;
  for (Value item; items->next(m, item); ++at) {
    if (!item.string() && !b[0].markup()) fail("sequence item " + std::to_string(at) + ": expected str instance, " + type_name(item) + " found");
    if (!first) out += b[0].as_text();
    first = false;
    out += b[0].markup() ? escape(m, item) : item.as_text();
    m.will_make(out.size());
  }
  return like(b[0], out);
}

// center, ljust, rjust: align is ^ < >.
template <char kAlign>
Value pad(Machine& m, Bound& b) {
  const std::int64_t width = index_of(b[1], "width"), length = static_cast<std::int64_t>(b[0].text_length());
  const std::string fill = b.has(2) ? text_of(b[2], "The fill character") : " ";
  if (utf8_length(fill) != 1) fail("The fill character must be exactly one character long");
  if (width <= length) return b[0];
  const std::int64_t missing = width - length;
  const std::int64_t left = kAlign == '<' ? 0 : kAlign == '>' ? missing : missing / 2 + (missing & width & 1);
  m.will_make(static_cast<std::size_t>(std::min<std::int64_t>(width, INT64_MAX / 8)) * fill.size());
  std::string out;
  for (std::int64_t i = 0; i < left; ++i) out += fill;
  out += b[0].as_text();
  for (std::int64_t i = left; i < missing; ++i) out += fill;
  return like(b[0], out);
}

Value zfill(Machine& m, Bound& b) {
  const std::int64_t width = index_of(b[1], "width"), length = static_cast<std::int64_t>(b[0].text_length());
  if (width <= length) return b[0];
  m.will_make(static_cast<std::size_t>(width));
  std::string text = b[0].as_text();
  text.insert(text.starts_with('+') || text.starts_with('-') ? 1 : 0, static_cast<std::size_t>(width - length), '0');
  return like(b[0], text);
}

Value expandtabs(Machine& m, Bound& b) {
  const std::int64_t size = b.has(1) ? index_of(b[1], "tabsize") : 8;
  const std::size_t tabs = python::count(b[0].as_text(), "\t");
  if (size > 0 && tabs > 0) m.will_make(tabs * static_cast<std::size_t>(std::min<std::int64_t>(size, 1 << 30)));
  return like(b[0], python::expand_tabs(b[0].as_text(), size));
}

Value removeprefix(Machine&, Bound& b) {
  const std::string &text = b[0].as_text(), &part = text_of(b[1]);
  return like(b[0], text.starts_with(part) ? text.substr(part.size()) : text);
}

Value removesuffix(Machine&, Bound& b) {
  const std::string &text = b[0].as_text(), &part = text_of(b[1]);
  return like(b[0], text.ends_with(part) ? text.substr(0, text.size() - part.size()) : text);
}

template <Fact kFact>
Value all_are(Machine&, Bound& b) { return Value::boolean(python::all(b[0].as_text(), [](char32_t c) { return python::is(c, kFact); })); }
Value isalnum(Machine&, Bound& b) { return Value::boolean(python::all(b[0].as_text(), python::is_alnum)); }
Value isascii(Machine&, Bound& b) { return Value::boolean(b[0].as_text().size() == b[0].text_length()); }
Value isprintable(Machine&, Bound& b) {
  return Value::boolean(b[0].as_text().empty() || python::all(b[0].as_text(), [](char32_t c) { return python::is(c, Fact::kPrintable); }));
}
Value islower(Machine&, Bound& b) { return Value::boolean(python::is_lower(b[0].as_text())); }
Value isupper(Machine&, Bound& b) { return Value::boolean(python::is_upper(b[0].as_text())); }
Value istitle(Machine&, Bound& b) { return Value::boolean(python::is_title(b[0].as_text())); }
Value isidentifier(Machine&, Bound& b) { return Value::boolean(python::is_identifier(b[0].as_text())); }

Value format(Machine& m, Bound& b) { return str_format(m, b[0], b.rest); }

Value format_map(Machine& m, Bound& b) {
  Arguments arguments;
  if (!b[1].is(Kind::kDict)) fail("format_map() argument must be a mapping, not " + type_name(b[1]));
  for (const auto& [key, value] : b[1].as_dict().entries()) {
    if (key.string()) arguments.named.emplace_back(key.as_text(), value);
  }
  return str_format(m, b[0], arguments);
}

constexpr Builtin kTextMethods[] = {
    {"capitalize", "/ self", change_case<python::Case::kCapitalize>},
    {"casefold", "/ self", change_case<python::Case::kFold>},
    {"center", "/ self width fillchar=", pad<'^'>},
    {"count", "/ self sub start= end=", count_text},
    {"endswith", "/ self suffix start= end=", starts<true>},
    {"expandtabs", "self tabsize=", expandtabs},
    {"find", "/ self sub start= end=", find<false, false>},
    {"format", "/ self *", format},
    {"format_map", "/ self mapping", format_map},
    {"index", "/ self sub start= end=", find<false, true>},
    {"isalnum", "/ self", isalnum},
    {"isalpha", "/ self", all_are<Fact::kAlpha>},
    {"isascii", "/ self", isascii},
    {"isdecimal", "/ self", all_are<Fact::kDecimal>},
    {"isdigit", "/ self", all_are<Fact::kDigit>},
    {"isidentifier", "/ self", isidentifier},
    {"islower", "/ self", islower},
    {"isnumeric", "/ self", all_are<Fact::kNumeric>},
    {"isprintable", "/ self", isprintable},
    {"isspace", "/ self", all_are<Fact::kSpace>},
    {"istitle", "/ self", istitle},
    {"isupper", "/ self", isupper},
    {"join", "/ self iterable", join},
    {"ljust", "/ self width fillchar=", pad<'<'>},
    {"lower", "/ self", change_case<python::Case::kLower>},
    {"lstrip", "/ self chars=", strip<Ends::kLeft>},
    {"partition", "/ self sep", partition<false>},
    {"removeprefix", "/ self prefix", removeprefix},
    {"removesuffix", "/ self suffix", removesuffix},
    {"replace", "/ self old new count=", replace},
    {"rfind", "/ self sub start= end=", find<true, false>},
    {"rindex", "/ self sub start= end=", find<true, true>},
    {"rjust", "/ self width fillchar=", pad<'>'>},
    {"rpartition", "/ self sep", partition<true>},
    {"rsplit", "self sep= maxsplit=", split<true>},
    {"rstrip", "/ self chars=", strip<Ends::kRight>},
    {"split", "self sep= maxsplit=", split<false>},
    {"splitlines", "self keepends=", splitlines},
    {"startswith", "/ self prefix start= end=", starts<false>},
    {"strip", "/ self chars=", strip<Ends::kBoth>},
    {"swapcase", "/ self", change_case<python::Case::kSwap>},
    {"title", "/ self", change_case<python::Case::kTitle>},
    {"upper", "/ self", change_case<python::Case::kUpper>},
    {"zfill", "/ self width", zfill},
};

Value dict_get(Machine& m, Bound& b) {
  if (const Value* found = b[0].as_dict().find(m, b[1])) return *found;
  return b.has(2) ? b[2] : Value::none();
}

template <DictView::Part kPart>
Value view(Machine&, Bound& b) { return Value::object(std::make_shared<DictView>(b[0], kPart)); }

Value same(Machine&, Bound& b) { return b[0]; }

constexpr Builtin kDictMethods[] = {
    {"copy", "/ self", same},
    {"get", "/ self key default=", dict_get},
    {"items", "/ self", view<DictView::Part::kItems>},
    {"keys", "/ self", view<DictView::Part::kKeys>},
    {"values", "/ self", view<DictView::Part::kValues>},
};

Value count_item(Machine& m, Bound& b) {
  std::int64_t count = 0;
  for (const Value& item : b[0].items()) count += equal(m, item, b[1]);
  return Value::integer(count);
}

Value index_item(Machine& m, Bound& b) {
  const auto& items = b[0].items();
  const std::int64_t length = static_cast<std::int64_t>(items.size());
  const auto bound = [&](std::size_t k, std::int64_t left_out) {
    if (!b.has(k)) return left_out;
    if (!b[k].integral()) fail("slice indices must be integers or have an __index__ method");
    const std::int64_t i = b[k].as_int();
    return i < 0 ? std::max<std::int64_t>(i < -length ? 0 : i + length, 0) : i;
  };
  const std::int64_t end = std::min(bound(3, length), length);
  for (std::int64_t i = bound(2, 0); i < end; ++i) {
    if (equal(m, items[static_cast<std::size_t>(i)], b[1])) return Value::integer(i);
  }
  fail(b[0].is(Kind::kList) ? repr(m, b[1]) + " is not in list" : "tuple.index(x): x not in tuple");
}

constexpr Builtin kListMethods[] = {
    {"copy", "/ self", same},
    {"count", "/ self value", count_item},
    {"index", "/ self value start= stop=", index_item},
};

Value is_integer(Machine&, Bound& b) { return Value::boolean(std::isfinite(b[0].as_double()) && b[0].as_double() == std::floor(b[0].as_double())); }

Value bit_length(Machine&, Bound& b) {
  const std::int64_t i = b[0].as_int();
  std::uint64_t magnitude = i < 0 ? 0 - static_cast<std::uint64_t>(i) : static_cast<std::uint64_t>(i);
  std::int64_t bits = 0;
  for (; magnitude; magnitude >>= 1) ++bits;
  return Value::integer(bits);
}

Value conjugate(Machine&, Bound& b) { return b[0].is(Kind::kBool) ? Value::integer(b[0].as_int()) : b[0]; }

constexpr Builtin kIntMethods[] = {{"bit_length", "/ self", bit_length}, {"conjugate", "/ self", conjugate}};
constexpr Builtin kFloatMethods[] = {{"conjugate", "/ self", conjugate}, {"is_integer", "/ self", is_integer}};

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) { return std::find(names.begin(), names.end(), name) != names.end(); }

}  // namespace

const Builtin* find_method(const Value& of, std::string_view name) {
  std::span<const Builtin> table;
  switch (of.kind()) {
    case Kind::kString: table = kTextMethods; break;
    case Kind::kDict: table = kDictMethods; break;
    case Kind::kList: table = kListMethods; break;
    case Kind::kTuple: table = std::span(kListMethods).subspan(1); break;
    case Kind::kBool:
    case Kind::kInt: table = kIntMethods; break;
    case Kind::kFloat: table = kFloatMethods; break;
    default: break;
  }
  for (const Builtin& method : table) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

bool is_blocked_attribute(const Value& of, std::string_view name) {
  if (of.is(Kind::kList)) return one_of(name, {"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"});
  if (of.is(Kind::kDict)) return one_of(name, {"clear", "pop", "popitem", "setdefault", "update"});
  return false;
}

bool is_unsupported_attribute(const Value& of, std::string_view name) {
  switch (of.kind()) {
    case Kind::kString:
      return one_of(name, {"encode", "maketrans", "translate"}) || (of.markup() && one_of(name, {"unescape", "striptags", "escape"}));
    case Kind::kDict: return name == "fromkeys";
    case Kind::kBool:
    case Kind::kInt: return one_of(name, {"as_integer_ratio", "bit_count", "from_bytes", "to_bytes"});
    case Kind::kFloat: return one_of(name, {"as_integer_ratio", "fromhex", "hex"});
    default: return false;
  }
}

}  // namespace polymath::jinja
