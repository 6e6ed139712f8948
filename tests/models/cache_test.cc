// A decoder with a cache gives the bits of one without, however its prompt was cut, whoever shares its blocks.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "models/model.h"

namespace polymath {
namespace {

using Rows = std::vector<std::vector<std::uint32_t>>;  // the bits of each row's outputs

std::vector<std::int32_t> random_ids(std::size_t length, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < length; ++i) ids.push_back(static_cast<std::int32_t>(4 + random() % 60));
  return ids;
}

// An encoder-decoder's target, over one source for all sequences.
Rows rows_of(const Model& model, Step step) {
  Rows rows;
  std::vector<KvCache> memory;
  if (model.is_encoder_decoder()) {
    Step source;
    source.add_sequence(random_ids(30, 99));
    memory = model.remember(source);
    step.memory.assign(static_cast<std::size_t>(step.sequences()), &memory[0]);
  }
  const Tensor y = model.forward(step)[0].value;
  for (std::int64_t r = 0; r < y.rows(); ++r) {
    rows.emplace_back(static_cast<std::size_t>(y.dim(-1)));
    std::memcpy(rows.back().data(), y.row(r), rows.back().size() * sizeof(float));
  }
  return rows;
}

// Appends `ids` to what the cache holds.
Rows append(const Model& model, KvCache& cache, std::span<const std::int32_t> ids) {
  Step step;
  step.add_sequence(ids);
  for (std::int32_t& c : step.column) c += static_cast<std::int32_t>(cache.length());
  step.cache = {&cache};
  return rows_of(model, step);
}

class Cache : public ::testing::TestWithParam<const char*> {
 protected:
  LoadedModel loaded_ = LoadedModel::load(std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/forward/" + GetParam(), LoadType::kAuto);
  const Model& model_ = loaded_.model();
};

TEST_P(Cache, PromptsInPiecesGiveTheSameBits) {
  const auto ids = random_ids(200, 1);  // more than three blocks
  Step whole;
  whole.add_sequence(ids);
  const Rows expected = rows_of(model_, whole);
  for (std::size_t piece : {1u, 7u, 63u, 64u, 65u, 200u}) {
    KvCache cache(model_.kv_shape());
    Rows got;
    for (std::size_t begin = 0; begin < ids.size(); begin += piece) {
      const Rows part = append(model_, cache, std::span(ids).subspan(begin, std::min(piece, ids.size() - begin)));
      got.insert(got.end(), part.begin(), part.end());
    }
    EXPECT_EQ(cache.length(), 200);
    EXPECT_EQ(got, expected) << "in pieces of " << piece;
  }
}

class Source : public Cache {};

TEST_P(Source, RememberedGivesTheBitsOfAWholePass) {
  Step target, source;
  target.add_sequence(random_ids(50, 1));
  source.add_sequence(random_ids(30, 99));
  source.target = &target;
  const auto outputs = model_.forward(source);
  const Rows rows = rows_of(model_, target);
  ASSERT_EQ(outputs[0].value.rows(), 50);
  for (std::size_t r = 0; r < 50; ++r) {
    EXPECT_EQ(std::memcmp(outputs[0].value.row(static_cast<std::int64_t>(r)), rows[r].data(), rows[r].size() * sizeof(float)), 0);
  }
}

TEST_P(Cache, CopiesShareTheirBeginningAndPartWays) {
  const auto common = random_ids(100, 2), one = random_ids(40, 3), two = random_ids(40, 4);
  const auto alone = [&](const std::vector<std::int32_t>& tail) {
    auto ids = common;
    ids.insert(ids.end(), tail.begin(), tail.end());
    KvCache cache(model_.kv_shape());
    const Rows rows = append(model_, cache, ids);
    return Rows(rows.begin() + 100, rows.end());
  };
  KvCache first(model_.kv_shape());
  append(model_, first, common);
  KvCache second = first;
  EXPECT_EQ(append(model_, first, one), alone(one));
  EXPECT_EQ(append(model_, second, two), alone(two));
  first.truncate(100);
  EXPECT_EQ(append(model_, first, two), alone(two));
}

TEST_P(Cache, SequencesOfAllAgesShareAPass) {
  std::vector<KvCache> caches(3, KvCache(model_.kv_shape()));
  const std::vector<std::vector<std::int32_t>> before = {random_ids(70, 5), {}, random_ids(3, 6)}, next = {random_ids(1, 7), random_ids(90, 8), random_ids(2, 9)};
  Rows expected;
  for (std::size_t s = 0; s < 3; ++s) {
    if (!before[s].empty()) append(model_, caches[s], before[s]);
    KvCache copy = caches[s];
    const Rows rows = append(model_, copy, next[s]);
    expected.insert(expected.end(), rows.begin(), rows.end());
  }
  Step step;
  for (std::size_t s = 0; s < 3; ++s) {
    const auto first = step.column.size();
    step.add_sequence(next[s]);
    for (std::size_t r = first; r < step.column.size(); ++r) step.column[r] += static_cast<std::int32_t>(caches[s].length());
    step.cache.push_back(&caches[s]);
  }
  EXPECT_EQ(rows_of(model_, step), expected);
}

// Models whose rotations hang on the length: what a row answers hangs on how far its sequence has come, so only the last
// piece's rows are those of the whole.
class GrowingCache : public Cache {};

TEST_P(GrowingCache, TheLastPieceGivesTheBitsOfTheWhole) {
  const auto ids = random_ids(90, 10);
  for (std::size_t piece : {1u, 5u, 64u}) {
    KvCache cache(model_.kv_shape());
    for (std::size_t begin = 0; begin < ids.size(); begin += piece) {
      const std::size_t end = std::min(ids.size(), begin + piece);
      const Rows part = append(model_, cache, std::span(ids).subspan(begin, end - begin));
      Step whole;
      whole.add_sequence(std::span(ids).first(end));
      const Rows expected = rows_of(model_, whole);
      ASSERT_EQ(part, Rows(expected.begin() + static_cast<std::ptrdiff_t>(begin), expected.end())) << "in pieces of " << piece << ", at " << end;
    }
  }
}

TEST_P(GrowingCache, GoesBackToShorterLengths) {
  const auto long_ids = random_ids(40, 11), short_ids = random_ids(3, 12);
  KvCache cache(model_.kv_shape());
  append(model_, cache, long_ids);
  cache.truncate(2);
  auto all = std::vector<std::int32_t>(long_ids.begin(), long_ids.begin() + 2);
  all.insert(all.end(), short_ids.begin(), short_ids.end());
  Step whole;
  whole.add_sequence(all);
  const Rows expected = rows_of(model_, whole);
  EXPECT_EQ(append(model_, cache, short_ids), Rows(expected.begin() + 2, expected.end()));
}

std::string test_name(const ::testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, Source, ::testing::Values("bart-long", "m2m_100-ConditionalGeneration", "marian-MTModel", "t5-ConditionalGeneration"), test_name);
INSTANTIATE_TEST_SUITE_P(Models, Cache, ::testing::Values("awd_lstm-CausalLM", "bart-long", "bloom-Base", "gemma2-CausalLM", "gemma3_text-Base", "gpt2-LMHeadModel",
                                                          "gpt_neo-CausalLM", "gpt_neox-CausalLM", "llama-Base", "m2m_100-ConditionalGeneration",
                                                          "marian-MTModel", "mistral-CausalLM", "mixtral-CausalLM", "opt-CausalLM", "phi3-window",
                                                          "qwen2-CausalLM", "qwen3-Base", "smollm3-window", "t5-ConditionalGeneration"), test_name);
INSTANTIATE_TEST_SUITE_P(Models, GrowingCache, ::testing::Values("gpt_neox-dynamic", "llama-rope-dynamic", "llama-rope-longrope", "phi3-longrope"), test_name);

}  // namespace
}  // namespace polymath
