// Gradients have the same bits for any number of threads, and recording leaves the loss as it is.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/threads.h"
#include "tensor/tape.h"
#include "train/objective.h"

namespace polymath {
namespace {

class SameGradients : public ::testing::TestWithParam<const char*> {
 protected:
  void TearDown() override { ThreadPool::set_global_threads(physical_cores()); }
};

struct Example {
  Step step, target;
  Labels labels;

  explicit Example(const LoadedModel& model) {
    std::mt19937 random(1);
    for (const std::size_t length : {19, 1, 40, 7}) {
      std::vector<std::int32_t> ids;
      for (std::size_t i = 0; i < std::min<std::size_t>(length, 20); ++i) ids.push_back(static_cast<std::int32_t>(5 + random() % 60));
      step.add_sequence(ids);
      labels.of_sequences.push_back(static_cast<std::int32_t>(random() % 2));
    }
    target = step;
    if (model.model().is_encoder_decoder()) step.target = &target;
    for (std::int64_t r = 0; r < step.rows(); ++r) labels.of_rows.push_back(r % 3 == 0 ? kIgnored : static_cast<std::int32_t>(random() % 2));
  }
};

TEST_P(SameGradients, WhateverTheThreads) {
  const LoadedModel model = LoadedModel::load_to_train(std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/forward/" + GetParam());
  const Example example(model);
  const Tensor plain = loss_of(model, example.step, example.labels);
  std::vector<std::vector<float>> expected;
  for (const int threads : {1, 2, 3, 4}) {
    ThreadPool::set_global_threads(threads);
    model.parameters().zero_gradients();
    Tape tape;
    {
      const Tape::Recording recording(&tape);
      const Tensor loss = loss_of(model, example.step, example.labels);
      EXPECT_EQ(loss.data()[0], plain.data()[0]);
      tape.backward(loss);
    }
    std::vector<std::vector<float>> got;
    for (const Parameter* p : model.parameters().all()) got.push_back(p->gradient);
    if (expected.empty()) expected = got;
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(std::memcmp(got[i].data(), expected[i].data(), got[i].size() * sizeof(float)), 0) << model.parameters().all()[i]->name << ", " << threads << " threads";
    }
  }
}

// Computing layers anew on the way back gives the same gradients, and keeps less.
TEST_P(SameGradients, WhereLayersAreComputedAnew) {
  const LoadedModel model = LoadedModel::load_to_train(std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/forward/" + GetParam());
  const Example example(model);
  std::vector<std::vector<std::vector<float>>> of_both;
  for (const bool recompute : {false, true}) {
    model.parameters().zero_gradients();
    Tape tape(recompute);
    const Tape::Recording recording(&tape);
    tape.backward(loss_of(model, example.step, example.labels));
    auto& got = of_both.emplace_back();
    for (const Parameter* p : model.parameters().all()) got.push_back(p->gradient);
  }
  EXPECT_EQ(of_both[0], of_both[1]);
}

// A step along the gradient makes the loss smaller by what the gradient says.
TEST_P(SameGradients, AndAStepFollowsThem) {
  const LoadedModel model = LoadedModel::load_to_train(std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/forward/" + GetParam());
  const Example example(model);
  Tape tape;
  double before = 0, squares = 0;
  {
    const Tape::Recording recording(&tape);
    const Tensor loss = loss_of(model, example.step, example.labels);
    before = static_cast<double>(loss.data()[0]);
    tape.backward(loss);
  }
  for (const Parameter* p : model.parameters().all()) {
    for (const float g : p->gradient) squares += static_cast<double>(g) * static_cast<double>(g);
  }
  const double rate = 2e-3 * before / squares;
  for (Parameter* p : model.parameters().all()) {
    for (std::size_t i = 0; i < p->values.size(); ++i) p->values[i] -= static_cast<float>(rate) * p->gradient[i];
  }
  model.parameters().refresh();
  const double after = static_cast<double>(loss_of(model, example.step, example.labels).data()[0]);
  EXPECT_NEAR(before - after, rate * squares, 0.2 * rate * squares);
}

INSTANTIATE_TEST_SUITE_P(Models, SameGradients,
                         ::testing::Values("awd_lstm-CausalLM", "awd_lstm-SequenceClassification", "concat_pooling-gpt2", "bert-MaskedLM", "bert-SequenceClassification", "gpt2-LMHeadModel", "llama-CausalLM", "mixtral-CausalLM", "bloom-CausalLM",
                                           "bart-ConditionalGeneration", "t5-ConditionalGeneration", "deberta-v2-TokenClassification", "mpnet-MaskedLM",
                                           "modernbert-MaskedLM", "roberta-TokenClassification"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace polymath
