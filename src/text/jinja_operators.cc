#include "text/jinja_operators.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "text/jinja_builtins.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

[[noreturn]] void fail_operands(std::string_view op, const Value& a, const Value& b) {
  fail("unsupported operand type(s) for " + std::string(op == "**" ? "** or pow()" : op) + ": '" + type_name(a) + "' and '" + type_name(b) + "'");
}

[[noreturn]] void fail_overflow() { fail_unsupported("an integer is above 64 bits"); }

Value add(Machine& m, const Value& a, const Value& b) {
  if (a.string() && b.string()) {
    m.will_make(a.as_text().size() + b.as_text().size());
    if (!a.markup() && !b.markup()) return Value::text(a.as_text() + b.as_text());
    return Value::text(escape(m, a) + escape(m, b), true);
  }
  if (a.sequence() && a.kind() == b.kind()) {
    std::vector<Value> items = a.items();
    items.insert(items.end(), b.items().begin(), b.items().end());
    return a.is(Kind::kList) ? Value::list(std::move(items)) : Value::tuple(std::move(items));
  }
  if (a.string()) fail("can only concatenate str (not \"" + type_name(b) + "\") to str");
  if (a.sequence()) fail("can only concatenate " + type_name(a) + " (not \"" + type_name(b) + "\") to " + type_name(a));
  fail_operands("+", a, b);
}

// text * n, list * n.
Value repeat(Machine& m, const Value& of, std::int64_t times) {
  const std::size_t count = times > 0 ? static_cast<std::size_t>(times) : 0;
  const std::size_t size = of.string() ? of.as_text().size() : of.items().size() * sizeof(Value);
  if (size > 0 && count > SIZE_MAX / 2 / size) m.will_make(SIZE_MAX / 2);
  m.will_make(size * count);
  if (of.string()) {
    std::string out;
    out.reserve(size * count);
    for (std::size_t i = 0; size > 0 && i < count; ++i) out += of.as_text();
    return like(of, std::move(out));
  }
  std::vector<Value> items;
  for (std::size_t i = 0; size > 0 && i < count; ++i) items.insert(items.end(), of.items().begin(), of.items().end());
  return of.is(Kind::kList) ? Value::list(std::move(items)) : Value::tuple(std::move(items));
}

double real_power(double a, double b) {
  if (a == 0 && b < 0) fail("0.0 cannot be raised to a negative power");
  if (a < 0 && b != std::floor(b) && std::isfinite(a) && std::isfinite(b)) fail_unsupported("a complex number");
  const double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) fail("(34, 'Numerical result out of range')");
  return result;
}

Value integer_power(std::int64_t a, std::int64_t b) {
  if (b < 0) return Value::real(real_power(static_cast<double>(a), static_cast<double>(b)));
  std::int64_t result = 1;
  while (b > 0) {
    if (b & 1) {
      if (__builtin_mul_overflow(result, a, &result)) fail_overflow();
    }
    b >>= 1;
    if (b > 0 && __builtin_mul_overflow(a, a, &a)) fail_overflow();
  }
  return Value::integer(result);
}

Value integers(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  switch (op[0]) {
    case '+':
      if (__builtin_add_overflow(a, b, &out)) fail_overflow();
      return Value::integer(out);
    case '-':
      if (__builtin_sub_overflow(a, b, &out)) fail_overflow();
      return Value::integer(out);
    case '*':
      if (op.size() == 2) return integer_power(a, b);
      if (__builtin_mul_overflow(a, b, &out)) fail_overflow();
      return Value::integer(out);
    case '/':
      if (b == 0) fail(op.size() == 2 ? "integer division or modulo by zero" : "division by zero");
      if (op.size() == 1) return Value::real(static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
      if (a == INT64_MIN && b == -1) fail_overflow();
      return Value::integer(a / b - (a % b != 0 && (a < 0) != (b < 0)));
    default:
      if (b == 0) fail("integer modulo by zero");
      if (b == -1) return Value::integer(0);
      out = a % b;
      return Value::integer(out != 0 && (out < 0) != (b < 0) ? out + b : out);
  }
}

// Python's float // and %: the remainder takes the divisor's sign.
std::pair<double, double> divide(double a, double b) {
  double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0) {
    if ((b < 0) != (rest < 0)) rest += b, quotient -= 1;
  } else {
    rest = std::copysign(0.0, b);
  }
  if (quotient == 0) return {std::copysign(0.0, a / b), rest};
  const double whole = std::floor(quotient);
  return {quotient - whole > 0.5 ? whole + 1 : whole, rest};
}

Value reals(std::string_view op, double a, double b) {
  switch (op[0]) {
    case '+': return Value::real(a + b);
    case '-': return Value::real(a - b);
    case '*': return Value::real(op.size() == 2 ? real_power(a, b) : a * b);
    case '/':
      if (b == 0) fail(op.size() == 2 ? "float floor division by zero" : "float division by zero");
      return Value::real(op.size() == 2 ? divide(a, b).first : a / b);
    default:
      if (b == 0) fail("float modulo");
      return Value::real(divide(a, b).second);
  }
}

}  // namespace

