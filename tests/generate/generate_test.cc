// Generation beyond what the recorded pipelines show: a real model's text, strangers in one batch, seeds, cancelling.
#include <gtest/gtest.h>

#include <cmath>

#include "base/threads.h"
#include "generate/generate.h"
#include "generate/processors.h"

namespace polymath {
namespace {

const std::string kStories = std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/stories260k";

class Stories : public ::testing::Test {
 protected:
  LoadedModel loaded_ = LoadedModel::load(kStories, LoadType::kAuto);
  PretrainedTokenizer tokenizer_ = PretrainedTokenizer::load(kStories);

  static GenerationConfig config(const Json& parameters) {
    Json fields = global_generation_defaults();
    fields["eos_token_id"] = 2;
    fields.update(parameters);
    return GenerationConfig::parse(fields, "parameters: ");
  }
  Prompt prompt(const std::string& text) const { return {tokenizer_.encode(text).ids, {}}; }
  std::vector<Prompt> prompts() const {
    return {prompt("Once upon a time"), prompt("Lily had"), prompt("The dog ran to the park because he wanted to see his friend. Then"), prompt("A"),
            prompt("One day, a boy named Tim")};
  }
  std::vector<Sequences> run(const std::vector<Prompt>& all, const Json& parameters, std::uint64_t seed = 7) const {
    return generate(loaded_.model(), all, config(parameters), {.tokenizer = &tokenizer_, .max_positions = 512, .seed = seed});
  }
};

TEST_F(Stories, GreedyTextIsTheRecordedOne) {
  const Json gold = read_json_file(kStories + "/expected_greedy.json");
  auto expected = gold["prompt_ids"].get<std::vector<std::int32_t>>();
  const Prompt start{expected, {}};
  const auto written = gold["greedy_ids"].get<std::vector<std::int32_t>>();
  expected.insert(expected.end(), written.begin(), written.end());
  EXPECT_EQ(run({start}, {{"max_new_tokens", written.size()}})[0][0], expected);
  EXPECT_TRUE(tokenizer_.decode(expected, true).starts_with(gold["text"].get<std::string>().substr(0, 300)));
}

// What a prompt gives does not depend on which others are written at the same time, how many threads there are, or when it came.
TEST_F(Stories, StrangersInOneBatchDoNotMeet) {
  for (const Json& parameters : {Json{{"max_new_tokens", 24}, {"do_sample", true}, {"temperature", 1.2}}, Json{{"max_new_tokens", 20}, {"num_beams", 3}}}) {
    const auto together = run(prompts(), parameters);
    const GenerationConfig c = config(parameters);
    for (int threads : {1, 3}) {
      ThreadPool::set_global_threads(threads);
      std::vector<std::vector<std::unique_ptr<Decoding>>> alone;
      std::vector<Decoding*> running;
      for (std::size_t i = 0; i < prompts().size(); ++i) {  // each enters three steps after the one before
        alone.push_back(start_decoding(loaded_.model(), prompts()[i], i, c, {.tokenizer = &tokenizer_, .max_positions = 512, .seed = 7}));
        running.push_back(alone.back()[0].get());
        for (int step = 0; step < 3; ++step) {
          std::erase_if(running, [](Decoding* d) { return d->finished(); });
          if (!running.empty()) advance_all(loaded_.model(), running);
        }
      }
      while (std::erase_if(running, [](Decoding* d) { return d->finished(); }), !running.empty()) advance_all(loaded_.model(), running);
      for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_EQ(alone[i][0]->sequences(), together[i]) << "prompt " << i << ", " << threads << " threads";
    }
    ThreadPool::set_global_threads(physical_cores());
  }
}

TEST_F(Stories, SeedsDecideWhatIsSampled) {
  const Json parameters = {{"max_new_tokens", 30}, {"do_sample", true}, {"num_return_sequences", 3}};
  const auto once = run({prompts()[0]}, parameters), again = run({prompts()[0]}, parameters), other = run({prompts()[0]}, parameters, 8);
  EXPECT_EQ(once, again);
  EXPECT_NE(once, other);
  EXPECT_NE(once[0][0], once[0][1]);
  EXPECT_NE(once[0][1], once[0][2]);
}

// Frequencies of sampled tokens are those of the model's distribution.
TEST_F(Stories, SamplingFollowsTheDistribution) {
  std::vector<int> counts(512);
  const auto sampled = run({prompts()[1]}, {{"max_new_tokens", 1}, {"do_sample", true}, {"top_k", 0}, {"num_return_sequences", 1000}});
  for (const auto& written : sampled[0]) ++counts[static_cast<std::size_t>(written.back())];
  KvCache cache(loaded_.model().kv_shape());
  const auto ids = prompts()[1].ids;
  const Feed feed{.cache = &cache, .ids = ids};
  const Tensor logits = next_logits(loaded_.model(), {&feed, 1});
  std::vector<float> scores(logits.row(0), logits.row(0) + logits.dim(1));
  log_softmax(scores);
  double distance = 0;  // chi-square over tokens that are expected ten times or more
  int tokens = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double expected = 1000 * std::exp(static_cast<double>(scores[i]));
    if (expected < 10) continue;
    distance += (counts[i] - expected) * (counts[i] - expected) / expected;
    ++tokens;
  }
  EXPECT_GE(tokens, 2);
  EXPECT_LT(distance, 4.0 * tokens + 10);
}

TEST_F(Stories, StopStringsEndAText) {
  const std::string all = tokenizer_.decode(run({prompts()[0]}, {{"max_new_tokens", 60}})[0][0], true);
  ASSERT_NE(all.find("Lily"), std::string::npos) << all;
  const std::string cut = tokenizer_.decode(run({prompts()[0]}, {{"max_new_tokens", 60}, {"stop_strings", {"ily", "never"}}})[0][0], true);
  EXPECT_TRUE(cut.ends_with("Lily") || cut.ends_with("Lily.")) << cut;
  EXPECT_EQ(all.substr(0, cut.size()), cut);
}

TEST_F(Stories, GuidanceMovesAwayFromTheUnguidedText) {
  const auto plain = run({prompts()[0]}, {{"max_new_tokens", 20}}), guided = run({prompts()[0]}, {{"max_new_tokens", 20}, {"guidance_scale", 9.5}});
  EXPECT_NE(plain, guided);
  EXPECT_EQ(plain, run({prompts()[0]}, {{"max_new_tokens", 20}, {"guidance_scale", 1.0}}));
}

TEST_F(Stories, ImpossibleRequestsNameTheParameter) {
  const auto where = [&](const Json& parameters) -> std::string {
    try {
      run({prompts()[0]}, parameters);
    } catch (const Error& e) {
      return e.where;
    }
    return "";
  };
  EXPECT_EQ(where({{"max_length", 3}}), "max_length");
  EXPECT_EQ(where({{"num_beams", 5000}}), "parameters: num_beams");
  EXPECT_EQ(where({{"bad_words_ids", {{512}}}}), "bad_words_ids");
  EXPECT_EQ(where({{"max_new_tokens", 4}, {"forced_eos_token_id", 9999}}), "forced_eos_token_id");
}

}  // namespace
}  // namespace polymath
