// Filters over numbers, and those over anything.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "text/jinja_builtins.h"
#include "text/jinja_operators.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

bool flag(Machine& m, const Bound& b, std::size_t i) { return b.has(i) && truth(m, b[i]); }

Value absolute(Machine&, Bound& b) {
  if (b[0].is(Kind::kFloat)) return Value::real(std::fabs(b[0].as_double()));
  if (!b[0].integral()) fail("bad operand type for abs(): '" + type_name(b[0]) + "'");
  return b[0].as_int() < 0 ? unary("-", b[0]) : Value::integer(b[0].as_int());
}

Value default_filter(Machine& m, Bound& b) {
  if (b[0].undefined() || (flag(m, b, 2) && !truth(m, b[0]))) return b.has(1) ? b[1] : Value::text("");
  return b[0];
}

// int(d), as Python does it: towards zero. Absent for infinities and nan.
std::optional<Value> whole(double d) {
  if (!std::isfinite(d)) return std::nullopt;
  if (std::fabs(d) >= 9.2e18) fail_unsupported("an integer is above 64 bits");
  return Value::integer(static_cast<std::int64_t>(d));
}

Value to_int(Machine&, Bound& b) {
  const Value otherwise = b.has(1) ? b[1] : Value::integer(0);
  if (b[0].undefined()) fail(b[0].undefined_message());
  if (b[0].integral()) return Value::integer(b[0].as_int());
  if (b[0].is(Kind::kFloat)) {
    if (std::isinf(b[0].as_double())) fail("cannot convert float infinity to integer");
    return whole(b[0].as_double()).value_or(otherwise);
  }
  if (!b[0].string()) return otherwise;
  const std::int64_t base = b.has(2) ? index_of(b[2], "base") : 10;
  if (const auto i = python::parse_int(b[0].as_text(), base >= 0 && base <= 36 ? static_cast<int>(base) : 1)) return Value::integer(*i);
  if (const auto d = python::parse_float(b[0].as_text())) return whole(*d).value_or(otherwise);
  return otherwise;
}

Value to_float(Machine&, Bound& b) {
  if (b[0].undefined()) fail(b[0].undefined_message());
  if (b[0].number()) return Value::real(b[0].as_double());
  if (b[0].string()) {
    if (const auto d = python::parse_float(b[0].as_text())) return Value::real(*d);
  }
  return b.has(1) ? b[1] : Value::real(0);
}

// round(d, digits): to the nearest decimal text, which settles ties by the exact value of d.
double round_decimal(double d, std::int64_t digits) {
  if (!std::isfinite(d) || digits > 400) return d;
  if (digits < -308) return std::copysign(0.0, d);
  char text[800];
  if (digits >= 0) {
    std::snprintf(text, sizeof text, "%.*f", static_cast<int>(digits), d);
    return std::strtod(text, nullptr);
  }
  // Tens and hundreds: the digits of the whole number, half to even.
  const long double scale = std::pow(10.0L, static_cast<long double>(-digits));
  const long double quotient = static_cast<long double>(d) / scale;
  long double rounded = std::floor(quotient);
  const long double rest = quotient - rounded;
  if (rest > 0.5L || (rest == 0.5L && std::fmod(rounded, 2.0L) != 0)) rounded += 1;
  return std::copysign(static_cast<double>(rounded * scale), d);
}

Value round_integer(std::int64_t i, std::int64_t digits) {
  if (digits >= 0) return Value::integer(i);
  if (digits < -18) return Value::integer(0);
  std::int64_t scale = 1;
  for (; digits < 0; ++digits) scale *= 10;
  std::int64_t rest = i % scale;
  if (rest < 0) rest += scale;
  std::int64_t down = 0;
  if (__builtin_sub_overflow(i, rest, &down)) fail_unsupported("an integer is above 64 bits");
  const bool up = rest > scale / 2 || (rest == scale / 2 && (down / scale) % 2 != 0);
  if (up && __builtin_add_overflow(down, scale, &down)) fail_unsupported("an integer is above 64 bits");
  return Value::integer(down);
}

