// Python's str.format with one argument, a string.
#pragma once

#include <string>

namespace polymath {

// template.format(argument): fields {} and {0}, conversions !s !r !a, and the format specification of strings
// ([[fill]align][0][width][.precision][s]; docs.python.org, "Format String Syntax"). Throws Error{kInvalidArgument}
// naming `where` for what Python refuses.
std::string python_format(const std::string& format, const std::string& argument, const std::string& where);

}  // namespace polymath
