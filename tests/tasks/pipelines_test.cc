// Every recorded pipeline call of tests/golden/pipelines through `polymath run TASK --model DIR --lines`.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/json.h"
#include "support/program.h"
#include "support/test_name.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/pipelines";
constexpr double kTolerance = 1e-4;

std::vector<std::string> checkpoints() {
  std::vector<std::string> names;
  for (auto& entry : fs::directory_iterator(kFolder)) {
    if (fs::exists(entry.path() / "cases.jsonl")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Where two results differ, or "". Floating-point numbers may differ by the tolerance (relative above 1); all else,
// the order of keys included, is equal.
std::string difference(const Json& expected, const Json& got, const std::string& path = "result") {
  if (expected.is_number_float() || got.is_number_float()) {
    if (!expected.is_number() || !got.is_number()) return path + ": one is not a number";
    const double e = expected.get<double>(), g = got.get<double>();
    const bool same = std::isnan(e) ? std::isnan(g) : std::fabs(e - g) <= kTolerance * std::max(1.0, std::fabs(e));
    return same ? "" : path + ": " + std::to_string(g) + " instead of " + std::to_string(e);
  }
  if (expected.type() != got.type() && !(expected.is_number() && got.is_number())) return path + ": " + dump_json(got) + " instead of " + dump_json(expected);
  if (expected.is_structured()) {
    if (expected.size() != got.size()) return path + ": " + std::to_string(got.size()) + " items instead of " + std::to_string(expected.size());
    auto g = got.begin();
    for (auto e = expected.begin(); e != expected.end(); ++e, ++g) {
      if (expected.is_object() && e.key() != g.key()) return path + ": the key " + g.key() + " instead of " + e.key();
      const std::string inner = difference(*e, *g, path + (expected.is_object() ? "." + e.key() : "[" + std::to_string(e - expected.begin()) + "]"));
      if (!inner.empty()) return inner;
    }
    return "";
  }
  return expected == got ? "" : path + ": " + dump_json(got) + " instead of " + dump_json(expected);
}

class Pipelines : public ::testing::TestWithParam<std::string> {};

TEST_P(Pipelines, EqualTransformers) {
  const fs::path folder = kFolder / GetParam();
  std::map<std::string, std::vector<Json>> by_task;
  std::ifstream file(folder / "cases.jsonl");
  for (std::string line; std::getline(file, line);) {
    Json call = parse_json(line, "cases.jsonl");
    by_task[call["task"].get<std::string>()].push_back(std::move(call));
  }
  ASSERT_FALSE(by_task.empty());
  for (const auto& [task, calls] : by_task) {
    std::string bodies;
    bool any_error = false;
    for (const Json& call : calls) {
      bodies += dump_json(call["body"]) + "\n";
      any_error |= call.contains("error");
    }
    const auto run = test::run_program({"run", task, "--model", folder.string(), "--lines"}, bodies);
    EXPECT_EQ(run.exit_code, any_error ? 1 : 0) << run.err;
    std::istringstream lines(run.out);
    for (const Json& call : calls) {
      std::string line;
      ASSERT_TRUE(std::getline(lines, line)) << "ended early: " << run.err;
      const Json got = parse_json(line, "output");
      const std::string body = dump_json(call["body"]).substr(0, 600);
      if (call.contains("error")) {
        EXPECT_TRUE(got.is_object() && got.contains("error")) << task << " " << body << "\n  should fail: " << call["error"];
      } else {
        EXPECT_EQ(difference(call["result"], got), "") << task << " " << body << (got.is_object() && got.contains("error") ? "\n  " + dump_json(got) : "");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, Pipelines, ::testing::ValuesIn(checkpoints()), [](const auto& info) { return test::as_test_name(info.param); });

TEST(PipelineComparison, CanFail) {
  const auto json = [](const char* text) { return parse_json(text, "t"); };
  EXPECT_EQ(difference(json(R"([{"a": 0.5, "b": 1}])"), json(R"([{"a": 0.50005, "b": 1}])")), "");
  EXPECT_NE(difference(json(R"([{"a": 0.5, "b": 1}])"), json(R"([{"a": 0.5002, "b": 1}])")), "");
  EXPECT_NE(difference(json(R"({"a": 1, "b": 2})"), json(R"({"b": 2, "a": 1})")), "");
  EXPECT_NE(difference(json("[[1.0]]"), json("[1.0]")), "");
  EXPECT_NE(difference(json(R"("x")"), json(R"("y")")), "");
}

}  // namespace
}  // namespace polymath
