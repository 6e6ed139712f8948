// Guessing ahead writes the text of plain decoding, bit for bit, whatever is guessed.
#include <gtest/gtest.h>

#include <algorithm>

#include "generate/generate.h"
#include "generate/prefix_cache.h"
#include "generate/stream.h"

namespace polymath {
namespace {

class Guesses : public ::testing::Test {
 protected:
  const std::string folder_ = std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/stories260k";
  LoadedModel loaded_ = LoadedModel::load(folder_, LoadType::kAuto);
  PretrainedTokenizer tokenizer_ = PretrainedTokenizer::load(folder_);
  Prompt prompt_{tokenizer_.encode("Once upon a time").ids, {}};

  static GenerationConfig config(const Json& parameters) {
    Json fields = global_generation_defaults();
    fields["eos_token_id"] = 2;
    fields["max_new_tokens"] = 80;
    fields.update(parameters);
    return GenerationConfig::parse(fields, "parameters: ");
  }
  Sequences run(const GenerationConfig& c, const GenerateOptions& options) const { return generate(loaded_.model(), {&prompt_, 1}, c, options)[0]; }
};

TEST_F(Guesses, PromptLookupWritesTheSameText) {
  for (const Json& parameters : {Json::object(), Json{{"do_sample", true}, {"temperature", 1.5}}, Json{{"repetition_penalty", 1.3}, {"no_repeat_ngram_size", 4}},
                                 Json{{"min_new_tokens", 70}}}) {
    const Sequences plain = run(config(parameters), {.seed = 3});
    for (int most : {1, 3, 40}) {
      Json guessed = parameters;
      guessed["prompt_lookup_num_tokens"] = most;
      EXPECT_EQ(run(config(guessed), {.seed = 3}), plain) << most;
      EXPECT_EQ(run(config(guessed), {.seed = 3, .lookup = plain[0]}), plain) << most << ", beside";
    }
  }
}

TEST_F(Guesses, ADraftModelWritesTheSameText) {
  const LoadedModel q8 = LoadedModel::load(folder_, LoadType::kQ8);  // nearly the same opinions
  for (const Json& parameters : {Json::object(), Json{{"do_sample", true}, {"num_return_sequences", 2}}}) {
    const Sequences plain = run(config(parameters), {.seed = 5});
    for (std::size_t most : {1u, 4u, 100u}) EXPECT_EQ(run(config(parameters), {.seed = 5, .draft = &q8.model(), .draft_tokens = most}), plain);
  }
}

TEST_F(Guesses, RightOnesSavePasses) {
  GenerationConfig c = config({{"prompt_lookup_num_tokens", 8}});
  const Sequences plain = run(config(Json::object()), {});
  auto decodings = start_decoding(loaded_.model(), prompt_, 0, c, {.lookup = plain[0]});
  Decoding* const one[] = {decodings[0].get()};
  int passes = 0;
  for (; !one[0]->finished(); ++passes) advance_all(loaded_.model(), one);
  const auto& stream = dynamic_cast<const Stream&>(*one[0]);
  EXPECT_EQ(Sequences{stream.ids()}, plain);
  EXPECT_LT(passes, 25);  // for 80 tokens
  EXPECT_GT(stream.accepted(), 50u);
  EXPECT_EQ(stream.cache().length(), static_cast<std::int64_t>(stream.ids().size()) - 1);
}

TEST_F(Guesses, LookupTakesTheLongestRunAndItsLatestPlace) {
  const std::vector<std::int32_t> text = {1, 2, 3, 9, 2, 3, 4, 5, 2, 3};
  EXPECT_EQ(PromptLookup(2, {}).propose(text, 2), (std::vector<std::int32_t>{4, 5}));
  EXPECT_EQ(PromptLookup(3, {}).propose(text, 1), (std::vector<std::int32_t>{4}));
  EXPECT_EQ(PromptLookup(2, {}).propose(std::vector<std::int32_t>{1, 2, 3}, 4), std::vector<std::int32_t>());
  EXPECT_EQ(PromptLookup(2, {}).propose(text, 0), std::vector<std::int32_t>());
}

TEST_F(Guesses, BeginningsAreSharedBetweenSessions) {
  const Model& model = loaded_.model();
  PrefixCache prefixes(model.kv_shape(), std::size_t{1} << 24);
  const std::vector<std::int32_t> ids(prompt_.ids);
  KvCache cache(model.kv_shape());
  const Feed feed{.cache = &cache, .ids = ids};
  const Tensor expected = next_logits(model, {&feed, 1});
  EXPECT_EQ(prefixes.find(ids).length(), 0);
  prefixes.keep(ids, cache);
  KvCache found = prefixes.find(ids);
  ASSERT_EQ(found.length(), static_cast<std::int64_t>(ids.size()) - 1);  // the last token has to be read for its logits
  const Feed rest{.cache = &found, .ids = std::span(ids).last(1)};
  const Tensor got = next_logits(model, {&rest, 1});
  EXPECT_TRUE(std::equal(expected.values().begin(), expected.values().end(), got.values().begin()));
  std::vector<std::int32_t> other = ids;
  other[2] = 77;
  EXPECT_EQ(prefixes.find(other).length(), 2);
  PrefixCache tiny(model.kv_shape(), 1);
  tiny.keep(ids, cache);
  EXPECT_EQ(tiny.entries(), 0u);
}

}  // namespace
}  // namespace polymath
