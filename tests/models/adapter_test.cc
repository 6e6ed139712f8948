// Adapters that are refused, each with the field at fault; the recorded ones are in tests/golden/forward/adapter-*.
#include <gtest/gtest.h>

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

TEST(Adapters, AreOnlyFoldersWithTheirConfig) {
  const std::string plain = (fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/forward/bert-Base").string();
  EXPECT_FALSE(Adapter::open(plain));
  EXPECT_EQ(base_folder_of(plain), plain);
}

}  // namespace
}  // namespace polymath
