// Adapters that are refused, each with the field at fault; the recorded ones are in tests/golden/forward/adapter-*.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "models/adapter.h"
#include "polymath/error.h"
#include "support/program.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

std::string refusal(const std::string& adapter_config) {
  const fs::path folder = test::scratch_path("adapter");
  fs::remove_all(folder);
  fs::create_directories(folder / "base");
  std::ofstream(folder / "base" / "config.json") << R"({"model_type": "bert"})";
  std::ofstream(folder / "adapter_config.json") << adapter_config;
  try {
    Adapter::open(folder.string());
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST(Adapters, NameWhatIsNotKnown) {
  const auto says = [](const std::string& config, const std::string& part) {
    const std::string error = refusal(config);
    EXPECT_NE(error.find(part), std::string::npos) << error;
  };
  says(R"({"base_model_name_or_path": "base"})", "peft_type: the field is missing");
  says(R"({"peft_type": "IA3", "base_model_name_or_path": "base"})", "peft_type: \"IA3\" is not known");
  says(R"({"peft_type": "LORA"})", "base_model_name_or_path: the field is missing");
  says(R"({"peft_type": "LORA", "base_model_name_or_path": "bert-base-uncased"})", "base_model_name_or_path: \"bert-base-uncased\" is not the folder");
  says(R"({"peft_type": "LORA", "base_model_name_or_path": "base", "layer_replication": [[0, 1]]})", "layer_replication: is not known");
  says(R"({"peft_type": "LORA", "base_model_name_or_path": "base", "use_qalora": false})", "has no adapter_model.safetensors");
}

// The answers of the recorded adapters, merged and not.
TEST(Adapters, ShareTheirBaseInMemory) {
  const fs::path golden = fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/forward";
  int adapters = 0;
  for (const auto& entry : fs::directory_iterator(golden)) {
    const std::string folder = entry.path().string();
    if (!Adapter::open(folder)) continue;
    ++adapters;
    const LoadedModel merged = LoadedModel::load(folder, LoadType::kF32), shared = LoadedModel::load_sharing_base(folder, LoadType::kF32);
    Step step;
    const std::vector<std::int32_t> ids = {3, 7, 5, 9, 4};
    step.add_sequence(ids);
    step.add_sequence(std::span(ids).first(3));
    if (merged.model().is_encoder_decoder()) continue;
    const auto expected = merged.model().forward(step), given = shared.model().forward(step);
    ASSERT_EQ(expected.size(), given.size()) << folder;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      float largest = 0, worst = 0;
      for (std::int64_t j = 0; j < expected[i].value.size(); ++j) {
        largest = std::max(largest, std::abs(expected[i].value.data()[j]));
        worst = std::max(worst, std::abs(expected[i].value.data()[j] - given[i].value.data()[j]));
      }
      EXPECT_LE(worst, 2e-5f * largest) << folder << ' ' << expected[i].name;
    }
  }
  EXPECT_GT(adapters, 2);
}

TEST(Adapters, OfOneBasePackItsLayersOnce) {
  const fs::path base = test::scratch_path("shared-base");
  fs::remove_all(base);
  fs::create_directories(base);
  fs::copy(fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/forward/bert-Base", base, fs::copy_options::recursive);
  const LoadedModel first = LoadedModel::load_sharing_base(base.string(), LoadType::kF32);
  const std::size_t weights = first.shared_weights();
  EXPECT_GT(weights, 4u);
  const LoadedModel second = LoadedModel::load_sharing_base(base.string() + "/.", LoadType::kF32);
  EXPECT_EQ(second.shared_weights(), weights);
  EXPECT_EQ(first.shared_weights(), weights);
  const LoadedModel other = LoadedModel::load_sharing_base(base.string(), LoadType::kBf16);
  EXPECT_GT(first.shared_weights(), weights);  // in another storage they are others
}

TEST(Adapters, AreOnlyFoldersWithTheirConfig) {
  const std::string plain = (fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/forward/bert-Base").string();
  EXPECT_FALSE(Adapter::open(plain));
  EXPECT_EQ(base_folder_of(plain), plain);
}

}  // namespace
}  // namespace polymath
