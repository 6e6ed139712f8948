// The house rules of docs/house.md, checked over the sources: who may include whom, how long a file may
// be, and what a library never calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = POLYMATH_SOURCE_DIR;
constexpr std::size_t kMostLines = 700;

// A folder may include itself and lower levels.
const std::map<std::string, int> kLevel = {
    {"base", 0},  {"kernels", 1}, {"formats", 1},  {"tensor", 2}, {"text", 3}, {"media", 3}, {"nn", 3},     {"models", 4},
    {"generate", 4}, {"train", 4}, {"tasks", 5}, {"learn", 5}, {"agent", 6}, {"mcp", 6}, {"server", 7}, {"cli", 7},
};
// The exceptions to "never sideways".
const std::set<std::pair<std::string, std::string>> kExceptions = {{"generate/", "models/model.h"}, {"train/", "models/model.h"}};

// What the library does not do: end the process, print, or match with std::regex. The program (cli) may print.
const std::vector<std::string> kBanned = {"abort(", "exit(", "std::regex", "printf(", "std::cout", "std::cerr", "puts("};

std::vector<fs::path> sources() {
  std::vector<fs::path> files;
  for (const char* folder : {"src", "include"}) {
    for (auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      const auto extension = entry.path().extension();
      if (extension == ".h" || extension == ".cc") files.push_back(entry.path());
    }
  }
  return files;
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string folder_of(const std::string& relative) { return relative.substr(0, relative.find('/')); }

// Why this include is wrong, or "".
std::string wrong_include(const std::string& file, const std::string& included) {
  if (included.starts_with("polymath/")) return "";  // the public headers: std types only
  if (file.starts_with("include/")) return "a public header includes an internal one";
  const std::string from = folder_of(file.substr(4)), to = folder_of(included);
  if (!kLevel.contains(from)) return "folder " + from + " has no level";
  if (!kLevel.contains(to)) return "";  // a library's header in quotes, as Highway's
  if (from == to || kLevel.at(to) < kLevel.at(from)) return "";
  if (kExceptions.contains({from + "/", included})) return "";
  return from + " may not include " + to;
}

bool calls(const std::string& line, const std::string& banned) {
  const std::string code = line.substr(0, line.find("//"));
  for (std::size_t at = code.find(banned); at != std::string::npos; at = code.find(banned, at + 1)) {
    const char before = at == 0 ? ' ' : code[at - 1];
    if (!std::isalnum(static_cast<unsigned char>(before)) && before != '_') return true;
  }
  return false;
}

TEST(House, IncludesGoDownwards) {
  int checked = 0;
  for (const fs::path& path : sources()) {
    const std::string file = fs::relative(path, kRoot).generic_string();
    for (const std::string& line : lines_of(path)) {
      if (!line.starts_with("#include \"")) continue;
      const std::string included = line.substr(10, line.find('"', 10) - 10);
      EXPECT_EQ(wrong_include(file, included), "") << file << " includes " << included;
      ++checked;
    }
  }
  EXPECT_GT(checked, 100);
}

TEST(House, TheIncludeRuleCanFail) {
  EXPECT_NE(wrong_include("src/base/x.cc", "formats/config.h"), "");
  EXPECT_NE(wrong_include("src/nn/x.cc", "text/tokenizer.h"), "");
  EXPECT_NE(wrong_include("src/generate/x.cc", "models/heads.h"), "");
  EXPECT_NE(wrong_include("include/polymath/x.h", "base/file.h"), "");
  EXPECT_EQ(wrong_include("src/generate/x.cc", "models/model.h"), "");
  EXPECT_EQ(wrong_include("src/tasks/x.cc", "text/tokenizer.h"), "");
}

TEST(House, FilesAreShort) {
  for (const fs::path& path : sources()) EXPECT_LE(lines_of(path).size(), kMostLines) << path;
}

TEST(House, TheLibraryNeitherEndsNorPrints) {
  for (const fs::path& path : sources()) {
    if (fs::relative(path, kRoot).generic_string().starts_with("src/cli/")) continue;
    int number = 0;
    for (const std::string& line : lines_of(path)) {
      ++number;
      for (const std::string& banned : kBanned) EXPECT_FALSE(calls(line, banned)) << path << ":" << number << ": " << line;
    }
  }
  EXPECT_TRUE(calls("  std::abort();", "abort("));
  EXPECT_TRUE(calls("  exit(1);", "exit("));
  EXPECT_FALSE(calls("  on_exit(1);  // exit(1)", "exit("));
}

TEST(House, EverySourceIsBuilt) {
  for (const fs::path& path : sources()) {
    if (path.extension() != ".cc") continue;
    std::ifstream list(path.parent_path() / "CMakeLists.txt");
    std::stringstream text;
    text << list.rdbuf();
    EXPECT_NE(text.str().find(path.filename().string()), std::string::npos) << path << " is in no CMakeLists.txt";
  }
}

}  // namespace
