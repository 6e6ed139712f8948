// What `polymath gradients` refuses, in one line that names the tensor at fault.
#include <gtest/gtest.h>

#include <algorithm>

#include "formats/safetensors.h"
#include "support/program.h"

namespace polymath {
namespace {

std::string golden(const std::string& name) { return std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/" + name; }

// A file with input_ids [2, 3] and these labels.
std::string inputs(const std::string& name, DType dtype, std::vector<std::int64_t> shape, const void* labels) {
  const std::vector<std::int64_t> ids{7, 8, 9, 10, 11, 12};
  const std::string path = test::scratch_path("inputs.safetensors");
  std::int64_t count = 1;
  for (const std::int64_t n : shape) count *= n;
  std::vector<NamedArray> arrays{{"input_ids", DType::kI64, {2, 3}, {reinterpret_cast<const std::uint8_t*>(ids.data()), ids.size() * 8}}};
  if (!name.empty()) {
    arrays.push_back({name, dtype, std::move(shape), {static_cast<const std::uint8_t*>(labels), static_cast<std::size_t>(count) * dtype_size(dtype)}});
  }
  write_safetensors(path, arrays);
  return path;
}

void expect_refused(const std::string& folder, const std::string& in, const std::string& part) {
  const auto result = test::run_program({"gradients", golden(folder), in, "-o", test::scratch_path("out.safetensors")});
  EXPECT_EQ(result.exit_code, 1) << folder;
  EXPECT_NE(result.err.find("polymath: error: "), std::string::npos);
  EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

TEST(GradientsVerb, RefusesWhatHasNoLoss) {
  expect_refused("forward/bert-Base", inputs("", DType::kI64, {}, nullptr), "base model");
  expect_refused("forward/t5-EncoderModel", inputs("", DType::kI64, {}, nullptr), "base model");
}

TEST(GradientsVerb, RefusesLabelsThatDoNotFit) {
  const std::int64_t labels[6] = {1, 0, 1, 0, 1, 0}, ignored[6] = {-100, -100, -100, -100, -100, -100}, large[6] = {1, 1 << 20, 1, 0, 5, 0};
  const std::int64_t out_of_range[6] = {1, 2, 3, 4, 5, std::int64_t{1} << 40}, negative[6] = {1, 2, 3, 1, -1, 3};
  for (const char* head : {"forward/bert-MaskedLM", "forward/bert-TokenClassification", "forward/gpt2-LMHeadModel", "forward/bart-ConditionalGeneration"}) {
    expect_refused(head, inputs("", DType::kI64, {}, nullptr), "labels");
    expect_refused(head, inputs("labels", DType::kI64, {6}, labels), "labels");
    expect_refused(head, inputs("labels", DType::kI64, {2, 0}, labels), "labels");
    expect_refused(head, inputs("labels", DType::kI64, {0, 3}, labels), "labels");
    expect_refused(head, inputs("labels", DType::kI64, {2, 3}, ignored), "labels");
    expect_refused(head, inputs("labels", DType::kI64, {2, 3}, negative), "-1");
    expect_refused(head, inputs("labels", DType::kI64, {2, 3}, out_of_range), "labels");
    expect_refused(head, inputs("labels", DType::kI64, {2, 3}, large), "1048576");
  }
  const float fractions[6] = {1, 2, 3, 1, 2, 3};
  expect_refused("forward/bert-MaskedLM", inputs("labels", DType::kF32, {2, 3}, fractions), "whole numbers");
  expect_refused("forward/bert-MaskedLM", inputs("labels", DType::kI64, {3, 2}, labels), "labels");
  expect_refused("forward/bert-SequenceClassification", inputs("labels", DType::kI64, {2, 3}, labels), "6 labels");
  expect_refused("forward/bert-SequenceClassification", inputs("labels", DType::kI64, {2}, large + 4), "labels: 5");
  expect_refused("forward/bert-one-label", inputs("labels", DType::kI64, {2, 3}, labels), "labels");
  expect_refused("forward/bert-five-labels", inputs("labels", DType::kI64, {2, 3}, labels), "labels");
  expect_refused("forward/bert-QuestionAnswering", inputs("start_positions", DType::kI64, {2}, labels), "end_positions");
  expect_refused("forward/bert-QuestionAnswering", inputs("start_positions", DType::kI64, {3}, labels), "start_positions");
  expect_refused("forward/bert-PreTraining", inputs("labels", DType::kI64, {2, 3}, labels), "next_sentence_label");
}

TEST(GradientsVerb, PrintsTheLossAsJson) {
  const std::int64_t labels[6] = {1, 0, 1, 0, 1, 0};
  const auto result = test::run_program(
      {"gradients", golden("forward/bert-TokenClassification"), inputs("labels", DType::kI64, {2, 3}, labels), "-o", test::scratch_path("out.safetensors"), "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("{\"loss\": ")) << result.out;
}

}  // namespace
}  // namespace polymath
