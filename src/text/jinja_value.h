// The values of a template: Python's None, bool, int (of 64 bits), float, str, list, tuple and dict, jinja2's Undefined, and
// objects that only live while a template renders. Values are immutable and shared; what changes (namespaces, loops) is owned by
// the Machine, so that no value can hold itself. A Value may be read by many threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "polymath/error.h"

namespace polymath::jinja {

// Lists in lists in lists: what holds values holds its depth, so that recursion over a value is bounded.
inline constexpr int kMaxValueDepth = 200;

class Machine;
class Value;
class Dict;
class Iterator;

// A runtime error of the template; the Machine adds the line.
[[noreturn]] inline void fail(std::string reason) { throw Error(ErrorCode::kInvalidArgument, std::move(reason)); }
[[noreturn]] inline void fail_unsupported(std::string reason) { throw Error(ErrorCode::kUnsupported, std::move(reason)); }

enum class Kind : std::uint8_t { kMissing, kUndefined, kNone, kBool, kInt, kFloat, kString, kList, kTuple, kDict, kObject };

// What a value on the heap is.
struct Object {
  virtual ~Object() = default;
};

struct Text final : Object {
  std::string bytes;       // valid UTF-8
  std::size_t length = 0;  // code points
  bool markup = false;     // markupsafe's Markup: + % and its methods escape what joins it
};

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

class Value {
 public:
  Value() = default;  // kMissing: no value at all
  static Value none() { return Value(Kind::kNone); }
  static Value boolean(bool b);
  static Value integer(std::int64_t i);
  static Value real(double d);
  static Value text(std::string bytes, bool markup = false);
  static Value list(std::vector<Value> items);
  static Value tuple(std::vector<Value> items, bool group = false);  // group: what groupby gives, with .grouper and .list
  static Value dict(Dict entries);
  static Value undefined(std::string message);  // what an operation on it fails with
  static Value object(std::shared_ptr<Object> o);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool missing() const { return kind_ == Kind::kMissing; }
  bool undefined() const { return kind_ == Kind::kUndefined; }
  bool none_value() const { return kind_ == Kind::kNone; }
  bool string() const { return kind_ == Kind::kString; }
  bool integral() const { return kind_ == Kind::kInt || kind_ == Kind::kBool; }
  bool number() const { return integral() || kind_ == Kind::kFloat; }
  bool markup() const { return string() && text_object().markup; }
  bool sequence() const { return kind_ == Kind::kList || kind_ == Kind::kTuple; }

  bool as_bool() const { return scalar_.integer != 0; }              // of kBool
  std::int64_t as_int() const { return scalar_.integer; }            // of integral()
  double as_double() const { return kind_ == Kind::kFloat ? scalar_.real : static_cast<double>(scalar_.integer); }  // of number()
  const std::string& as_text() const { return text_object().bytes; }  // of kString
  std::size_t text_length() const { return text_object().length; }
  const std::vector<Value>& items() const;                            // of sequence()
  bool group() const;
  const Dict& as_dict() const;
  const std::string& undefined_message() const;
  template <class T>
  T* as() const { return kind_ == Kind::kObject ? dynamic_cast<T*>(object_.get()) : nullptr; }
  std::shared_ptr<Object> share() const { return object_; }
  const Object* identity() const { return object_.get(); }

  int depth() const;  // 0: holds no other value

 private:
  explicit Value(Kind kind) : kind_(kind) {}
  const Text& text_object() const { return static_cast<const Text&>(*object_); }

  Kind kind_ = Kind::kMissing;
  union {
    std::int64_t integer;
    double real;
  } scalar_{0};
  std::shared_ptr<Object> object_;
};

// A dict: keys in the order in which they came.
class Dict {
 public:
  // Throws for a key that cannot be hashed. set replaces the value and keeps the key and its place.
  void set(Machine& m, const Value& key, Value value);
  void set(std::string_view key, Value value);
  const Value* find(Machine& m, const Value& key) const;
  const Value* find(std::string_view key) const;
  const std::vector<std::pair<Value, Value>>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }

 private:
  void put(std::string place, const Value& key, Value value);
  std::vector<std::pair<Value, Value>> entries_;
  std::unordered_map<std::string, std::size_t> places_;  // by hash_key
};