Value round_filter(Machine& m, Bound& b) {
  const std::string method = b.has(2) ? to_string(m, b[2]) : "common";
  if (method != "common" && method != "ceil" && method != "floor") fail("method must be common, ceil or floor");
  const Value precision = b.has(1) ? b[1] : Value::integer(0);
  if (b[0].undefined() && method != "common") fail(b[0].undefined_message());
  if (!b[0].number()) fail("type " + type_name(b[0]) + " doesn't define __round__ method");
  if (method == "common") {
    if (precision.none_value()) {
      const std::optional<Value> i = b[0].integral() ? b[0] : whole(std::nearbyint(b[0].as_double()));
      if (!i) fail("cannot convert float to integer");
      return Value::integer(i->as_int());
    }
    const std::int64_t digits = index_of(precision, "precision");
    if (b[0].integral()) return round_integer(b[0].as_int(), digits);
    return Value::real(round_decimal(b[0].as_double(), digits));
  }
  // ceil and floor: of value * 10**precision, as an integer, divided by it again.
  const Value scale = binary(m, "**", Value::integer(10), precision);
  const Value scaled = binary(m, "*", b[0], scale);
  if (scaled.integral()) return binary(m, "/", scaled, scale);
  const double d = method == "ceil" ? std::ceil(scaled.as_double()) : std::floor(scaled.as_double());
  const std::optional<Value> i = whole(d);
  if (!i) fail("cannot convert float infinity or NaN to integer");
  return binary(m, "/", *i, scale);
}

Value filesizeformat(Machine& m, Bound& b) {
  double bytes = 0;
  if (b[0].undefined()) fail(b[0].undefined_message());
  if (b[0].number()) bytes = b[0].as_double();
  else if (b[0].string() && python::parse_float(b[0].as_text())) bytes = *python::parse_float(b[0].as_text());
  else fail("could not convert to float: " + repr(m, b[0]));
  const bool binary_units = flag(m, b, 1);
  const double base = binary_units ? 1024 : 1000;
  if (bytes == 1) return Value::text("1 Byte");
  if (bytes < base) {
    const std::optional<Value> i = whole(bytes);
    if (!i) fail("cannot convert float infinity to integer");
    return Value::text(std::to_string(i->as_int()) + " Bytes");
  }
  if (std::isnan(bytes)) return Value::text(binary_units ? "nan YiB" : "nan YB");
  double unit = base;
  std::size_t i = 0;
  constexpr std::string_view kPrefixes = "kMGTPEZY";
  for (; i < kPrefixes.size(); ++i) {
    unit *= base;
    if (bytes < unit) break;
  }
  i = std::min(i, kPrefixes.size() - 1);
  char text[400];
  std::snprintf(text, sizeof text, "%.1f", base * bytes / unit);
  std::string prefix(1, kPrefixes[i]);
  if (binary_units) prefix = python::upper(prefix) + "i";
  return Value::text(std::string(text) + " " + prefix + "B");
}

Value attr(Machine& m, Bound& b) {
  if (!b[1].string()) fail("attribute name must be string, not '" + type_name(b[1]) + "'");
  if (b[0].undefined()) fail(b[0].undefined_message());
  // Only attributes count, not items: those of a dict's keys are none.
  if (b[0].is(Kind::kDict) && !find_method(b[0], b[1].as_text()) && !is_blocked_attribute(b[0], b[1].as_text())) {
    return Value::undefined("'dict object' has no attribute " + python::repr(b[1].as_text()));
  }
  return m.get_attribute(b[0], b[1].as_text());
}

constexpr Builtin kFilters[] = {
    {"abs", "/ x", absolute},
    {"attr", "obj name", attr},
    {"d", "value default_value= boolean=", default_filter},
    {"default", "value default_value= boolean=", default_filter},
    {"filesizeformat", "value binary=", filesizeformat},
    {"float", "value default=", to_float},
    {"int", "value default= base=", to_int},
    {"round", "value precision= method=", round_filter},
};

}  // namespace

std::span<const Builtin> number_filters() { return kFilters; }

std::int64_t index_of(const Value& v, const char* what) {
  if (v.undefined()) fail(v.undefined_message());
  if (!v.integral()) fail("'" + type_name(v) + "' object cannot be interpreted as an integer (" + what + ")");
  return v.as_int();
}

}  // namespace polymath::jinja
