// What templates can name: filters, tests, methods of values and global functions, each with its parameters as Python declares them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja_machine.h"
#include "text/jinja_value.h"

namespace polymath::jinja {

// A call's arguments in the order of the parameters; missing() where one was left out. `rest` is what "*" takes.
struct Bound {
  std::vector<Value> values;
  Arguments rest;

  const Value& operator[](std::size_t i) const { return values[i]; }
  bool has(std::size_t i) const { return i < values.size() && !values[i].missing(); }
};

// parameters: names with spaces between; `name=` may be left out, those before "/" are positional only, and "*" takes all others.
struct Builtin {
  std::string_view name, parameters;
  Value (*call)(Machine& m, Bound& b);
};

// Throws what Python's TypeError would say.
Bound bind(std::string_view function, std::string_view parameters, Arguments&& arguments);

inline Value invoke(Machine& m, const Builtin& builtin, Arguments&& arguments) {
  m.step();
  Bound bound = bind(builtin.name, builtin.parameters, std::move(arguments));
  Value result = builtin.call(m, bound);
  m.made(result);
  return result;
}

// Null where there is none of that name.
const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);
const Builtin* find_method(const Value& of, std::string_view name);  // its first parameter is the value itself

// The tables' parts; each ends up in find_filter.
std::span<const Builtin> text_filters();
std::span<const Builtin> sequence_filters();
std::span<const Builtin> number_filters();

// Names that Python's own types have and that are refused: they change a value, or they are not supported here.
bool is_blocked_attribute(const Value& of, std::string_view name);
bool is_unsupported_attribute(const Value& of, std::string_view name);

// A function as a value: a global, or a method with its object.
struct FunctionValue : Host {
  FunctionValue(std::string shown, std::function<Value(Machine&, Arguments&)> function, int depth = 0)
      : shown(std::move(shown)), function(std::move(function)), depth_(depth) {}
  std::string shown;  // its repr
  std::function<Value(Machine&, Arguments&)> function;
  std::string type_name() const override {
    return shown.starts_with("<class") ? "type" : shown.starts_with("<built-in") ? "builtin_function_or_method" : shown.starts_with("<bound") ? "method" : "function";
  }
  std::string repr(Machine&) const override { return shown; }
  int depth() const override { return depth_; }
  bool callable() const override { return true; }
  Value call(Machine& m, Arguments& arguments) override { return function(m, arguments); }

 private:
  int depth_;
};

// namespace(): the one thing that a template can change.
struct Namespace final : Host {
  Dict attributes;
  std::string type_name() const override { return "Namespace"; }
  const char* module() const override { return "jinja2.utils."; }
  std::string repr(Machine& m) const override;
  Value attribute(Machine&, std::string_view name) override;
  void clear() { attributes = {}; }

 private:
  mutable bool showing_ = false;
};

// range, dict, namespace, cycler, joiner, raise_exception, strftime_now; missing() for other names.
Value find_global(std::string_view name);

// Helpers of the tables.
std::int64_t index_of(const Value& v, const char* what);  // an int; throws TypeError's message
std::string soft_text(Machine& m, const Value& v);        // str(v)
Value like(const Value& model, std::string text);         // a text that is Markup where `model` is
std::string escape(std::string_view text);                // & < > " ' for HTML
std::string escape(Machine& m, const Value& v);           // escape(str(v)), but Markup as it is

// The rules of `attribute="a.0.b"`.
Value attribute_path(Machine& m, const Value& item, const Value& path, const Value& missing = {});

// sorted(), stable, by Python's own comparisons.
struct Keyed {
  Value key, item;
};
void sort(Machine& m, std::vector<Keyed>& values, bool reverse);

// json.dumps(value, ensure_ascii, indent, separators, sort_keys); missing(): the defaults of the tojson filter.
Value to_json(Machine& m, const Value& v, const Value& ensure_ascii, const Value& indent, const Value& separators, const Value& sort_keys);

// template % arguments, and template.format(...).
Value percent_format(Machine& m, const Value& format, const Value& arguments);
Value str_format(Machine& m, const Value& format, const Arguments& arguments);

}  // namespace polymath::jinja
