// `polymath eval` on the files of tests/cases/eval, against what the Python packages make of Transformers' answers
// (recipes/record_evaluations.py); and what it refuses.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/json.h"
#include "support/program.h"
#include "support/test_name.h"

namespace polymath {
namespace {

const std::string kTests = std::string(POLYMATH_SOURCE_DIR) + "/tests/";
const std::string kNer = kTests + "golden/pipelines/ner-bert-cased", kSentiment = kTests + "golden/pipelines/sentiment-distilbert";

std::vector<Json> recorded() {
  std::vector<Json> cases;
  std::ifstream file(kTests + "cases/eval/expected.jsonl");
  for (std::string line; std::getline(file, line);) cases.push_back(parse_json(line, "expected.jsonl"));
  return cases;
}

// Where figures differ from those expected, or "". Correlations come from the model's own float32 numbers; all others are exact.
std::string difference(const Json& expected, const Json& got, const std::string& path = "") {
  if (expected.is_object()) {
    for (const auto& [name, value] : expected.items()) {
      if (!got.contains(name)) return path + "." + name + " is missing";
      if (const auto inner = difference(value, got[name], path + "." + name); !inner.empty()) return inner;
    }
    return "";
  }
  const double tolerance = path == ".pearson" || path == ".spearman" ? 1e-5 : 1e-9;
  if (expected.is_number() && got.is_number() && std::fabs(expected.get<double>() - got.get<double>()) <= tolerance * std::max(1.0, std::fabs(expected.get<double>()))) return "";
  return expected == got ? "" : path + ": " + dump_json(got) + " instead of " + dump_json(expected);
}

class Evaluations : public ::testing::TestWithParam<Json> {};

TEST_P(Evaluations, EqualPythons) {
  const Json& c = GetParam();
  std::vector<std::string> arguments = {"eval", c["task"].get<std::string>(), "--json", "--model", kTests + "golden/" + c["model"].get<std::string>(), "--data"};
  for (const Json& file : c["data"]) arguments.push_back(kTests + "cases/eval/" + file.get<std::string>());
  for (const Json& argument : c["arguments"]) arguments.push_back(argument.get<std::string>());
  const auto run = test::run_program(arguments);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  const Json figures = parse_json(run.out, "out");
  EXPECT_EQ(difference(c["figures"], figures), "");
  EXPECT_GT(figures["seconds"].get<double>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Recorded, Evaluations, ::testing::ValuesIn(recorded()), [](const auto& info) { return test::as_test_name(info.param["model"].template get<std::string>()); });

std::string file_with(const std::string& name, const std::string& content) {
  const std::string path = test::scratch_path(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// One line on standard error, which says this.
void expect_refusal(const std::vector<std::string>& arguments, const std::string& says, int code = 1) {
  std::vector<std::string> all = {"eval"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const auto run = test::run_program(all);
  EXPECT_EQ(run.exit_code, code) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(run.err.starts_with("polymath: error: ")) << run.err;
  EXPECT_NE(run.err.find(says), std::string::npos) << run.err;
  if (code == 1) {
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
}

TEST(Evaluation, LabelsThatTheModelDoesNotHave) {
  const std::string data = file_with("labels.csv", "text,label\na,POSITIVE\nb,glad\nc,sad\n");
  expect_refusal({"sentiment-analysis", "--model", kSentiment, "--data", data},
                 "labels.csv line 3: the label \"glad\" and 1 more (glad, sad) of the data are not among the labels of " + kSentiment + " (NEGATIVE, POSITIVE); --label-map glad=LABEL bridges them");
  const auto run = test::run_program({"eval", "sentiment-analysis", "--model", kSentiment, "--data", data, "--label-map", "glad=POSITIVE,sad=0", "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(parse_json(run.out, "out")["examples"], 3);
  const std::string tags = file_with("tags.conll", "a B-person\nb S-LOC\n\nc B-thing\n");
  expect_refusal({"ner", "--model", kNer, "--data", tags}, "tags.conll line 1: the label \"person\" and 1 more (person, thing)");
  expect_refusal({"ner", "--model", kNer, "--data", file_with("pos.conll", "a NOUN\n")}, "\"NOUN\" of the data is not among the labels");
  EXPECT_EQ(test::run_program({"eval", "ner", "--model", kNer, "--data", tags, "--label-map", "person=PER,thing=O"}).exit_code, 0);
  expect_refusal({"text-classification", "--model", kTests + "golden/pipelines/regression-bert", "--data", data}, "line 2: the label \"POSITIVE\" is not a number");
}

TEST(Evaluation, BadRowsStopItOrAreCounted) {
  const std::string data = file_with("bad.csv", "text,label\na,POSITIVE\nb\nc,NEGATIVE\n");
  expect_refusal({"sentiment-analysis", "--model", kSentiment, "--data", data}, "bad.csv line 3: has 1 field, not 2 as the header");
  const auto run = test::run_program({"eval", "sentiment-analysis", "--model", kSentiment, "--data", data, "--skip-bad", "--json"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_NE(run.err.find("polymath: note: 1 bad rows were skipped; the first: "), std::string::npos) << run.err;
  const Json figures = parse_json(run.out, "out");
  EXPECT_EQ(figures["examples"], 2);
  EXPECT_EQ(figures["skipped"], 1);
  EXPECT_EQ(parse_json(test::run_program({"eval", "sentiment-analysis", "--model", kSentiment, "--data", data, "--limit", "1", "--json"}).out, "out")["examples"], 1);
}

// Two texts: the perplexity over all their tokens is what `polymath perplexity` says of each, weighted by tokens.
TEST(Evaluation, OfLanguageModelsIsPerplexity) {
  const std::string model = kTests + "golden/stories260k";
  const std::string one = "Once upon a time, there was a little girl.", two = "The dog ran to the park and saw a big ball.";
  double sum = 0, tokens = 0;
  for (const std::string& text : {one, two}) {
    const Json of_text = Json::parse(test::run_program({"perplexity", model, "-", "--json"}, text).out);
    sum += std::log(of_text["perplexity"].get<double>()) * of_text["tokens"].get<double>();
    tokens += of_text["tokens"].get<double>();
  }
  const auto run = test::run_program({"eval", "text-generation", "--model", model, "--data", file_with("texts.txt", one + "\n" + two + "\n"), "--format", "lines", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Json figures = Json::parse(run.out);
  EXPECT_EQ(figures["tokens"], tokens);
  EXPECT_NEAR(figures["perplexity"].get<double>(), std::exp(sum / tokens), 1e-6);
  EXPECT_NEAR(figures["loss"].get<double>(), sum / tokens, 1e-6);
}

TEST(Evaluation, RefusesWhatItCannotDo) {
  const std::string data = file_with("one.csv", "text,label\na,POSITIVE\n");
  expect_refusal({"juggling", "--model", kSentiment, "--data", data}, "is not a task that can be evaluated (known: text-classification");
  expect_refusal({"translation", "--data", data}, "--model");
  expect_refusal({"sentiment-analysis", "--model", kSentiment}, "--data", 2);
  expect_refusal({"sentiment-analysis", "--model", kSentiment, "--data", "/nowhere.csv"}, "/nowhere.csv");
  expect_refusal({"sentiment-analysis", "--model", "/nowhere", "--data", data}, "/nowhere");
  expect_refusal({"sentiment-analysis", "--model", kSentiment, "--data", data, "--format", "xml"}, "--format");
  expect_refusal({"sentiment-analysis", "--model", kSentiment, "--data", data, "--columns", "text"}, "--columns");
  expect_refusal({"sentiment-analysis", "--model", kSentiment, "--data", data, "--label-map", "=x"}, "--label-map");
  expect_refusal({"sentiment-analysis", "--model", kSentiment, "--data", data, "--parameters", "{\"colour\": 1}"}, "colour");
  expect_refusal({"sentiment-analysis", "--model", kSentiment, "--data", data, "--parameters", "[]"}, "--parameters");
  expect_refusal({"sentence-similarity", "--model", kTests + "golden/sentences/mean-normalize", "--data", file_with("s.csv", "text,label\na,1\n")}, "text_pair");
}

TEST(Evaluation, WritesWhatWasPredicted) {
  const std::string file = test::scratch_path("predictions.jsonl");
  for (const Json& c : recorded()) {
    std::vector<std::string> arguments = {"eval", c["task"].get<std::string>(), "--json", "--predictions", file, "--model", kTests + "golden/" + c["model"].get<std::string>(), "--data"};
    for (const Json& data : c["data"]) arguments.push_back(kTests + "cases/eval/" + data.get<std::string>());
    for (const Json& argument : c["arguments"]) arguments.push_back(argument.get<std::string>());
    const auto run = test::run_program(arguments);
    ASSERT_EQ(run.exit_code, 0) << run.err;
    std::ifstream lines(file);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      const Json prediction = parse_json(line, "line");
      EXPECT_TRUE(prediction.contains("expected") && prediction.contains("predicted")) << line;
    }
    EXPECT_EQ(count, parse_json(run.out, "out")["examples"]) << c["model"];
  }
}

TEST(Evaluation, ReadsWellForAPerson) {
  const auto run = test::run_program({"eval", "ner", "--model", kNer, "--data", kTests + "cases/eval/entities.conll", "--label-map", "location=LOC"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  for (const char* part : {"entity_f1", "precision    recall", "  LOC ", "examples"}) EXPECT_NE(run.out.find(part), std::string::npos) << part << "\n" << run.out;
}

}  // namespace
}  // namespace polymath
