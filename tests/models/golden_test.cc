// Every checkpoint of tests/golden/forward through `polymath forward`, against what Transformers answered.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "formats/safetensors.h"
#include "support/program.h"
#include "support/test_name.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 2e-5;  // of an output's largest value

std::vector<std::string> checkpoints() {
  std::vector<std::string> names;
  for (auto& entry : fs::directory_iterator(fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/forward")) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

const TensorView* find(const std::vector<TensorView>& tensors, const std::string& name) {
  for (const TensorView& t : tensors) {
    if (t.name == name) return &t;
  }
  return nullptr;
}

// The largest difference over the expected tensor's largest value; NaN counts as infinite.
double difference(const TensorView& expected, const TensorView& got) {
  double largest = 0, off = 0;
  for (std::size_t at = 0; at < expected.data.size(); at += 4) {
    const double e = static_cast<double>(element_to_f32(DType::kF32, expected.data.data() + at));
    const double g = static_cast<double>(element_to_f32(DType::kF32, got.data.data() + at));
    largest = std::max(largest, std::fabs(e));
    off = std::isnan(g) ? INFINITY : std::max(off, std::fabs(e - g));
  }
  return off / std::max(largest, 1e-30);
}

void expect_equal(const std::string& expected_path, const std::string& got_path, double tolerance) {
  const MappedFile expected_file(expected_path), got_file(got_path);
  const auto expected = parse_safetensors(expected_file.bytes(), expected_path), got = parse_safetensors(got_file.bytes(), got_path);
  EXPECT_EQ(expected.size(), got.size());
  for (const TensorView& e : expected) {
    const TensorView* g = find(got, e.name);
    ASSERT_NE(g, nullptr) << e.name;
    ASSERT_EQ(g->shape, e.shape) << e.name;
    EXPECT_LE(difference(e, *g), tolerance) << e.name;
  }
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, EqualsTransformers) {
  const fs::path folder = fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/forward" / GetParam();
  const std::string out = test::scratch_path(GetParam() + ".safetensors");
  int cases = 0;
  for (auto& entry : fs::directory_iterator(folder)) {
    const std::string in = entry.path().string();
    if (!in.ends_with(".in.safetensors")) continue;
    SCOPED_TRACE(in);
    const auto result = test::run_program({"forward", folder.string(), in, "-o", out});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    expect_equal(in.substr(0, in.size() - 15) + ".out.safetensors", out, kTolerance);
    ++cases;
  }
  EXPECT_GT(cases, 0);
}

INSTANTIATE_TEST_SUITE_P(Forward, Golden, ::testing::ValuesIn(checkpoints()), [](const auto& info) { return test::as_test_name(info.param); });

}  // namespace
}  // namespace polymath
