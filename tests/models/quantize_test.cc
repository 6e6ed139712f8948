// Folders that quantize_checkpoint writes: what a model made from them has and answers.
#include "models/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/file.h"
#include "base/json.h"
#include "formats/panels.h"
#include "models/model.h"
#include "support/program.h"
#include "tensor/quantize.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

std::string golden(const std::string& name) { return std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/forward/" + name; }

std::string fresh_path(const std::string& name) {
  const std::string path = test::scratch_path(name);
  fs::remove_all(path);
  return path;
}

std::vector<float> first_output(const LoadedModel& loaded) {
  std::mt19937 random(1);
  Step step;
  for (int length : {19, 3}) {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < length; ++i) ids.push_back(static_cast<std::int32_t>(4 + random() % 50));
    step.add_sequence(ids);
  }
  const Step target = step;
  if (loaded.model().is_encoder_decoder()) step.target = &target;
  const Tensor t = loaded.model().forward(step)[0].value;
  return {t.data(), t.data() + t.size()};
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double off = 0, all = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    off += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    all += std::pow(static_cast<double>(b[i]), 2);
  }
  return a.size() == b.size() ? std::sqrt(off / all) : INFINITY;
}

class Quantized : public ::testing::TestWithParam<std::tuple<const char*, LoadType>> {};

// The saved tables have 8 bits (or bfloat16), so the answers are near those of quantizing while loading, not equal.
TEST_P(Quantized, FolderAnswersAsQuantizingWhileLoadingDoes) {
  const auto [name, type] = GetParam();
  const std::string out = fresh_path(std::string("quantized-") + name);
  const QuantizeReport report = quantize_checkpoint(golden(name), out, type);
  EXPECT_GT(report.quantized, 0u);
  const auto saved = first_output(LoadedModel::load(out, LoadType::kAuto));
  EXPECT_LT(distance(saved, first_output(LoadedModel::load(golden(name), type))), 0.05);
  EXPECT_LT(distance(saved, first_output(LoadedModel::load(golden(name), LoadType::kF32))), type == LoadType::kQ4 ? 0.4 : 0.05);
  EXPECT_EQ(first_output(LoadedModel::load(out, type)), saved);
}

INSTANTIATE_TEST_SUITE_P(Models, Quantized, ::testing::Combine(
    ::testing::Values("albert-MaskedLM", "bart-ConditionalGeneration", "bert-MaskedLM", "bloom-CausalLM", "deberta-v2-MaskedLM", "dialect-gamma-beta",
                      "gpt2-LMHeadModel", "gpt_neox-CausalLM", "llama-CausalLM", "llama-tied", "marian-MTModel",
                      "modernbert-MaskedLM", "phi3-CausalLM", "t5-ConditionalGeneration"),
    ::testing::Values(LoadType::kQ8, LoadType::kQ4, LoadType::kBf16)));

