#include "text/jinja_machine.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "text/jinja_builtins.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

class TextIterator final : public Iterator {
 public:
  explicit TextIterator(Value text) : Iterator(0), text_(std::move(text)) {}
  bool next(Machine& m, Value& out) override {
    const std::string& bytes = text_.as_text();
    if (at_ >= bytes.size()) return false;
    m.spend(1);
    const auto length = static_cast<std::size_t>(utf8_decode(std::string_view(bytes).substr(at_)).length);
    out = Value::text(bytes.substr(at_, length));  // of Markup, too
    at_ += length;
    return true;
  }

 private:
  Value text_;
  std::size_t at_ = 0;
};

// Over a list, a tuple or a dict's keys, which it keeps.
class ItemIterator final : public Iterator {
 public:
  explicit ItemIterator(Value of) : Iterator(of.depth()), of_(std::move(of)) {}
  bool next(Machine& m, Value& out) override {
    m.spend(1);
    if (of_.is(Kind::kDict)) {
      const auto& entries = of_.as_dict().entries();
      if (at_ >= entries.size()) return false;
      out = entries[at_++].first;
      return true;
    }
    if (at_ >= of_.items().size()) return false;
    out = of_.items()[at_++];
    return true;
  }

 private:
  Value of_;
  std::size_t at_ = 0;
};

class RangeIterator final : public Iterator {
 public:
  RangeIterator(std::int64_t start, std::int64_t step, std::int64_t count) : Iterator(0), at_(start), step_(step), left_(count) {}
  bool next(Machine& m, Value& out) override {
    m.spend(1);
    if (left_ == 0) return false;
    out = Value::integer(at_);
    if (--left_ > 0) at_ += step_;
    return true;
  }

 private:
  std::int64_t at_, step_, left_;
};

std::string shown_type(const Value& v) {  // jinja2's object_type_repr
  if (v.none_value()) return "None";
  if (v.group()) return "jinja2.filters._GroupTuple object";
  if (v.markup()) return "markupsafe.Markup object";
  const auto* host = v.as<Host>();
  return (host ? host->module() : "") + type_name(v) + " object";
}

Value no_attribute(Machine& m, const Value& v, const Value& name) {
  return Value::undefined(python::repr(shown_type(v)) + " has no attribute " + jinja::repr(m, name));
}

Value unsafe(const Value& v, std::string_view name) {
  return Value::undefined("access to attribute " + python::repr(name) + " of " + python::repr(type_name(v)) + " object is unsafe.");
}

bool is_hashable(Machine& m, const Value& v) {
  m.spend(1);
  if (v.is(Kind::kTuple)) return std::all_of(v.items().begin(), v.items().end(), [&](const Value& item) { return is_hashable(m, item); });
  return !v.is(Kind::kList) && !v.is(Kind::kDict) && !v.as<DictView>();
}

// What every object of Python has, an undefined one, too.
bool is_object_attribute(std::string_view name) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"__class__", "__delattr__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattribute__", "__getstate__", "__gt__", "__hash__", "__init__",
       "__init_subclass__", "__le__", "__lt__", "__module__", "__ne__", "__new__", "__reduce__", "__reduce_ex__", "__repr__", "__setattr__", "__sizeof__", "__str__",
       "__subclasshook__"});
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// getattr(v, name): missing where there is no such attribute.
Value plain_attribute(Machine& m, const Value& v, std::string_view name) {
  if (v.is(Kind::kObject)) {
    Value found = v.as<Host>()->attribute(m, name);
    return !found.missing() && name.starts_with('_') ? unsafe(v, name) : found;
  }
  if (const Builtin* method = find_method(v, name)) {
    return Value::object(std::make_shared<FunctionValue>(
        "<built-in method " + std::string(name) + " of " + type_name(v) + " object at 0x7f0000000000>",
        [v, method](Machine& machine, Arguments& arguments) {
          arguments.positional.insert(arguments.positional.begin(), v);
          return invoke(machine, *method, std::move(arguments));
        },
        v.depth() + 1));
  }
  if (is_blocked_attribute(v, name)) return unsafe(v, name);
  if (is_unsupported_attribute(v, name)) fail_unsupported("the attribute " + std::string(name) + " of a " + type_name(v));
  if (v.group()) {
    if (name == "grouper") return v.items()[0];
    if (name == "list") return v.items()[1];
  }
  if (v.number()) {
    if (name == "real") return v.is(Kind::kBool) ? Value::integer(v.as_int()) : v;
    if (name == "imag") return v.is(Kind::kFloat) ? Value::real(0) : Value::integer(0);
    if (v.integral() && name == "numerator") return Value::integer(v.as_int());
    if (v.integral() && name == "denominator") return Value::integer(1);
  }
  return {};
}

