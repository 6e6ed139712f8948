// Containers: what is written is read again, and every recorded checkpoint opens.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "formats/checkpoint.h"
#include "formats/config.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

std::string scratch(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / ("polymath_formats_" + name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder.string();
}

TEST(Safetensors, ReadsWhatItWrites) {
  const std::vector<std::uint8_t> bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const std::string folder = scratch("round"), path = join_path(folder, "model.safetensors");
  write_safetensors(path, {{"b\n\"ü", DType::kF32, {1, 3}, bytes}, {"a", DType::kU8, {}, Bytes(bytes).first(1)}, {"none", DType::kI64, {0, 5}, {}}},
                    {{"format", "pt"}});
  const Checkpoint checkpoint = Checkpoint::open(folder);
  ASSERT_EQ(checkpoint.tensors().size(), 3u);
  const TensorView* b = checkpoint.find("b\n\"ü");
  ASSERT_TRUE(b);
  EXPECT_EQ(b->shape, (std::vector<std::int64_t>{1, 3}));
  EXPECT_TRUE(std::equal(b->data.begin(), b->data.end(), bytes.begin(), bytes.end()));
  b->drop();
  EXPECT_EQ(b->data[11], 12);
  EXPECT_EQ(checkpoint.find("a")->elements(), 1);
  EXPECT_EQ(checkpoint.find("none")->elements(), 0);
  EXPECT_EQ(checkpoint.find("c"), nullptr);
}

TEST(Safetensors, PrefersSafetensorsAndTakesShardsInSubfolders) {
  const std::string folder = scratch("order");
  fs::create_directories(join_path(folder, "parts"));
  write_file_atomically(join_path(folder, "pytorch_model.bin"), "not read");
  const std::uint8_t byte = 7;
  write_safetensors(join_path(folder, "parts/one.safetensors"), {{"a", DType::kU8, {1}, {&byte, 1}}});
  write_file_atomically(join_path(folder, "model.safetensors.index.json"), R"({"metadata": {}, "weight_map": {"a": "parts/one.safetensors"}})");
  EXPECT_EQ(element_to_f32(DType::kU8, Checkpoint::open(folder).find("a")->data.data()), 7.0f);
}

TEST(Dtype, HalfNumbersGoThereAndBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = f16_to_f32(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) EXPECT_TRUE((bits & 0x7C00) == 0x7C00 && (bits & 0x3FF));
    else EXPECT_EQ(f32_to_f16(value), bits);
  }
  EXPECT_EQ(f32_to_f16(65519.0f), 0x7BFF);  // the last that rounds to the largest
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7C00);
}

// The numbers of these checkpoints are proved by tests/models, which compares the models' outputs.
TEST(Checkpoint, EveryRecordedCheckpointOpens) {
  int folders = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(POLYMATH_SOURCE_DIR) / "tests/golden")) {
    if (!entry.is_directory() || !fs::exists(entry.path() / "config.json")) continue;
    if (!fs::exists(entry.path() / "model.safetensors") && !fs::exists(entry.path() / "pytorch_model.bin")) continue;
    const Config config = Config::load(entry.path().string());
    const Checkpoint checkpoint = Checkpoint::open(entry.path().string());
    EXPECT_GT(checkpoint.tensors().size(), 0u) << entry.path();
    for (const auto& [name, t] : checkpoint.tensors()) {
      EXPECT_EQ(static_cast<std::uint64_t>(t.elements()) * dtype_size(t.dtype), t.data.size()) << entry.path() << name;
      for (std::size_t i = 0; i < t.data.size(); i += dtype_size(t.dtype)) ASSERT_TRUE(std::isfinite(element_to_f32(t.dtype, t.data.data() + i)));
    }
    ++folders;
  }
  EXPECT_GT(folders, 100);
}

TEST(Config, NamesFieldAndValue) {
  const Config config(parse_json(R"({"a": 3, "big": 1e15, "f": 2.0, "t": {"a": 5, "id2label": {"1": "y", "0": "x"}}, "null": null,
    "id2label": {"0": "B-PER", "1": "O"}, "label2id": {"O": 1, "B-PER": 0}, "num_labels": 7})", "c"), "c");
  EXPECT_EQ(config.req<int>("a"), 3);
  EXPECT_EQ(config.opt("f", 1), 2);
  EXPECT_EQ(config.opt<std::int64_t>("big", 0), 1000000000000000);
  EXPECT_EQ(config.opt("null", 4), 4);
  EXPECT_EQ(config.opt("none", std::string("x")), "x");
  EXPECT_EQ(config.num_labels(), 2);  // id2label wins over num_labels
  EXPECT_EQ(config.label2id()[0].first, "O");
  const Config nested = config.nested("t");
  EXPECT_EQ(nested.req<int>("a"), 5);
  EXPECT_EQ(nested.id2label()[0], "x");
  try {
    nested.req<int>("b");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "c: t: b: the field is missing");
  }
  EXPECT_EQ(Config(parse_json("{}", "c"), "c").id2label(), (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  EXPECT_EQ(Config(parse_json(R"({"num_labels": 1})", "c"), "c").id2label(), (std::vector<std::string>{"LABEL_0"}));
}

}  // namespace
}  // namespace polymath
