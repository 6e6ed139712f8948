// DESIGN decision 3: a sequence's result does not depend on its neighbours, the threads or the instruction set.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/threads.h"
#include "kernels/kernels.h"
#include "models/model.h"

namespace polymath {
namespace {

using Bits = std::vector<std::uint32_t>;

std::vector<std::int32_t> random_ids(std::size_t length, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < length; ++i) ids.push_back(static_cast<std::int32_t>(4 + random() % 60));
  return ids;
}

// The bits of all outputs of sequence `which` of a batch.
Bits bits_of(const Model& model, const std::vector<std::vector<std::int32_t>>& sequences, std::size_t which) {
  Step step;
  for (const auto& ids : sequences) step.add_sequence(ids);
  const Step target = step;
  if (model.is_encoder_decoder()) step.target = &target;
  Bits bits;
  for (const Output& output : model.forward(step)) {
    const std::int64_t d = output.value.size() / output.value.dim(0);
    const std::int64_t first = output.per_row ? step.begin[which] : static_cast<std::int64_t>(which);
    const std::int64_t rows = output.per_row ? step.begin[which + 1] - step.begin[which] : 1;
    const auto at = bits.size();
    bits.resize(at + static_cast<std::size_t>(rows * d));
    std::memcpy(bits.data() + at, output.value.data() + first * d, static_cast<std::size_t>(rows * d) * sizeof(float));
  }
  return bits;
}

class SameBits : public ::testing::TestWithParam<std::pair<std::string, LoadType>> {
 protected:
  void TearDown() override {
    kernels::set_isa("");
    ThreadPool::set_global_threads(physical_cores());
  }
  LoadedModel load() const {
    return LoadedModel::load(std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/forward/" + GetParam().first, GetParam().second);
  }
};

TEST_P(SameBits, WhateverTheThreadsTheBatchAndTheInstructionSet) {
  const LoadedModel loaded = load();
  const auto sequence = random_ids(19, 1);
  const Bits expected = bits_of(loaded.model(), {sequence}, 0);
  ASSERT_FALSE(expected.empty());
  for (const std::string& isa : kernels::available_isas()) {
    ASSERT_TRUE(kernels::set_isa(isa));
    for (int threads : {1, 2, 3, 4}) {
      ThreadPool::set_global_threads(threads);
      for (std::size_t batch : {1u, 2u, 5u, 8u}) {
        std::vector<std::vector<std::int32_t>> sequences;
        for (std::size_t i = 0; i < batch; ++i) sequences.push_back(random_ids(1 + (i * 7 + 3) % 29, static_cast<unsigned>(i) + 2));
        for (std::size_t which : {std::size_t{0}, batch / 2, batch - 1}) {
          auto mixed = sequences;
          mixed[which] = sequence;
          ASSERT_EQ(bits_of(loaded.model(), mixed, which), expected) << isa << ", " << threads << " threads, batch of " << batch << ", place " << which;
        }
      }
    }
  }
}

TEST_P(SameBits, AndAnotherTokenGivesOthers) {
  const LoadedModel loaded = load();
  auto sequence = random_ids(19, 1);
  const Bits expected = bits_of(loaded.model(), {sequence}, 0);
  sequence[7] = sequence[7] == 5 ? 6 : 5;
  EXPECT_NE(bits_of(loaded.model(), {sequence}, 0), expected);
}

INSTANTIATE_TEST_SUITE_P(Models, SameBits,
                         ::testing::Values(std::pair("bert-Base", LoadType::kAuto), std::pair("bert-Base", LoadType::kBf16),
                                           std::pair("bert-Base", LoadType::kQ8), std::pair("albert-Base", LoadType::kAuto),
                                           std::pair("awd_lstm-CausalLM", LoadType::kAuto), std::pair("awd_lstm-SequenceClassification", LoadType::kQ8),
                                           std::pair("concat_pooling-bert", LoadType::kAuto),
                                           std::pair("bart-ConditionalGeneration", LoadType::kAuto), std::pair("bloom-Base", LoadType::kAuto),
                                           std::pair("deberta-v2-v2", LoadType::kAuto), std::pair("distilbert-SequenceClassification", LoadType::kAuto),
                                           std::pair("gpt2-Base", LoadType::kQ8), std::pair("gpt2-Base", LoadType::kQ4), std::pair("gpt_neox-Base", LoadType::kAuto),
                                           std::pair("llama-CausalLM", LoadType::kAuto), std::pair("llama-CausalLM", LoadType::kQ8), std::pair("llama-CausalLM", LoadType::kQ4),
                                           std::pair("mixtral-Base", LoadType::kAuto), std::pair("mixtral-Base", LoadType::kQ8),
                                           std::pair("modernbert-Base", LoadType::kAuto), std::pair("mpnet-MaskedLM", LoadType::kAuto),
                                           std::pair("roberta-QuestionAnswering", LoadType::kAuto), std::pair("t5-Base", LoadType::kAuto)),
                         [](const auto& info) {
                           std::string name = info.param.first + "_" + std::to_string(static_cast<int>(info.param.second));
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace polymath
