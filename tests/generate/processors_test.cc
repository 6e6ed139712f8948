// Scores through the logits processors, equal to what Transformers 4.57.6 makes of them (tests/golden/generation/processors.jsonl).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "generate/processors.h"

namespace polymath {
namespace {

std::vector<float> scores_of(const Json& values) {
  std::vector<float> scores;
  for (const Json& value : values) {
    if (value.is_number()) scores.push_back(value.get<float>());
    else if (value == "nan") scores.push_back(std::numeric_limits<float>::quiet_NaN());
    else scores.push_back(value == "inf" ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity());
  }
  return scores;
}

TEST(Processors, EqualTransformers) {
  std::ifstream file(std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/generation/processors.jsonl");
  int cases = 0, changed = 0;
  for (std::string line; std::getline(file, line); ++cases) {
    const Json recorded = parse_json(line, "processors.jsonl");
    const auto ids = recorded["ids"].get<std::vector<std::int32_t>>();
    std::vector<float> scores = scores_of(recorded["scores"]);
    const std::vector<float> before = scores, expected = scores_of(recorded["result"]);
    Json fields = global_generation_defaults();
    fields.update(recorded["parameters"]);
    const GenerationConfig config = GenerationConfig::parse(fields, "parameters: ");
    const auto processors = logits_processors(config, {.prompt_length = recorded["prompt"].get<std::int64_t>(),
                                                       .max_length = config.max_length,
                                                       .min_length = recorded["min_length"].get<std::int64_t>(),
                                                       .vocabulary = scores.size(),
                                                       .encoder_ids = recorded["source"].get<std::vector<std::int32_t>>()});
    apply(processors, ids, scores);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const bool same = scores[i] == expected[i] || std::fabs(scores[i] - expected[i]) <= 2e-6f * std::max(1.0f, std::fabs(expected[i]));
      EXPECT_TRUE(same) << recorded["parameters"].dump() << " token " << i << ": " << scores[i] << " instead of " << expected[i];
    }
    changed += before != expected;
  }
  EXPECT_EQ(cases, 100);
  EXPECT_GT(changed, 70);
}

}  // namespace
}  // namespace polymath
