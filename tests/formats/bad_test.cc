// Every folder of tests/cases/bad/ is refused with one line that says what its expected.txt demands.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "formats/checkpoint.h"
#include "formats/config.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

std::string refusal(const std::string& folder) {
  try {
    const Config config = Config::load(folder);
    config.architecture();
    config.model_type();
    config.req<int>("hidden_size");
    const Checkpoint checkpoint = Checkpoint::open(folder);
    for (const auto& [name, tensor] : checkpoint.tensors()) checkpoint.find(name);
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST(BadCheckpoints, AreRefusedWithOneLine) {
  int folders = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(POLYMATH_SOURCE_DIR) / "tests/cases/bad")) {
    const std::string folder = entry.path().string(), error = refusal(folder);
    if (entry.path().filename().string().starts_with("tokenizer-")) continue;
    ++folders;
    EXPECT_NE(error, "") << folder << " was accepted";
    EXPECT_TRUE(std::none_of(error.begin(), error.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; })) << error;
    EXPECT_LT(error.size(), 500u + folder.size());
    std::istringstream expected(read_text_file((entry.path() / "expected.txt").string()));
    for (std::string part; std::getline(expected, part);) EXPECT_NE(error.find(part), std::string::npos) << folder << "\n  says: " << error << "\n  not: " << part;
  }
  EXPECT_GE(folders, 200);
}

}  // namespace
}  // namespace polymath