// v[key]: missing where Python raises TypeError or LookupError.
Value plain_item(Machine& m, const Value& v, const Value& key) {
  const auto index = [&](std::int64_t length) -> std::int64_t {
    if (!key.integral()) return -1;
    const std::int64_t i = key.as_int() < 0 ? key.as_int() + length : key.as_int();
    return i >= 0 && i < length ? i : -1;
  };
  switch (v.kind()) {
    case Kind::kList:
    case Kind::kTuple: {
      const std::int64_t i = index(static_cast<std::int64_t>(v.items().size()));
      return i < 0 ? Value() : v.items()[static_cast<std::size_t>(i)];
    }
    case Kind::kString: {
      const std::int64_t i = index(static_cast<std::int64_t>(v.text_length()));
      if (i < 0) return {};
      m.spend(1 + (v.as_text().size() == v.text_length() ? 0 : v.as_text().size() / 16));
      return like(v, python::slice(v.as_text(), v.text_length(), i, 1, 1));
    }
    case Kind::kDict: {
      const Value* found = is_hashable(m, key) ? v.as_dict().find(m, key) : nullptr;
      return found ? *found : Value();
    }
    case Kind::kObject: return v.as<Host>()->item(m, key);
    default: return {};
  }
}

}  // namespace

Machine::~Machine() {
  for (const OwnedObject& owned : owned_) owned.clear(owned.object.get());
}

void Machine::out_of_steps() const {
  throw Error(ErrorCode::kResource, "the template takes more than " + std::to_string(limits_.steps) + " steps");
}

void Machine::too_deep() const {
  throw Error(ErrorCode::kResource, "calls and expressions are nested deeper than " + std::to_string(limits_.depth) + " levels");
}

void Machine::will_make(std::size_t bytes) {
  if (bytes > limits_.output) {
    throw Error(ErrorCode::kResource, "a text or a list is larger than " + std::to_string(limits_.output >> 20) + " MiB");
  }
}

const Value& Machine::made(const Value& v) {
  constexpr std::size_t kItem = 128;  // mostly there is a new text in each
  const std::size_t bytes = v.string() ? v.as_text().size() : v.sequence() ? v.items().size() * kItem : 0;
  if (v.string()) will_make(bytes);
  spend(bytes / 64);
  made_ += bytes + kItem;
  if (made_ > limits_.memory) throw Error(ErrorCode::kResource, "the template makes texts and lists of more than " + std::to_string(limits_.memory >> 20) + " MiB");
  return v;
}

void Machine::write(std::string_view text) {
  if (out->size() + text.size() > limits_.output) {
    throw Error(ErrorCode::kResource, "the rendered text is longer than " + std::to_string(limits_.output >> 20) + " MiB");
  }
  spend(text.size() / 64);
  out->append(text);
}

std::shared_ptr<Iterator> Machine::try_iterate(const Value& v) {
  switch (v.kind()) {
    case Kind::kString: return std::make_shared<TextIterator>(v);
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict: return std::make_shared<ItemIterator>(v);
    case Kind::kUndefined: return std::make_shared<ListIterator>(std::vector<Value>());
    case Kind::kObject:
      if (auto iterator = std::dynamic_pointer_cast<Iterator>(v.share())) return iterator;
      return v.as<Host>()->iterate(*this);
    default: return nullptr;
  }
}

