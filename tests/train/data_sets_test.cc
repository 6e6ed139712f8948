// Published data sets as they are distributed, read whole. They are not in the repository: POLYMATH_TEST_DATA names their folder.
#include <gtest/gtest.h>

#include <cstdlib>

#include "train/data.h"

namespace polymath {
namespace {

enum class Kind { kTexts, kTokens, kQuestions, kPairs };

struct DataSet {
  Kind kind;
  const char* files;    // with spaces between them
  const char* columns;
  const char* rows;
  std::size_t examples;
};

constexpr DataSet kSets[] = {
    {Kind::kTexts, "sentiment-sst-trec/stsa.binary.train", "", "", 6920},
    {Kind::kTexts, "sentiment-sst-trec/stsa.binary.dev", "", "", 872},
    {Kind::kTexts, "sentiment-sst-trec/stsa.fine.dev", "", "", 1101},
    {Kind::kTexts, "sentiment-sst-trec/TREC.train.all", "", "", 5452},
    {Kind::kTexts, "sentiment-sst-trec/custrev.all", "", "", 3775},
    {Kind::kTexts, "sentiment-sst-trec/mpqa.all", "", "", 10606},
    {Kind::kTexts, "sentiment-sst-trec/rt-polarity.minus-sst-dev-test.all", "", "", 8115},
    {Kind::kTexts, "intents/banking77.train.csv", "", "", 10003},
    {Kind::kTexts, "intents/clinc150_full.train_val.json", "text=0,label=1", "train", 15000},
    {Kind::kTexts, "intents/clinc150_full.train_val.json", "text=0,label=1", "val", 3000},
    {Kind::kTexts, "intents/snips.train_full.json", "text=data.text,label=@key", "*", 13784},
    {Kind::kTexts, "nli/rte123.train.jsonl", "", "", 3367},
    {Kind::kTexts, "nli/sick.train.tsv", "label=entailment_judgment", "", 4500},
    {Kind::kTexts, "nli/sick.trial.tsv", "label=relatedness_score", "", 500},
    {Kind::kTexts, "sentence-pairs/msr-para-train.tsv", "", "", 3576},
    {Kind::kTexts, "sentence-pairs/msr-para-val.tsv", "", "", 500},
    {Kind::kTexts, "sentence-pairs/sts2014.deft-forum.test.tsv", "label=0,text=1,text_pair=2", "", 450},
    {Kind::kTexts, "sentence-pairs/sts2015.answers-students.test.tsv", "label=0,text=1,text_pair=2", "", 750},
    {Kind::kTokens, "ner/btc.a.conll", "", "", 1000},
    {Kind::kTokens, "ner/btc.e.conll", "", "", 200},
    {Kind::kTokens, "ner/btc.h.conll", "", "", 2001},
    {Kind::kTokens, "ner/gum.train.conll", "", "", 2495},
    {Kind::kTokens, "ner/wikigold.train.conll", "", "", 1315},  // two empty lines between its documents
    {Kind::kTokens, "ner/wnut17.train.conll", "", "", 3394},
    {Kind::kTokens, "ner/wnut17.dev.conll", "", "", 1009},
    {Kind::kTokens, "ud-english-ewt/en_ewt-ud-dev.conllu", "", "", 2001},
    {Kind::kQuestions, "qa/qamr.train.squad.json", "", "", 26132},
    {Kind::kQuestions, "qa/xquad.en.articles0-31.json", "", "", 826},
    {Kind::kPairs, "summarization/aeslc.dev.jsonl", "", "", 1960},
    {Kind::kPairs, "summarization/scitldr-A.train.jsonl", "", "", 1992},
    {Kind::kPairs, "summarization/scitldr-A.dev.jsonl", "", "", 619},
    {Kind::kPairs, "chat/alpaca_en_demo.json", "source=instruction", "", 999},
    {Kind::kPairs, "chat/alpaca_zh_demo.json", "source=instruction", "", 1000},
};

std::vector<std::string> words_of(const std::string& text, const std::string& before) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(before + text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

TEST(DataSets, AreReadAsTheyAre) {
  const char* folder = std::getenv("POLYMATH_TEST_DATA");
  if (!folder) GTEST_SKIP() << "POLYMATH_TEST_DATA is not set: the published data sets are not read";
  for (const DataSet& set : kSets) {
    SCOPED_TRACE(set.files);
    const auto files = words_of(set.files, std::string(folder) + "/");
    DataOptions options;
    options.columns = parse_assignments(set.columns, "--columns");
    options.rows = set.rows;
    DataReport report;
    switch (set.kind) {
      case Kind::kTexts: report = read_texts(files, options, Labels::kNeeded, [](TextExample&& e) { EXPECT_FALSE(e.label->empty()); }); break;
      case Kind::kTokens: report = read_tokens(files, options, [](TokensExample&& e) { EXPECT_FALSE(e.tags.empty()); }); break;
      case Kind::kQuestions: report = read_questions(files, options, [](QuestionExample&& e) { EXPECT_FALSE(e.answers.empty()); }); break;
      case Kind::kPairs: report = read_pairs(files, options, [](PairExample&& e) { EXPECT_FALSE(e.target.empty()); }); break;
    }
    EXPECT_EQ(report.examples, set.examples);
  }
}

}  // namespace
}  // namespace polymath
