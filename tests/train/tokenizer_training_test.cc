// Tokenizers that are trained here, against those that PyPI `tokenizers` trains on the same text (recipes/record_tokenizer_training.py).
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "base/threads.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "support/program.h"
#include "text/pretrained_tokenizer.h"
#include "train/repeated_parts.h"
#include "train/tokenizer_training.h"

namespace polymath {
namespace {

const std::string kFolder = std::string(POLYMATH_SOURCE_DIR) + "/tests/cases/tokenizer_training/";

std::vector<Json> recorded() {
  std::vector<Json> cases;
  std::ifstream file(kFolder + "expected.jsonl");
  for (std::string line; std::getline(file, line);) cases.push_back(parse_json(line, "expected.jsonl"));
  return cases;
}

class TrainedTokenizers : public ::testing::TestWithParam<Json> {};

TEST_P(TrainedTokenizers, EqualTheCrates) {
  const Json& c = GetParam();
  const std::string folder = test::scratch_path("tokenizer");
  std::vector<std::string> arguments = {"train", "tokenizer", "--data", kFolder + "corpus.txt", "-o", folder};
  for (const Json& argument : c["arguments"]) arguments.push_back(argument.get<std::string>());
  const auto run = test::run_program(arguments);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find(" tokens from "), std::string::npos) << run.out;
  const Json model = read_json_file(folder + "/tokenizer.json")["model"];
  if (c.contains("scores")) {
    // Characters that training lost get scores that differ by a little each, in no order that is defined.
    std::map<std::string, double> expected, got;
    for (std::size_t i = 0; i < c["vocab"].size(); ++i) expected[c["vocab"][i]] = c["scores"][i].get<double>();
    for (const Json& piece : model["vocab"]) got[piece[0]] = piece[1].get<double>();
    ASSERT_EQ(expected.size(), got.size());
    for (const auto& [piece, score] : expected) {
      ASSERT_TRUE(got.contains(piece)) << piece;
      EXPECT_NEAR(got[piece], score, utf8_length(piece) == 1 ? 0.02 : 1e-5) << piece;
    }
  } else {
    ASSERT_EQ(model["vocab"].size(), c["vocab"].size());
    for (std::size_t id = 0; id < c["vocab"].size(); ++id) ASSERT_EQ(model["vocab"].value(c["vocab"][id].get<std::string>(), -1), static_cast<int>(id)) << c["vocab"][id];
    if (model.contains("merges")) {
      EXPECT_EQ(model["merges"], c["merges"]);
    }
  }
  const auto tokenizer = PretrainedTokenizer::load(folder);
  for (const Json& text : c["encode"]) {
    Json tokens = Json::array();
    for (const std::string& token : tokenizer.encode(text["text"].get<std::string>(), EncodeOptions{.add_special_tokens = false}).tokens) tokens.push_back(token);
    EXPECT_EQ(tokens, text["tokens"]);
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, TrainedTokenizers, ::testing::ValuesIn(recorded()), [](const auto& info) {
  return info.param["arguments"][1].template get<std::string>() + "_" + info.param["arguments"][3].template get<std::string>();
});

TrainedTokenizer trained(const TokenizerOptions& options, const std::vector<std::string>& texts) {
  TokenizerTrainer trainer(options);
  for (const std::string& text : texts) trainer.add(text);
  return trainer.train(nullptr);
}

std::vector<std::string> corpus() {
  std::vector<std::string> lines;
  std::ifstream file(kFolder + "corpus.txt");
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST(TokenizerTraining, ThreadsAndOrderChangeNothing) {
  std::vector<std::string> texts = corpus();
  for (const TokenizerKind kind : {TokenizerKind::kWordPiece, TokenizerKind::kBpe, TokenizerKind::kUnigram}) {
    const TokenizerOptions options{.kind = kind, .vocab_size = 500};
    ThreadPool::set_global_threads(1);
    const std::string one = dump_json(trained(options, texts).tokenizer);
    std::reverse(texts.begin(), texts.end());
    ThreadPool::set_global_threads(3);
    EXPECT_EQ(dump_json(trained(options, texts).tokenizer), one);
  }
}

TEST(TokenizerTraining, OptionsHold) {
  const auto texts = corpus();
  const auto more = trained({.kind = TokenizerKind::kWordPiece, .vocab_size = 400, .alphabet_limit = 20, .lowercase = true, .special_tokens = {"[X]", "[CLS]"}}, texts);
  EXPECT_EQ(more.tokenizer["model"]["vocab"]["[X]"], 5);
  EXPECT_EQ(more.tokenizer["added_tokens"].size(), 6u);
  EXPECT_FALSE(more.tokenizer["model"]["vocab"].contains("A"));
  int characters = 0;
  for (const auto& [token, unused] : more.tokenizer["model"]["vocab"].items()) characters += utf8_length(token) == 1;
  EXPECT_EQ(characters, 20);
  EXPECT_EQ(more.config["unk_token"], "[UNK]");
  const auto limited = trained({.kind = TokenizerKind::kUnigram, .vocab_size = 60, .alphabet_limit = 30}, texts);
  EXPECT_EQ(limited.vocab_size, 60u);
  const auto few = trained({.kind = TokenizerKind::kBpe, .vocab_size = 100}, texts);  // its bytes are more
  EXPECT_EQ(few.vocab_size, 257u);
  EXPECT_EQ(few.merges, 0u);
}

TEST(TokenizerTraining, EveryTextComesBack) {
  for (const TokenizerKind kind : {TokenizerKind::kBpe, TokenizerKind::kUnigram}) {
    const auto made = trained({.kind = kind, .vocab_size = 600}, corpus());
    const std::string folder = test::scratch_path("roundtrip");
    save_tokenizer(made, folder);
    const auto tokenizer = PretrainedTokenizer::load(folder);
    const std::string text = "Ada met Charles near the lowest bridge.";
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text).ids, /*skip_special_tokens=*/true), text);
  }
}