struct Items final : Object {
  std::vector<Value> items;
  int depth = 0;
  bool group = false;
};

struct DictObject final : Object {
  Dict dict;
  int depth = 0;
};

struct UndefinedObject final : Object {
  std::string message;
};

// Objects that know what they can do; the defaults are those of an object that can do nothing.
struct Host : Object {
  virtual std::string type_name() const = 0;  // of Python, for messages
  virtual const char* module() const { return ""; }  // "jinja2.utils.": where that type is from
  virtual std::string repr(Machine& m) const = 0;
  virtual int depth() const { return 0; }
  virtual bool truth(Machine&) { return true; }
  virtual std::optional<std::int64_t> length(Machine&) { return std::nullopt; }
  virtual std::shared_ptr<Iterator> iterate(Machine&) { return nullptr; }
  virtual std::shared_ptr<Iterator> reversed(Machine&) { return nullptr; }
  virtual Value attribute(Machine&, std::string_view) { return {}; }  // missing: there is none
  virtual Value item(Machine&, const Value&) { return {}; }           // missing: TypeError or LookupError
  virtual bool callable() const { return false; }
  virtual Value call(Machine&, Arguments&);
  virtual bool equals(Machine&, const Host& other) const { return this == &other; }
};

// A Python iterator or generator: gives each value once.
class Iterator : public Host {
 public:
  explicit Iterator(int depth);
  virtual bool next(Machine& m, Value& out) = 0;
  std::string type_name() const override { return "generator"; }
  std::string repr(Machine& m) const override;
  int depth() const override { return depth_; }
  std::shared_ptr<Iterator> iterate(Machine&) override;

 private:
  int depth_;
};

// Over values that are at hand.
class ListIterator final : public Iterator {
 public:
  explicit ListIterator(std::vector<Value> items);
  bool next(Machine&, Value& out) override;

 private:
  std::vector<Value> items_;
  std::size_t at_ = 0;
};

struct Range final : Host {
  std::int64_t start = 0, stop = 0, step = 1, count = 0;
  Value at(std::int64_t i) const { return Value::integer(start + i * step); }
  bool contains(Machine& m, const Value& v) const;
  std::string type_name() const override { return "range"; }
  std::string repr(Machine&) const override;
  bool truth(Machine&) override { return count > 0; }
  std::optional<std::int64_t> length(Machine&) override { return count; }
  std::shared_ptr<Iterator> iterate(Machine&) override;
  std::shared_ptr<Iterator> reversed(Machine&) override;
  Value attribute(Machine&, std::string_view name) override;
  Value item(Machine&, const Value& key) override;
  bool equals(Machine& m, const Host& other) const override;
};

// dict.keys(), values() and items().
struct DictView final : Host {
  enum class Part { kKeys, kValues, kItems };
  DictView(Value dict, Part part) : dict(std::move(dict)), part(part) {}
  Value dict;
  Part part;
  std::vector<Value> values() const;
  std::string type_name() const override { return part == Part::kKeys ? "dict_keys" : part == Part::kValues ? "dict_values" : "dict_items"; }
  std::string repr(Machine&) const override;
  int depth() const override { return dict.depth() + 1; }
  bool truth(Machine&) override { return dict.as_dict().size() > 0; }
  std::optional<std::int64_t> length(Machine&) override { return static_cast<std::int64_t>(dict.as_dict().size()); }
  std::shared_ptr<Iterator> iterate(Machine&) override;
  std::shared_ptr<Iterator> reversed(Machine&) override;
  bool equals(Machine& m, const Host& other) const override;
};

// type(value).__name__, as Python's messages say it.
std::string type_name(const Value& v);

// A key for hashing: equal values have equal keys (1, 1.0 and True are one). Throws for lists and dicts.
std::string hash_key(Machine& m, const Value& v);

bool equal(Machine& m, const Value& a, const Value& b);
// a < b; throws where Python raises TypeError. `op` is for the message.
bool less(Machine& m, const Value& a, const Value& b, const char* op = "<");
bool truth(Machine& m, const Value& v);

std::string to_string(Machine& m, const Value& v);  // str(v)
std::string repr(Machine& m, const Value& v);       // repr(v)

Value from_json(const Json& json);

}  // namespace polymath::jinja
