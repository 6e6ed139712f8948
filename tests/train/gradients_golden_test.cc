// Loss and gradients through `polymath gradients`, against what torch answered (recipes/record_gradients.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "formats/safetensors.h"
#include "support/program.h"
#include "support/test_name.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-4;  // of a tensor's largest gradient
constexpr double kFloor = 1e-6;      // of the model's largest

const fs::path kGoldens = fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/gradients";

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (auto& entry : fs::directory_iterator(kGoldens)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".in.safetensors")) names.push_back(name.substr(0, name.size() - 15));
  }
  std::sort(names.begin(), names.end());
  return names;
}

struct File {
  MappedFile file;
  std::map<std::string, std::vector<double>> values;

  explicit File(const std::string& path) : file(path) {
    for (const TensorView& t : parse_safetensors(file.bytes(), path)) {
      auto& of_tensor = values[t.name];
      for (std::size_t at = 0; at < t.data.size(); at += 4) of_tensor.push_back(static_cast<double>(element_to_f32(DType::kF32, t.data.data() + at)));
    }
  }
};

class Gradients : public ::testing::TestWithParam<std::string> {};

TEST_P(Gradients, EqualTorchs) {
  const std::string in = (kGoldens / (GetParam() + ".in.safetensors")).string(), out = test::scratch_path(GetParam() + ".safetensors");
  const std::string folder = (fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/forward" / GetParam()).string();
  const auto result = test::run_program({"gradients", folder, in, "-o", out});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const File expected((kGoldens / (GetParam() + ".out.safetensors")).string()), got(out);

  const double loss = expected.values.at("loss")[0];
  EXPECT_NEAR(got.values.at("loss").at(0), loss, 2e-5 * std::fabs(loss));
  double model_largest = 0;
  for (const auto& [name, about] : expected.values) {
    if (name.ends_with(".about")) model_largest = std::max(model_largest, about[0]);
  }
  for (const auto& [name, sample] : expected.values) {
    if (name == "loss" || name.ends_with(".about")) continue;
    const auto& about = expected.values.at(name + ".about");  // largest, norm, size
    ASSERT_TRUE(got.values.contains(name)) << name;
    const auto& values = got.values.at(name);
    ASSERT_EQ(static_cast<double>(values.size()), about[2]) << name;
    const double room = std::max(kTolerance * about[0], kFloor * model_largest);
    const std::size_t step = ((values.size() + 63) / 64) | 1;
    double off = 0, norm = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) off = std::max(off, std::fabs(values.at(i * step) - sample[i]));
    for (const double v : values) norm += v * v;
    EXPECT_LE(off, room) << name << ", largest " << about[0];
    EXPECT_NEAR(std::sqrt(norm), about[1], kTolerance * about[1] + room * std::sqrt(about[2])) << name;
  }
  for (const auto& [name, values] : got.values) {  // no others, but for what the loss does not hang on
    const bool flows = std::any_of(values.begin(), values.end(), [](double v) { return v != 0; });
    EXPECT_TRUE(!flows || expected.values.contains(name)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, Gradients, ::testing::ValuesIn(names()), [](const auto& info) { return test::as_test_name(info.param); });

}  // namespace
}  // namespace polymath