TEST(TokenizerTraining, RefusesWithOneLine) {
  const auto refused = [](std::vector<std::string> more, const std::string& says, int code = 1) {
    std::vector<std::string> arguments = {"train", "tokenizer", "-o", test::scratch_path("never")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto run = test::run_program(arguments);
    EXPECT_EQ(run.exit_code, code) << run.err;
    EXPECT_NE(run.err.find(says), std::string::npos) << run.err;
    EXPECT_FALSE(std::filesystem::exists(test::scratch_path("never")));
  };
  const std::string data = kFolder + "corpus.txt", empty = test::scratch_path("empty.txt"), binary = test::scratch_path("binary.txt");
  std::ofstream(empty) << "\n \n";
  std::ofstream(binary) << "good\n\xFF\xFE\n";
  refused({"--data", data, "--model", "sentencepiece"}, "known: wordpiece, bpe, unigram");
  refused({"--data", empty, "--model", "bpe"}, "empty.txt: holds no rows");
  refused({"--data", binary, "--model", "bpe"}, "binary.txt line 2: is not valid UTF-8");
  refused({"--data", data, "--model", "unigram", "--vocab-size", "50"}, "--vocab-size: is below the ");
  refused({"--data", data, "--model", "wordpiece", "--vocab-size", "5"}, "--vocab-size: holds no more than the 5 special tokens");
  refused({"--data", "/nowhere", "--model", "bpe"}, "/nowhere");
  refused({"--model", "bpe"}, "--data", 2);
  const auto run = test::run_program({"train", "tokenizer", "--data", binary, "--model", "bpe", "--skip-bad", "--json", "-o", test::scratch_path("some")});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(parse_json(run.out, "out")["skipped"], 1);
  EXPECT_EQ(test::run_program({"train", "tokenizer", "--data", data, "--model", "bpe", "-o", "/proc/nothing"}).exit_code, 1);
}

TEST(RepeatedParts, AreTheInnerNodesOfTheSuffixTree) {
  const auto parts = repeated_parts({U"banana", U"bandana"}, 16);
  // Of "an" some are followed by a and some by d; "ana" by n and by the end; "na" likewise; "ban" by a and d.
  const std::vector<std::pair<std::u32string, std::uint32_t>> expected = {{U"an", 4}, {U"ana", 3}, {U"ban", 2}, {U"na", 3}};
  EXPECT_EQ(parts, expected);
  EXPECT_EQ(repeated_parts({U"aaaa"}, 2), (std::vector<std::pair<std::u32string, std::uint32_t>>{{U"aa", 3}}));
  EXPECT_TRUE(repeated_parts({U"abc", U"def"}, 16).empty());
  EXPECT_TRUE(repeated_parts({}, 16).empty());
}

}  // namespace
}  // namespace polymath
