// Names of parameterized tests.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>

namespace polymath::test {

// A text as GoogleTest takes it for a name: letters and digits, all else an underscore.
inline std::string as_test_name(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return text;
}

}  // namespace polymath::test
