// `polymath perplexity` against torch's figures for a trained model (recipes/record_perplexity.py).
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "support/program.h"

namespace polymath {
namespace {

const std::string kFolder = std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/stories260k";

TEST(Perplexity, EqualsTorch) {
  const Json recorded = read_json_file(kFolder + "/perplexity.json");
  ASSERT_EQ(recorded["cases"].size(), 5u);
  for (const Json& expected : recorded["cases"]) {
    const auto got = test::run_program({"perplexity", kFolder, "-", "--json", "--length", expected["length"].dump(), "--stride", expected["stride"].dump()},
                                       recorded["text"].get<std::string>());
    ASSERT_EQ(got.exit_code, 0) << got.err;
    const Json answer = parse_json(got.out, "answer");
    const auto value = expected["perplexity"].get<double>();
    EXPECT_NEAR(answer["perplexity"].get<double>(), value, 1e-5 * value) << expected.dump();
    EXPECT_EQ(answer["tokens"], expected["tokens"]);
    EXPECT_EQ(answer["windows"], expected["windows"]);
  }
}

TEST(TokenLogProbabilities, EqualTorch) {
  const Json written = read_json_file(kFolder + "/perplexity.json")["written"];
  const Json body = {{"inputs", written["prompt"]}, {"parameters", {{"max_new_tokens", 12}, {"do_sample", false}, {"token_log_probabilities", true}}}};
  const auto got = test::run_program({"run", "text-generation", "--model", kFolder, "--json", "-"}, body.dump());
  ASSERT_EQ(got.exit_code, 0) << got.err;
  const Json tokens = parse_json(got.out, "answer")[0]["tokens"];
  ASSERT_EQ(tokens.size(), 12u);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(tokens[i]["id"], written["tokens"][i]["id"]);
    EXPECT_EQ(tokens[i]["token"], written["tokens"][i]["token"]);
    EXPECT_NEAR(tokens[i]["log_probability"].get<double>(), written["tokens"][i]["log_probability"].get<double>(), 1e-4);
  }
  const auto refused = test::run_program({"run", "text-generation", "--model", kFolder, "x", "--token_log_probabilities", "true", "--num_beams", "2"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("token_log_probabilities: goes with one beam"), std::string::npos) << refused.err;
}

TEST(Perplexity, SmallerWeightsAreNearlyAsGood) {
  const Json recorded = read_json_file(kFolder + "/perplexity.json");
  const auto value = recorded["cases"][0]["perplexity"].get<double>();
  for (const auto& [dtype, most] : {std::pair("bf16", 0.02), {"q8", 0.02}, {"q4", 0.4}}) {
    const auto got = test::run_program({"perplexity", kFolder, "-", "--json", "--dtype", dtype}, recorded["text"].get<std::string>());
    EXPECT_NEAR(parse_json(got.out, "answer")["perplexity"].get<double>(), value, most * value) << dtype;
  }
}

TEST(Perplexity, RefusesWhatItCannotMeasure) {
  const auto refusal = [](std::vector<std::string> arguments, const std::string& text) { return test::run_program(std::move(arguments), text).err; };
  EXPECT_NE(refusal({"perplexity", kFolder, "-"}, "").find("less than two tokens"), std::string::npos);
  EXPECT_NE(refusal({"perplexity", kFolder, "-"}, "\xff\xfe").find("UTF-8"), std::string::npos);
  EXPECT_NE(refusal({"perplexity", kFolder, "-", "--length", "513"}, "a text").find("512 positions"), std::string::npos);
  EXPECT_NE(refusal({"perplexity", kFolder, "-", "--length", "8", "--stride", "8"}, "a text").find("stride"), std::string::npos);
  EXPECT_NE(refusal({"perplexity", kFolder, "/no/such/file"}, "").find("/no/such/file"), std::string::npos);
  const std::string bert = std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/pipelines/ner-bert-cased";
  EXPECT_NE(refusal({"perplexity", bert, "-"}, "a text").find("token by token"), std::string::npos);
}

}  // namespace
}  // namespace polymath
