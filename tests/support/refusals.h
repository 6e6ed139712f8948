// Folders of tests/cases/bad/ that have to be refused with one line, and that line with what their expected.txt demands.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>

#include "base/file.h"
#include "polymath/error.h"

namespace polymath::test {

// Opens every folder whose name `is_meant`; there have to be `at_least` of them.
inline void expect_refusals(const std::function<bool(const std::string& name)>& is_meant, const std::function<void(const std::string& folder)>& open, int at_least) {
  int folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(POLYMATH_SOURCE_DIR) / "tests/cases/bad")) {
    const std::string folder = entry.path().string();
    if (!is_meant(entry.path().filename().string())) continue;
    ++folders;
    std::string error;
    try {
      open(folder);
    } catch (const Error& e) {
      error = e.what();
    }
    EXPECT_NE(error, "") << folder << " was accepted";
    EXPECT_TRUE(std::none_of(error.begin(), error.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; })) << error;
    EXPECT_LT(error.size(), 500u + folder.size()) << error;
    std::istringstream expected(read_text_file((entry.path() / "expected.txt").string()));
    for (std::string part; std::getline(expected, part);) EXPECT_NE(error.find(part), std::string::npos) << folder << "\n  says: " << error << "\n  not: " << part;
  }
  EXPECT_GE(folders, at_least);
}

}  // namespace polymath::test
