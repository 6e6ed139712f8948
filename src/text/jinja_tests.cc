// Tests: what stands behind `is`.
#include <algorithm>
#include <vector>

#include "text/jinja_builtins.h"
#include "text/jinja_operators.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

Value yes(bool b) { return Value::boolean(b); }

template <int kRest>
Value parity(Machine& m, Bound& b) { return yes(equal(m, binary(m, "%", b[0], Value::integer(2)), Value::integer(kRest))); }

Value divisibleby(Machine& m, Bound& b) { return yes(equal(m, binary(m, "%", b[0], b[1]), Value::integer(0))); }
Value defined(Machine&, Bound& b) { return yes(!b[0].undefined()); }
Value undefined(Machine&, Bound& b) { return yes(b[0].undefined()); }

template <bool kFilter>
Value exists(Machine& m, Bound& b) {
  hash_key(m, b[0]);
  return yes(b[0].string() && (kFilter ? find_filter(b[0].as_text()) : find_test(b[0].as_text())) != nullptr);
}

Value none(Machine&, Bound& b) { return yes(b[0].none_value()); }
Value boolean(Machine&, Bound& b) { return yes(b[0].is(Kind::kBool)); }
Value is_false(Machine&, Bound& b) { return yes(b[0].is(Kind::kBool) && !b[0].as_bool()); }
Value is_true(Machine&, Bound& b) { return yes(b[0].is(Kind::kBool) && b[0].as_bool()); }
Value integer(Machine&, Bound& b) { return yes(b[0].is(Kind::kInt)); }
Value real(Machine&, Bound& b) { return yes(b[0].is(Kind::kFloat)); }
Value lower(Machine& m, Bound& b) { return yes(python::is_lower(to_string(m, b[0]))); }
Value upper(Machine& m, Bound& b) { return yes(python::is_upper(to_string(m, b[0]))); }
Value string(Machine&, Bound& b) { return yes(b[0].string()); }
Value mapping(Machine&, Bound& b) { return yes(b[0].is(Kind::kDict)); }
Value number(Machine&, Bound& b) { return yes(b[0].number()); }
Value sequence(Machine&, Bound& b) {
  return yes(b[0].string() || b[0].sequence() || b[0].is(Kind::kDict) || b[0].undefined() || b[0].as<Range>());
}
Value iterable(Machine& m, Bound& b) { return yes(m.try_iterate(b[0]) != nullptr); }
Value is_callable(Machine&, Bound& b) { return yes(b[0].undefined() || (b[0].is(Kind::kObject) && b[0].as<Host>()->callable())); }
Value escaped(Machine&, Bound& b) { return yes(b[0].markup()); }

Value sameas(Machine& m, Bound& b) {
  if (b[0].kind() != b[1].kind()) return yes(false);
  switch (b[0].kind()) {
    case Kind::kNone: return yes(true);
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kString: return yes(equal(m, b[0], b[1]));  // Python keeps one object for most of these
    case Kind::kTuple: return yes(b[0].identity() == b[1].identity() || (b[0].items().empty() && b[1].items().empty()));
    default: return yes(b[0].identity() == b[1].identity());
  }
}

template <char... kOp>
Value compares(Machine& m, Bound& b) {
  static constexpr char kText[] = {kOp..., '\0'};
  return yes(compare(m, kText, b[0], b[1]));
}

Value in(Machine& m, Bound& b) { return yes(contains(m, b[1], b[0])); }

constexpr Builtin kTests[] = {
    {"!=", "/ a b", compares<'!', '='>},
    {"<", "/ a b", compares<'<'>},
    {"<=", "/ a b", compares<'<', '='>},
    {"==", "/ a b", compares<'=', '='>},
    {">", "/ a b", compares<'>'>},
    {">=", "/ a b", compares<'>', '='>},
    {"boolean", "value", boolean},
    {"callable", "/ obj", is_callable},
    {"defined", "value", defined},
    {"divisibleby", "value num", divisibleby},
    {"eq", "/ a b", compares<'=', '='>},
    {"equalto", "/ a b", compares<'=', '='>},
    {"escaped", "value", escaped},
    {"even", "value", parity<0>},
    {"false", "value", is_false},
    {"filter", "value", exists<true>},
    {"float", "value", real},
    {"ge", "/ a b", compares<'>', '='>},
    {"greaterthan", "/ a b", compares<'>'>},
    {"gt", "/ a b", compares<'>'>},
    {"in", "value seq", in},
    {"integer", "value", integer},
    {"iterable", "value", iterable},
    {"le", "/ a b", compares<'<', '='>},
    {"lessthan", "/ a b", compares<'<'>},
    {"lower", "value", lower},
    {"lt", "/ a b", compares<'<'>},
    {"mapping", "value", mapping},
    {"ne", "/ a b", compares<'!', '='>},
    {"none", "value", none},
    {"number", "value", number},
    {"odd", "value", parity<1>},
    {"sameas", "value other", sameas},
    {"sequence", "value", sequence},
    {"string", "value", string},
    {"test", "value", exists<false>},
    {"true", "value", is_true},
    {"undefined", "value", undefined},
    {"upper", "value", upper},
};

const Builtin* find_in(std::span<const Builtin> sorted, std::string_view name) {
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), name, [](const Builtin& b, std::string_view n) { return b.name < n; });
  return found != sorted.end() && found->name == name ? &*found : nullptr;
}

}  // namespace

const Builtin* find_test(std::string_view name) { return find_in(kTests, name); }

const Builtin* find_filter(std::string_view name) {
  for (const auto table : {text_filters(), sequence_filters(), number_filters()}) {
    if (const Builtin* found = find_in(table, name)) return found;
  }
  return nullptr;
}

Bound bind(std::string_view function, std::string_view parameters, Arguments&& arguments) {
  Bound bound;
  std::vector<std::string_view> names;
  bool takes_rest = false, positional_only = false;
  for (std::string_view name : python::split(parameters, " ", -1)) {
    if (name == "/") positional_only = true;
    else if (name == "*") takes_rest = true;
    else if (!name.empty()) names.push_back(name);
  }
  const std::string called = std::string(function) + "()";
  bound.values.resize(names.size());
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    if (i < names.size()) bound.values[i] = std::move(arguments.positional[i]);
    else if (takes_rest) bound.rest.positional.push_back(std::move(arguments.positional[i]));
    else fail(called + " takes " + std::to_string(names.size()) + " arguments but " + std::to_string(arguments.positional.size()) + " were given");
  }
  for (auto& [name, value] : arguments.named) {
    const auto found = std::find_if(names.begin(), names.end(), [&](std::string_view n) { return n == name || (n.ends_with('=') && n.substr(0, n.size() - 1) == name); });
    if (found != names.end() && !positional_only) {
      Value& slot = bound.values[static_cast<std::size_t>(found - names.begin())];
      if (!slot.missing()) fail(called + " got multiple values for argument " + python::repr(name));
      slot = std::move(value);
    } else if (takes_rest) {
      bound.rest.named.emplace_back(name, std::move(value));
    } else {
      fail(called + " got an unexpected keyword argument " + python::repr(name));
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (bound.values[i].missing() && !names[i].ends_with('=')) fail(called + " is missing the argument " + python::repr(names[i]));
  }
  return bound;
}

}  // namespace polymath::jinja
