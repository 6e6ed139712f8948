// Every metric against what the Python packages gave (recipes/record_metrics.py).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>

#include "base/json.h"
#include "train/metrics.h"

namespace polymath {
namespace {

constexpr double kTolerance = 1e-9;

using Strings = std::vector<std::string>;

Json list_of(const ClassFigures& f, bool support) {
  Json list = {f.precision, f.recall, f.f1};
  if (support) list.push_back(f.support);
  return list;
}

Json classes_of(const std::map<std::string, ClassFigures>& all) {
  Json classes = Json::object();
  for (const auto& [name, f] : all) classes[name] = list_of(f, true);
  return classes;
}

Json number_or_null(double value) { return std::isnan(value) ? Json() : Json(value); }

Json measured(const Json& c) {
  const std::string metric = c["metric"];
  if (metric == "classes") {
    const auto f = classification_figures(c["truth"].get<Strings>(), c["predicted"].get<Strings>());
    return {{"accuracy", f.accuracy}, {"micro", f.f1_micro}, {"macro", f.f1_macro}, {"weighted", f.f1_weighted}, {"matthews", f.matthews}, {"classes", classes_of(f.classes)}};
  }
  if (metric == "entities") {
    const auto f = entity_figures(c["truth"].get<std::vector<Strings>>(), c["predicted"].get<std::vector<Strings>>());
    return {{"micro", list_of(f.micro, false)}, {"macro", list_of(f.macro, false)}, {"weighted", list_of(f.weighted, false)}, {"types", classes_of(f.types)}};
  }
  if (metric == "correlations") {
    const auto x = c["x"].get<std::vector<double>>(), y = c["y"].get<std::vector<double>>();
    return {{"pearson", number_or_null(pearson(x, y))}, {"spearman", number_or_null(spearman(x, y))}};
  }
  if (metric == "squad") {
    const auto s = answer_scores(c["predicted"].get<std::string>(), c["answers"].get<Strings>(), c["version_2"].get<bool>());
    return {{"exact_match", s.exact_match}, {"f1", s.f1}, {"normalized", normalize_answer(c["predicted"].get<std::string>())}};
  }
  if (metric == "translation") {
    const auto h = c["hypotheses"].get<Strings>(), r = c["references"].get<Strings>();
    return {{"bleu", corpus_bleu(h, r).score}, {"bleu_lower", corpus_bleu(h, r, true).score}, {"chrf", corpus_chrf(h, r)}, {"chrf++", corpus_chrf(h, r, 2)}, {"bp", corpus_bleu(h, r).brevity_penalty}};
  }
  if (metric == "rouge") {
    Json out = Json::object();
    for (const bool stem : {false, true}) {
      const auto s = rouge_scores(c["hypothesis"].get<std::string>(), c["reference"].get<std::string>(), stem);
      out[stem ? "stemmed" : "plain"] = {s.rouge1, s.rouge2, s.rougeL, s.rougeLsum};
    }
    return out;
  }
  Json stems = Json::array();
  for (const auto& word : c["words"].get<Strings>()) stems.push_back(porter_stem(word));
  return {{"stems", stems}};
}

// Whether two values are equal, numbers within the tolerance.
bool near(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return std::fabs(a.get<double>() - b.get<double>()) <= kTolerance * std::max(1.0, std::fabs(a.get<double>()));
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (!a.is_structured()) return a == b;
  auto x = a.begin();
  for (auto y = b.begin(); y != b.end(); ++x, ++y) {
    if ((a.is_object() && x.key() != y.key()) || !near(*x, *y)) return false;
  }
  return true;
}

TEST(Metrics, EqualThePythonPackages) {
  const char* other = std::getenv("POLYMATH_METRIC_CASES");
  std::ifstream file(other ? other : POLYMATH_SOURCE_DIR "/tests/cases/metrics.jsonl");
  std::set<std::string> kinds;
  for (std::string line; std::getline(file, line);) {
    const Json c = parse_json(line, "metrics.jsonl");
    kinds.insert(c["metric"]);
    const Json got = measured(c);
    EXPECT_TRUE(near(c["expected"], got)) << line.substr(0, 2000) << "\n  got " << dump_json(got);
  }
  EXPECT_EQ(kinds.size(), 7u);
}

TEST(Metrics, TheComparisonCanFail) {
  EXPECT_TRUE(near(parse_json("[1.0, 2]", ""), parse_json("[1.0000000001, 2]", "")));
  EXPECT_FALSE(near(parse_json("[1.0, 2]", ""), parse_json("[1.00001, 2]", "")));
  EXPECT_FALSE(near(parse_json("{\"a\": 1}", ""), parse_json("{\"b\": 1}", "")));
}

TEST(Metrics, LongSummariesNeedLittleMemory) {
  std::string text;
  for (int i = 0; i < 6000; ++i) text += "w" + std::to_string(i % 97) + " ";
  EXPECT_DOUBLE_EQ(rouge_scores(text, text).rougeL, 1);
}

}  // namespace
}  // namespace polymath
