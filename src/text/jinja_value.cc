#include "text/jinja_value.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/printable.h"
#include "base/utf8.h"
#include "text/jinja_machine.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

int deeper(int depth) {
  if (depth >= kMaxValueDepth) throw Error(ErrorCode::kResource, "values are nested deeper than " + std::to_string(kMaxValueDepth) + " levels");
  return depth + 1;
}

// How a number compares with another, exactly: -1, 0, 1, or 2 where one is not a number.
int compare_numbers(const Value& a, const Value& b) {
  if (a.integral() && b.integral()) return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int() ? 1 : 0;
  const long double x = a.integral() ? static_cast<long double>(a.as_int()) : a.as_double();
  const long double y = b.integral() ? static_cast<long double>(b.as_int()) : b.as_double();
  return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
}

[[noreturn]] void fail_order(const Value& a, const Value& b, const char* op) {
  for (const Value* v : {&a, &b}) {
    if (v->undefined()) fail(v->undefined_message());
  }
  fail("'" + std::string(op) + "' not supported between instances of '" + type_name(a) + "' and '" + type_name(b) + "'");
}

}  // namespace

Value Host::call(Machine&, Arguments&) { fail("'" + type_name() + "' object is not callable"); }

Value Value::boolean(bool b) {
  Value v(Kind::kBool);
  v.scalar_.integer = b;
  return v;
}

Value Value::integer(std::int64_t i) {
  Value v(Kind::kInt);
  v.scalar_.integer = i;
  return v;
}

Value Value::real(double d) {
  Value v(Kind::kFloat);
  v.scalar_.real = d;
  return v;
}

Value Value::text(std::string bytes, bool markup) {
  auto object = std::make_shared<Text>();
  object->length = utf8_length(bytes);
  object->bytes = std::move(bytes);
  object->markup = markup;
  Value v(Kind::kString);
  v.object_ = std::move(object);
  return v;
}

Value Value::list(std::vector<Value> items) {
  auto object = std::make_shared<Items>();
  for (const Value& item : items) object->depth = std::max(object->depth, item.depth());
  object->depth = deeper(object->depth);
  object->items = std::move(items);
  Value v(Kind::kList);
  v.object_ = std::move(object);
  return v;
}

Value Value::tuple(std::vector<Value> items, bool group) {
  Value v = list(std::move(items));
  v.kind_ = Kind::kTuple;
  static_cast<Items&>(*v.object_).group = group;
  return v;
}

Value Value::dict(Dict entries) {
  auto object = std::make_shared<DictObject>();
  for (const auto& [key, value] : entries.entries()) object->depth = std::max({object->depth, key.depth(), value.depth()});
  object->depth = deeper(object->depth);
  object->dict = std::move(entries);
  Value v(Kind::kDict);
  v.object_ = std::move(object);
  return v;
}

Value Value::undefined(std::string message) {
  auto object = std::make_shared<UndefinedObject>();
  object->message = std::move(message);
  Value v(Kind::kUndefined);
  v.object_ = std::move(object);
  return v;
}

Value Value::object(std::shared_ptr<Object> o) {
  Value v(Kind::kObject);
  v.object_ = std::move(o);
  return v;
}

const std::vector<Value>& Value::items() const { return static_cast<const Items&>(*object_).items; }
bool Value::group() const { return kind_ == Kind::kTuple && static_cast<const Items&>(*object_).group; }
const Dict& Value::as_dict() const { return static_cast<const DictObject&>(*object_).dict; }
const std::string& Value::undefined_message() const { return static_cast<const UndefinedObject&>(*object_).message; }

int Value::depth() const {
  switch (kind_) {
    case Kind::kList:
    case Kind::kTuple: return static_cast<const Items&>(*object_).depth;
    case Kind::kDict: return static_cast<const DictObject&>(*object_).depth;
    case Kind::kObject: return static_cast<const Host&>(*object_).depth();
    default: return 0;
  }
}

void Dict::put(std::string place, const Value& key, Value value) {
  const auto [found, is_new] = places_.try_emplace(std::move(place), entries_.size());
  if (is_new) entries_.emplace_back(key, std::move(value));
  else entries_[found->second].second = std::move(value);
}

void Dict::set(Machine& m, const Value& key, Value value) { put(hash_key(m, key), key, std::move(value)); }
void Dict::set(std::string_view key, Value value) { put("s" + std::string(key), Value::text(std::string(key)), std::move(value)); }

const Value* Dict::find(Machine& m, const Value& key) const {
  const auto found = places_.find(hash_key(m, key));
  return found == places_.end() ? nullptr : &entries_[found->second].second;
}

const Value* Dict::find(std::string_view key) const {
  const auto found = places_.find("s" + std::string(key));
  return found == places_.end() ? nullptr : &entries_[found->second].second;
}

