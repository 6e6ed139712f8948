// Dropout: its op, its places in the models as Transformers has them (recipes/record_dropout.py), and its bits.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "base/threads.h"
#include "support/program.h"
#include "support/test_name.h"
#include "tensor/dropout.h"
#include "tensor/tape.h"
#include "train/objective.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

const Json& golden() {
  static const Json kAll = read_json_file(std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/dropout.json");
  return kAll;
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& [name, unused] : golden().at("models").items()) names.push_back(name);
  return names;
}

Tensor ones(std::int64_t rows, std::int64_t n) {
  Tensor x({rows, n});
  std::fill_n(x.data(), x.size(), 1.0f);
  return x;
}

TEST(Dropout, DropsTheShareThatIsAskedFor) {
  const Tensor x = ones(300, 101);
  EXPECT_EQ(dropout(x, 0.3f).data(), x.data()) << "nothing is dropped outside of a scope";
  const Dropping dropping(7, 1);
  EXPECT_EQ(dropout(x, 0).data(), x.data());
  const Tensor y = dropout(x, 0.3f), other = dropout(x, 0.3f);
  std::int64_t dropped = 0, same = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    dropped += y.data()[i] == 0.0f;
    same += y.data()[i] == other.data()[i];
    ASSERT_TRUE(y.data()[i] == 0.0f || y.data()[i] == 1.0f / (1.0f - 0.3f));
  }
  EXPECT_NEAR(static_cast<double>(dropped) / static_cast<double>(y.size()), 0.3, 0.01);
  EXPECT_NEAR(static_cast<double>(same) / static_cast<double>(y.size()), 0.3 * 0.3 + 0.7 * 0.7, 0.01) << "uses are independent";
  const Tensor all = dropout(x, 1);
  for (const float v : all.values()) ASSERT_EQ(v, 0.0f);
}

TEST(Dropout, HangsOnSeedAndStepAlone) {
  const auto of = [](std::uint64_t seed, std::uint64_t step) {
    const Dropping dropping(seed, step);
    dropout(ones(2, 2), 0.1f);
    const Tensor y = dropout(ones(20, 33), 0.5f);
    return std::vector<float>(y.values().begin(), y.values().end());
  };
  EXPECT_EQ(of(1, 2), of(1, 2));
  EXPECT_NE(of(1, 2), of(1, 3));
  EXPECT_NE(of(1, 2), of(2, 2));
}

TEST(Dropout, OneRateTakesThePlaceOfAll) {
  const Tensor x = ones(3, 64);
  const Dropping none(1, 1, 0.0f);
  EXPECT_EQ(dropout(x, 0.9f).data(), x.data());
  const Dropping all(1, 1, 1.0f);
  for (const float v : dropout(x, 0).values()) ASSERT_EQ(v, 0.0f);
}

// A golden checkpoint with other rates in its config.json.
std::string with_rates(const std::string& name) {
  const fs::path from = fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/forward" / name, to = test::scratch_path("dropout-" + name);
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
  Json config = read_json_file((from / "config.json").string());
  config.update(golden().at("models").at(name).at("config"));
  write_file_atomically((to / "config.json").string(), dump_json(config));
  return to.string();
}

// The recipe's inputs.
struct Example {
  Step step, target;
  Labels labels;

  explicit Example(const LoadedModel& model) {
    const Head head = model.head();
    const auto number = [](int a, int b, int row, int column, int kinds) { return (a * row + b * column) % kinds; };
    for (int row = 0; row < 2; ++row) {
      std::vector<std::int32_t> ids, wanted;
      for (int column = 0; column < 7; ++column) ids.push_back(5 + number(11, 7, row, column, 40));
      const bool writes = head == Head::kConditionalGeneration;
      for (int column = 0; column < (writes ? 5 : 7); ++column) {
        wanted.push_back(head == Head::kTokenClassification ? number(1, 1, row, column, 2) : 5 + number(13, 3, row, column, 40));
      }
      if (head == Head::kSequenceClassification && model.model().is_encoder_decoder()) ids.back() = model.config().opt("eos_token_id", 1);
      step.add_sequence(ids);
      if (writes) target.add_sequence(shifted_labels(model.config(), wanted, 5));
      if (head == Head::kCausalLm) {  // what follows
        wanted.erase(wanted.begin());
        wanted.push_back(kIgnored);
      }
      labels.of_rows.insert(labels.of_rows.end(), wanted.begin(), wanted.end());
    }
    labels.of_sequences = {1, 0};
    labels.start = {1, 2};
    labels.end = {4, 3};
    if (model.model().is_encoder_decoder() && head != Head::kConditionalGeneration) target = model.model().missing_target(step);
    if (model.model().is_encoder_decoder()) step.target = &target;
  }
};

struct Result {
  float loss;
  std::uint64_t uses;
  std::vector<std::vector<float>> gradients;
};

Result run(const LoadedModel& model, bool recompute) {
  const Example example(model);
  model.parameters().zero_gradients();
  Tape tape(recompute);
  const Tape::Recording recording(&tape);
  Result result;
  Tensor loss;
  {
    const Dropping dropping(golden().at("seed").get<std::uint64_t>(), golden().at("step").get<std::uint64_t>());
    loss = loss_of(model, example.step, example.labels);
    result.uses = Dropping::place()->uses;
  }
  tape.backward(loss);
  result.loss = loss.data()[0];
  for (const Parameter* p : model.parameters().all()) result.gradients.push_back(p->gradient);
  return result;
}

class DropoutOfModels : public ::testing::TestWithParam<std::string> {
 protected:
  void TearDown() override { ThreadPool::set_global_threads(physical_cores()); }
};

TEST_P(DropoutOfModels, IsWhereTransformersHasIt) {
  const Json& expected = golden().at("models").at(GetParam());
  const LoadedModel model = LoadedModel::load_to_train(with_rates(GetParam()));
  const Result got = run(model, false);
  EXPECT_EQ(got.uses, expected.at("uses").get<std::uint64_t>());
  const double loss = expected.at("loss").get<double>(), norm = expected.at("gradient_norm").get<double>();
  EXPECT_NEAR(static_cast<double>(got.loss), loss, 2e-5 * std::fabs(loss));
  double squares = 0;
  for (const auto& gradient : got.gradients) {
    for (const float g : gradient) squares += static_cast<double>(g) * static_cast<double>(g);
  }
  EXPECT_NEAR(std::sqrt(squares), norm, 2e-4 * norm);
}

TEST_P(DropoutOfModels, HasTheSameBits) {
  const LoadedModel model = LoadedModel::load_to_train(with_rates(GetParam()));
  ThreadPool::set_global_threads(1);
  const Result one = run(model, false);
  ThreadPool::set_global_threads(3);
  for (const bool recompute : {false, true}) {
    const Result again = run(model, recompute);
    EXPECT_EQ(again.loss, one.loss) << recompute;
    EXPECT_EQ(again.gradients, one.gradients) << recompute;
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, DropoutOfModels, ::testing::ValuesIn(names()), [](const auto& info) { return test::as_test_name(info.param); });

}  // namespace
}  // namespace polymath
