// A number of heads that does not divide the width is refused by every architecture.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "models/model.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

class BadHeads : public ::testing::TestWithParam<const char*> {};

TEST_P(BadHeads, AreRefused) {
  const fs::path golden = fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/forward" / GetParam();
  const fs::path folder = fs::temp_directory_path() / ("polymath_heads_" + std::to_string(getpid()));
  for (const int heads : {7, 40871678}) {
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(golden)) fs::copy_file(entry.path(), folder / entry.path().filename());
    Json config = read_json_file((golden / "config.json").string());
    std::string field;
    for (const char* name : {"num_attention_heads", "n_heads", "n_head", "num_heads", "encoder_attention_heads"}) {
      if (config.contains(name) && field.empty()) field = name;
    }
    ASSERT_FALSE(field.empty());
    config[field] = heads;
    write_file_atomically((folder / "config.json").string(), config.dump());
    try {
      LoadedModel::load(folder.string(), LoadType::kAuto);
      ADD_FAILURE() << field << " = " << heads << " is taken";
    } catch (const Error& e) {
      EXPECT_FALSE(e.reason.empty());
    }
    fs::remove_all(folder);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, BadHeads,
                         ::testing::Values("albert-Base", "bart-Base", "bert-Base", "bloom-Base", "deberta-v2-Base", "distilbert-Base", "electra-Base", "gemma2-CausalLM", "gpt2-Base",
                                           "gpt_neo-CausalLM", "gpt_neox-Base", "llama-Base", "mixtral-Base", "modernbert-Base", "mpnet-MaskedLM", "opt-CausalLM",
                                           "roberta-QuestionAnswering", "t5-Base"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace polymath