Value binary(Machine& m, std::string_view op, const Value& a, const Value& b) {
  if (op == "%" && a.string()) return percent_format(m, a, b);
  for (const Value* v : {&a, &b}) {
    if (v->undefined()) fail(v->undefined_message());
  }
  if (a.integral() && b.integral()) return integers(op, a.as_int(), b.as_int());
  if (a.number() && b.number()) return reals(op, a.as_double(), b.as_double());
  if (op == "+") return add(m, a, b);
  if (op == "*") {
    if ((a.string() || a.sequence()) && b.integral()) return repeat(m, a, b.as_int());
    if ((b.string() || b.sequence()) && a.integral()) return repeat(m, b, a.as_int());
  }
  if (a.as<DictView>() && op == "-") fail_unsupported("sets");
  fail_operands(op, a, b);
}

Value unary(std::string_view op, const Value& a) {
  if (a.undefined()) fail(a.undefined_message());
  if (a.is(Kind::kFloat)) return Value::real(op == "-" ? -a.as_double() : a.as_double());
  if (!a.integral()) fail("bad operand type for unary " + std::string(op) + ": '" + type_name(a) + "'");
  if (op == "-" && a.as_int() == INT64_MIN) fail_overflow();
  return Value::integer(op == "-" ? -a.as_int() : a.as_int());
}

bool contains(Machine& m, const Value& in, const Value& what) {
  if (in.string()) {
    if (!what.string()) fail("'in <string>' requires string as left operand, not " + type_name(what));
    m.spend(in.as_text().size() / 64);
    return python::find(in.as_text(), what.as_text()) != std::string_view::npos;
  }
  if (in.is(Kind::kDict)) return in.as_dict().find(m, what) != nullptr;
  if (const auto* range = in.as<Range>()) return range->contains(m, what);
  std::shared_ptr<Iterator> items = m.try_iterate(in);
  if (!items) fail("argument of type '" + type_name(in) + "' is not iterable");
  for (Value item; items->next(m, item);) {
    if (equal(m, item, what)) return true;
  }
  return false;
}

bool compare(Machine& m, std::string_view op, const Value& a, const Value& b) {
  if (op == "==") return equal(m, a, b);
  if (op == "!=") return !equal(m, a, b);
  if (op == "in") return contains(m, b, a);
  if (op == "notin") return !contains(m, b, a);
  return less(m, a, b, std::string(op).c_str());
}

Value slice(const Value& of, const Value& start, const Value& stop, const Value& step) {
  if (of.undefined()) fail(of.undefined_message());
  const auto* range = of.as<Range>();
  if (of.is(Kind::kDict)) fail("unhashable type: 'slice'");
  if (!of.string() && !of.sequence() && !range) fail("'" + type_name(of) + "' object is not subscriptable");
  const auto index = [&](const Value& v, std::int64_t left_out) {
    if (v.missing() || v.none_value()) return left_out;
    if (!v.integral()) fail("slice indices must be integers or None or have an __index__ method");
    return v.as_int();
  };
  constexpr std::int64_t kFar = std::int64_t{1} << 62;
  const std::int64_t by = std::clamp(index(step, 1), -kFar, kFar);
  if (by == 0) fail("slice step cannot be zero");
  const std::int64_t length = of.string() ? static_cast<std::int64_t>(of.text_length()) : range ? range->count : static_cast<std::int64_t>(of.items().size());
  // As slice.indices: from the end where negative, and cut to what there is.
  const auto bound = [&](const Value& v, std::int64_t left_out) {
    std::int64_t i = index(v, left_out);
    if (v.missing() || v.none_value()) return i;
    if (i < 0) i = std::max<std::int64_t>(i < -length ? -length - 1 : i + length, by < 0 ? -1 : 0);
    return std::min(i, by < 0 ? length - 1 : length);
  };
  const std::int64_t first = bound(start, by < 0 ? length - 1 : 0), last = bound(stop, by < 0 ? -1 : length);
  std::int64_t count = 0;
  if (by > 0 && first < last) count = (last - first - 1) / by + 1;
  if (by < 0 && first > last) count = (first - last - 1) / -by + 1;
  if (of.string()) return like(of, python::slice(of.as_text(), of.text_length(), first, count, by));
  if (range) {
    auto out = std::make_shared<Range>();
    const auto at = [&](std::int64_t i) { return integers("+", range->start, integers("*", i, range->step).as_int()).as_int(); };
    out->start = at(first);
    out->step = integers("*", range->step, by).as_int();
    out->stop = at(last);
    out->count = count;
    return Value::object(std::move(out));
  }
  std::vector<Value> items;
  for (std::int64_t i = 0; i < count; ++i) items.push_back(of.items()[static_cast<std::size_t>(first + i * by)]);
  return of.is(Kind::kList) ? Value::list(std::move(items)) : Value::tuple(std::move(items));
}

}  // namespace polymath::jinja