// Panels read from a file, merged and cut, have the bytes of panels packed from the values.
TEST(QuantizedPanels, PackAsTheValuesDo) {
  constexpr std::int64_t k = 77;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const LoadType type : {LoadType::kQ8, LoadType::kQ4}) {
    const DType dtype = type == LoadType::kQ8 ? DType::kQ8 : DType::kQ4;
    std::vector<std::vector<float>> values;
    std::vector<TensorView> plain, stored;
    std::vector<Weight> panels;
    for (std::int64_t n : {16, 21, 40}) {
      values.emplace_back(static_cast<std::size_t>(n * k));
      for (float& x : values.back()) x = normal(random);
    }
    for (const auto& v : values) {
      const auto n = static_cast<std::int64_t>(v.size()) / k;
      plain.push_back({.name = "w", .dtype = DType::kF32, .shape = {n, k}, .data = {reinterpret_cast<const std::uint8_t*>(v.data()), v.size() * 4}});
      const TensorView* one[] = {&plain.back()};
      panels.push_back(Weight::pack(one, type));
      stored.push_back({.name = "w", .dtype = dtype, .shape = {n, k}, .data = {static_cast<const std::uint8_t*>(panels.back().panel(0)), panels.back().bytes()}});
    }
    const auto expect_same = [&](const std::vector<std::size_t>& order) {
      std::vector<const TensorView*> a, b;
      std::int64_t n = 0;
      for (std::size_t i : order) a.push_back(&plain[i]), b.push_back(&stored[i]), n += plain[i].shape[0];
      const Weight of_values = Weight::pack(a, type), of_panels = Weight::pack(b, LoadType::kAuto);
      ASSERT_EQ(of_values.bytes(), of_panels.bytes());
      std::vector<float> x(k), y(k);
      for (std::int64_t i = 0; i < n; ++i) {  // columns beyond n may differ
        for (auto [w, row] : {std::pair(&of_values, &x), std::pair(&of_panels, &y)}) {
          dequantize_column(static_cast<const std::uint8_t*>(w->panel(i / 16)), static_cast<std::size_t>(i % 16), w->storage(), 0, k, row->data());
        }
        ASSERT_EQ(x, y) << i;
      }
    };
    expect_same({0});
    expect_same({1});
    expect_same({0, 1, 2});
    expect_same({1, 2, 0});
    const auto back = read_f32(stored[1]);
    EXPECT_LT(distance(back, values[1]), type == LoadType::kQ8 ? 0.006 : 0.1);
    EXPECT_GT(distance(back, values[1]), type == LoadType::kQ8 ? 0.002 : 0.05);
  }
}

TEST(QuantizedFolder, KeepsTheOtherFilesAndSaysWhatItIs) {
  const std::string source = fresh_path("quantize-source"), out = fresh_path("quantize-out");
  fs::copy(golden("gpt2-LMHeadModel"), source, fs::copy_options::recursive);
  fs::create_directories(source + "/1_Pooling");
  std::ofstream(source + "/1_Pooling/config.json") << "{}";
  std::ofstream(source + "/vocab.txt") << "a\n";
  std::ofstream(source + "/pytorch_model.bin") << "old";
  quantize_checkpoint(source, out, LoadType::kQ4);
  EXPECT_TRUE(file_exists(out + "/1_Pooling/config.json"));
  EXPECT_TRUE(file_exists(out + "/vocab.txt"));
  EXPECT_FALSE(file_exists(out + "/pytorch_model.bin"));
  EXPECT_EQ(read_json_file(out + "/config.json")["quantization_config"]["quant_method"], "polymath");
  EXPECT_LT(fs::file_size(out + "/model.safetensors"), fs::file_size(source + "/model.safetensors"));
  const auto refused = [&](const std::string& from, const std::string& to) -> std::string {
    try {
      quantize_checkpoint(from, to, LoadType::kQ8);
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing";
  };
  EXPECT_NE(refused(source, out).find("is there already"), std::string::npos);
  EXPECT_NE(refused(out, out + "-again").find("is quantized already"), std::string::npos);
  EXPECT_NE(refused(golden("adapter-bert"), out + "-again").find("is an adapter"), std::string::npos);
  EXPECT_NE(refused(source, "/no/such/place/out").find("/no/such/place/out"), std::string::npos);
  EXPECT_FALSE(file_exists(out + "-again"));
}

TEST(QuantizedFolder, OfAnotherProgramIsRefused) {
  const std::string source = fresh_path("quantized-elsewhere");
  fs::copy(golden("llama-CausalLM"), source, fs::copy_options::recursive);
  Json config = read_json_file(source + "/config.json");
  config["quantization_config"] = {{"quant_method", "gptq"}, {"bits", 4}};
  std::ofstream(source + "/config.json") << config.dump();
  try {
    LoadedModel::load(source, LoadType::kAuto);
    FAIL() << "loaded";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("gptq"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace polymath