Iterator::Iterator(int depth) : depth_(deeper(depth)) {}
std::shared_ptr<Iterator> Iterator::iterate(Machine&) { return nullptr; }  // Machine::iterate hands out the iterator itself
std::string Iterator::repr(Machine&) const { return "<" + type_name() + " object at 0x7f0000000000>"; }

ListIterator::ListIterator(std::vector<Value> items)
    : Iterator([&] {
        int depth = 0;
        for (const Value& item : items) depth = std::max(depth, item.depth());
        return depth;
      }()),
      items_(std::move(items)) {}

bool ListIterator::next(Machine&, Value& out) {
  if (at_ == items_.size()) return false;
  out = std::move(items_[at_++]);
  return true;
}

bool Range::contains(Machine& m, const Value& v) const {
  if (!v.number()) return false;
  if (!v.integral() && (v.as_double() != std::floor(v.as_double()) || std::fabs(v.as_double()) > 9e18)) return false;
  const std::int64_t i = v.integral() ? v.as_int() : static_cast<std::int64_t>(v.as_double());
  m.spend(1);
  return count > 0 && (step > 0 ? i >= start && i < stop : i <= start && i > stop) && (static_cast<__int128>(i) - start) % step == 0;
}

std::string Range::repr(Machine&) const {
  return "range(" + std::to_string(start) + ", " + std::to_string(stop) + (step == 1 ? "" : ", " + std::to_string(step)) + ")";
}

bool Range::equals(Machine&, const Host& other) const {
  const auto* o = dynamic_cast<const Range*>(&other);
  return o && count == o->count && (count == 0 || (start == o->start && (count == 1 || step == o->step)));
}

std::vector<Value> DictView::values() const {
  std::vector<Value> out;
  for (const auto& [key, value] : dict.as_dict().entries()) {
    out.push_back(part == Part::kKeys ? key : part == Part::kValues ? value : Value::tuple({key, value}));
  }
  return out;
}

std::string DictView::repr(Machine& m) const { return type_name() + "(" + jinja::repr(m, Value::list(values())) + ")"; }

bool DictView::equals(Machine& m, const Host& other) const {
  const auto* o = dynamic_cast<const DictView*>(&other);
  if (!o || part == Part::kValues || o->part == Part::kValues) return this == &other;
  if (o->dict.as_dict().size() != dict.as_dict().size() || o->part != part) return dict.as_dict().size() == 0 && o->dict.as_dict().size() == 0;
  for (const auto& [key, value] : dict.as_dict().entries()) {
    const Value* found = o->dict.as_dict().find(m, key);
    if (!found || (part == Part::kItems && !equal(m, *found, value))) return false;
  }
  return true;
}

std::string type_name(const Value& v) {
  switch (v.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined: return "Undefined";
    case Kind::kNone: return "NoneType";
    case Kind::kBool: return "bool";
    case Kind::kInt: return "int";
    case Kind::kFloat: return "float";
    case Kind::kString: return v.markup() ? "Markup" : "str";
    case Kind::kList: return "list";
    case Kind::kTuple: return "tuple";
    case Kind::kDict: return "dict";
    case Kind::kObject: return v.as<Host>()->type_name();
  }
  return "object";
}

std::string hash_key(Machine& m, const Value& v) {
  m.spend(1);
  switch (v.kind()) {
    case Kind::kNone: return "n";
    case Kind::kBool:
    case Kind::kInt: return "i" + std::to_string(v.as_int());
    case Kind::kFloat: {
      const double d = v.as_double();
      if (d == std::floor(d) && std::fabs(d) < 9.2e18) return "i" + std::to_string(static_cast<std::int64_t>(d));
      return "f" + python::repr(d);
    }
    case Kind::kString: return "s" + v.as_text();
    case Kind::kTuple: {
      std::string out = "(";
      for (const Value& item : v.items()) {
        const std::string key = hash_key(m, item);
        out += std::to_string(key.size()) + ":" + key;
        m.will_make(out.size());
      }
      m.spend(out.size() / 64);
      return out;
    }
    case Kind::kUndefined: return "u";
    case Kind::kObject: {
      if (const auto* range = v.as<Range>()) return "r" + range->repr(m);
      if (v.as<DictView>()) break;
      const Object* address = v.identity();
      std::string out = "o";
      out.append(reinterpret_cast<const char*>(&address), sizeof address);
      return out;
    }
    default: break;
  }
  fail("unhashable type: '" + type_name(v) + "'");
}

