// Sentence embeddings of the folders in tests/golden/sentences, and what stands on them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "support/program.h"
#include "tasks/search.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/sentences";

TEST(Sentences, EqualTheRecordedEmbeddings) {
  int folders = 0;
  for (auto& entry : fs::directory_iterator(kFolder)) {
    SCOPED_TRACE(entry.path().filename().string());
    const auto encoder = SentenceEncoder::load(entry.path().string(), LoadType::kAuto);
    std::vector<std::string> texts;
    std::vector<Json> expected;
    std::ifstream file(entry.path() / "cases.jsonl");
    for (std::string line; std::getline(file, line);) {
      const Json sentence = parse_json(line, "cases.jsonl");
      texts.push_back(sentence["text"].get<std::string>());
      expected.push_back(sentence["embedding"]);
    }
    ASSERT_FALSE(texts.empty());
    const auto vectors = encoder.encode(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ASSERT_EQ(vectors[i].size(), expected[i].size());
      for (std::size_t d = 0; d < vectors[i].size(); ++d) {
        ASSERT_NEAR(static_cast<double>(vectors[i][d]), expected[i][d].get<double>(), 1e-4) << texts[i] << " at " << d;
      }
    }
    ++folders;
  }
  EXPECT_GE(folders, 9);
}

TEST(Search, CutsTextInPassagesWithTheirLines) {
  const auto passages = passages_of("f", "# Title\n\nFirst line\nsecond line\n\n\nNext paragraph\n# Other\ntext\n");
  ASSERT_EQ(passages.size(), 3u);
  EXPECT_EQ(passages[0].text, "# Title First line second line");
  EXPECT_EQ(passages[0].first_line, 1);
  EXPECT_EQ(passages[0].last_line, 4);
  EXPECT_EQ(passages[1].text, "Next paragraph");
  EXPECT_EQ(passages[1].first_line, 7);
  EXPECT_EQ(passages[2].text, "# Other text");
  EXPECT_TRUE(passages_of("f", "").empty());
  EXPECT_TRUE(passages_of("f", "\n \n\t\n").empty());
}

TEST(Search, CutsOneHugeLine) {
  std::string line;
  for (int i = 0; i < 100000; ++i) line += "é word ";
  const auto passages = passages_of("f", line);
  EXPECT_GT(passages.size(), 100u);
  for (const Passage& p : passages) {
    EXPECT_LE(p.text.size(), 1300u);
    EXPECT_EQ(p.first_line, 1);
  }
}

TEST(Search, RanksTheSamePassageFirstAndNoticesChanges) {
  const std::string model = (kFolder / "mean-normalize").string(), file = test::scratch_path("notes.md");
  const std::string cache = "XDG_CACHE_HOME=" + fs::path(test::scratch_path("cache")).string();
  std::ofstream(file) << "The first paragraph is about rivers.\n\nThe second one is about mountains.\n";
  for (int round = 0; round < 2; ++round) {  // embedded, then read back
    const auto result = test::run_program({"search", "--model", model, "--json", "The second one is about mountains.", file}, "", {cache});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const Json hits = parse_json(result.out, "out");
    EXPECT_EQ(hits[0]["line"], 3);
    EXPECT_NEAR(hits[0]["score"].get<double>(), 1.0, 1e-5);
    EXPECT_EQ(hits[0]["file"], file);
  }
  std::ofstream(file) << "Nothing here.\n\nNor here.\n\nThe second one is about mountains.\n";
  const auto result = test::run_program({"search", "--model", model, "--json", "The second one is about mountains.", file}, "", {cache});
  EXPECT_EQ(parse_json(result.out, "out")[0]["line"], 5);
  EXPECT_EQ(test::run_program({"search", "x", file, "--model", "/nowhere"}).exit_code, 1);
  EXPECT_EQ(test::run_program({"search", "x", "/nowhere.txt", "--model", model}).exit_code, 1);
  EXPECT_EQ(test::run_program({"search"}).exit_code, 2);
}

}  // namespace
}  // namespace polymath