std::shared_ptr<Iterator> Machine::iterate(const Value& v) {
  std::shared_ptr<Iterator> iterator = try_iterate(v);
  if (!iterator) fail("'" + type_name(v) + "' object is not iterable");
  return iterator;
}

std::vector<Value> Machine::items_of(const Value& v) {
  if (v.sequence()) {
    spend(v.items().size());
    return v.items();
  }
  std::vector<Value> items;
  const std::shared_ptr<Iterator> source = iterate(v);
  for (Value item; source->next(*this, item);) {
    items.push_back(std::move(item));
    will_make(items.size() * sizeof(Value));
  }
  return items;
}

std::optional<std::int64_t> Machine::length(const Value& v) {
  switch (v.kind()) {
    case Kind::kString: return static_cast<std::int64_t>(v.text_length());
    case Kind::kList:
    case Kind::kTuple: return static_cast<std::int64_t>(v.items().size());
    case Kind::kDict: return static_cast<std::int64_t>(v.as_dict().size());
    case Kind::kUndefined: return 0;
    case Kind::kObject: return v.as<Host>()->length(*this);
    default: return std::nullopt;
  }
}

Value Machine::get_attribute(const Value& v, std::string_view name) {
  if (v.undefined()) {
    if (is_object_attribute(name)) return unsafe(v, name);
    fail(v.undefined_message());
  }
  Value found = plain_attribute(*this, v, name);
  if (!found.missing()) return found;
  const Value key = Value::text(std::string(name));
  found = plain_item(*this, v, key);
  return found.missing() ? no_attribute(*this, v, key) : found;
}

Value Machine::get_item(const Value& v, const Value& key) {
  if (v.undefined()) fail(v.undefined_message());
  Value found = plain_item(*this, v, key);
  if (found.missing() && key.string()) found = plain_attribute(*this, v, key.as_text());
  if (!found.missing()) return found;
  return key.string() ? no_attribute(*this, v, key) : Value::undefined(shown_type(v) + " has no element " + jinja::repr(*this, key));
}

Value Machine::call(const Value& callee, Arguments& arguments) {
  step();
  if (callee.undefined()) fail(callee.undefined_message());
  if (!callee.is(Kind::kObject)) fail(python::repr(type_name(callee)) + " object is not callable");
  Level level(*this);
  return callee.as<Host>()->call(*this, arguments);
}

std::shared_ptr<Iterator> Range::iterate(Machine&) { return std::make_shared<RangeIterator>(start, step, count); }

std::shared_ptr<Iterator> Range::reversed(Machine&) {
  return std::make_shared<RangeIterator>(count > 0 ? start + (count - 1) * step : 0, count > 1 ? -step : 1, count);
}

Value Range::attribute(Machine&, std::string_view name) {
  if (name == "start") return Value::integer(start);
  if (name == "stop") return Value::integer(stop);
  if (name == "step") return Value::integer(step);
  if (name == "count" || name == "index") fail_unsupported("the attribute " + std::string(name) + " of a range");
  return {};
}

Value Range::item(Machine&, const Value& key) {
  if (!key.integral()) return {};
  const std::int64_t i = key.as_int() < 0 ? key.as_int() + count : key.as_int();
  return i >= 0 && i < count ? at(i) : Value();
}

std::shared_ptr<Iterator> DictView::iterate(Machine& m) {
  m.spend(dict.as_dict().size());
  return std::make_shared<ListIterator>(values());
}

std::shared_ptr<Iterator> DictView::reversed(Machine& m) {
  m.spend(dict.as_dict().size());
  std::vector<Value> items = values();
  std::reverse(items.begin(), items.end());
  return std::make_shared<ListIterator>(std::move(items));
}

}  // namespace polymath::jinja