bool equal(Machine& m, const Value& a, const Value& b) {
  m.spend(1);
  if (a.number() && b.number()) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kString: return a.as_text() == b.as_text();
    case Kind::kList:
    case Kind::kTuple: {
      if (a.identity() == b.identity()) return true;
      const auto &x = a.items(), &y = b.items();
      if (x.size() != y.size()) return false;
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (!equal(m, x[i], y[i])) return false;
      }
      return true;
    }
    case Kind::kDict: {
      if (a.identity() == b.identity()) return true;
      const Dict &x = a.as_dict(), &y = b.as_dict();
      if (x.size() != y.size()) return false;
      for (const auto& [key, value] : x.entries()) {
        const Value* found = y.find(m, key);
        if (!found || !equal(m, value, *found)) return false;
      }
      return true;
    }
    case Kind::kObject: return a.as<Host>()->equals(m, *b.as<Host>());
    default: return true;  // None, Undefined
  }
}

bool less(Machine& m, const Value& a, const Value& b, const char* op) {
  m.spend(1);
  const bool strict = std::strlen(op) == 1, greater = op[0] == '>';
  if (a.number() && b.number()) {
    const int order = compare_numbers(a, b);
    return order == (greater ? 1 : -1) || (!strict && order == 0);
  }
  if (a.string() && b.string()) {
    const int order = a.as_text().compare(b.as_text());  // UTF-8 sorts as its code points do
    return greater ? (strict ? order > 0 : order >= 0) : (strict ? order < 0 : order <= 0);
  }
  if (a.sequence() && a.kind() == b.kind()) {
    const auto &x = a.items(), &y = b.items();
    std::size_t i = 0;
    while (i < x.size() && i < y.size() && equal(m, x[i], y[i])) ++i;
    if (i < x.size() && i < y.size()) return less(m, x[i], y[i], op);
    return less(m, Value::integer(static_cast<std::int64_t>(x.size())), Value::integer(static_cast<std::int64_t>(y.size())), op);
  }
  if (a.as<DictView>() && b.as<DictView>()) fail_unsupported("comparing the views of dicts as sets");
  fail_order(a, b, op);
}

bool truth(Machine& m, const Value& v) {
  switch (v.kind()) {
    case Kind::kBool:
    case Kind::kInt: return v.as_int() != 0;
    case Kind::kFloat: return v.as_double() != 0;
    case Kind::kString: return !v.as_text().empty();
    case Kind::kList:
    case Kind::kTuple: return !v.items().empty();
    case Kind::kDict: return v.as_dict().size() > 0;
    case Kind::kObject: return v.as<Host>()->truth(m);
    default: return false;
  }
}

std::string to_string(Machine& m, const Value& v) {
  if (v.string()) return v.as_text();
  if (v.undefined()) return "";
  return repr(m, v);
}

std::string repr(Machine& m, const Value& v) {
  m.spend(1);
  const auto join = [&](const std::vector<Value>& items, std::string out, const char* end) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += ", ";
      out += repr(m, items[i]);
      m.will_make(out.size());
    }
    m.spend(out.size() / 64);
    return out + end;
  };
  switch (v.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined: return "Undefined";
    case Kind::kNone: return "None";
    case Kind::kBool: return v.as_bool() ? "True" : "False";
    case Kind::kInt: return std::to_string(v.as_int());
    case Kind::kFloat: return python::repr(v.as_double());
    case Kind::kString: {
      const std::string text = python::repr(v.as_text());
      return v.markup() ? "Markup(" + text + ")" : text;
    }
    case Kind::kList: return join(v.items(), "[", "]");
    case Kind::kTuple: return join(v.items(), "(", v.items().size() == 1 ? ",)" : ")");
    case Kind::kDict: {
      std::string out = "{";
      for (const auto& [key, value] : v.as_dict().entries()) {
        if (out.size() > 1) out += ", ";
        out += repr(m, key) + ": " + repr(m, value);
        m.will_make(out.size());
      }
      m.spend(out.size() / 64);
      return out + "}";
    }
    case Kind::kObject: {
      Machine::Level level(m);
      return v.as<Host>()->repr(m);
    }
  }
  return "";
}

Value from_json(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null: return Value::none();
    case Json::value_t::boolean: return Value::boolean(json.get<bool>());
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > INT64_MAX) fail_unsupported("the integer " + json.dump() + " is above 64 bits");
      [[fallthrough]];
    case Json::value_t::number_integer: return Value::integer(json.get<std::int64_t>());
    case Json::value_t::number_float: return Value::real(json.get<double>());
    case Json::value_t::string: return Value::text(json.get<std::string>());
    case Json::value_t::array: {
      std::vector<Value> items;
      for (const Json& item : json) items.push_back(from_json(item));
      return Value::list(std::move(items));
    }
    case Json::value_t::object: {
      Dict dict;
      for (const auto& [key, value] : json.items()) dict.set(key, from_json(value));
      return Value::dict(std::move(dict));
    }
    default: fail("a value of the conversation is binary");
  }
}

}  // namespace polymath::jinja
