// Python's operators over values. All throw what Python's exceptions would say.
#pragma once

#include <string_view>

#include "text/jinja_machine.h"
#include "text/jinja_value.h"

namespace polymath::jinja {

Value binary(Machine& m, std::string_view op, const Value& a, const Value& b);  // + - * / // % **
Value unary(std::string_view op, const Value& a);                               // + -
bool compare(Machine& m, std::string_view op, const Value& a, const Value& b);  // == != < <= > >= in notin
bool contains(Machine& m, const Value& in, const Value& what);
Value slice(const Value& of, const Value& start, const Value& stop, const Value& step);  // missing(): left out

}  // namespace polymath::jinja
