// Replays tests/cases/tokenizers: what PyPI `tokenizers` gave for small tokenizers that use every component and option.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "polymath/error.h"
#include "text/tokenizer.h"

namespace polymath {
namespace {

Json as_json(const Encoding& e) {
  Json out = Json::object();
  out["ids"] = e.ids;
  out["type_ids"] = e.type_ids;
  out["tokens"] = e.tokens;
  out["offsets"] = e.offsets;
  auto or_null = [](const std::vector<std::int32_t>& values) {
    Json list = Json::array();
    for (std::int32_t v : values) list.push_back(v < 0 ? Json(nullptr) : Json(v));
    return list;
  };
  out["word_ids"] = or_null(e.word_ids);
  out["sequence_ids"] = or_null(e.sequence_ids);
  out["special_tokens_mask"] = e.special_tokens_mask;
  out["attention_mask"] = e.attention_mask;
  if (!e.overflowing.empty()) {
    for (const Encoding& part : e.overflowing) out["overflowing"].push_back(as_json(part));
  }
  return out;
}

EncodeOptions options_of(const Json& call) {
  EncodeOptions options;
  options.add_special_tokens = call.value("special", true);
  if (call.contains("truncation")) {
    const Json& t = call["truncation"];
    const std::string strategy = t["strategy"];
    options.truncation = Truncation{
        .max_length = t["max_length"],
        .strategy = strategy == "only_first" ? TruncationStrategy::kOnlyFirst : strategy == "only_second" ? TruncationStrategy::kOnlySecond : TruncationStrategy::kLongestFirst,
        .stride = t["stride"],
        .direction = t["direction"] == "left" ? Side::kLeft : Side::kRight};
  }
  if (call.contains("padding")) {
    const Json& p = call["padding"];
    Padding padding;
    if (!p["length"].is_null()) padding.length = p["length"].get<int>();
    if (!p["pad_to_multiple_of"].is_null()) padding.pad_to_multiple_of = p["pad_to_multiple_of"].get<int>();
    padding.direction = p["direction"] == "left" ? Side::kLeft : Side::kRight;
    padding.pad_id = p["pad_id"];
    padding.pad_type_id = p["pad_type_id"];
    padding.pad_token = p["pad_token"];
    options.padding = padding;
  }
  return options;
}

// A text, or words.
struct Input {
  explicit Input(const Json& value) {
    if (value.is_array()) words = value.get<std::vector<std::string>>(), split = true;
    else text = value.get<std::string>();
  }
  TextInput input() const { return split ? TextInput(words) : TextInput(text); }
  std::string text;
  std::vector<std::string> words;
  bool split = false;
};

void check_encode(const Tokenizer& tokenizer, const Json& call) {
  const Input text(call["text"]);
  const bool has_pair = call.contains("pair");
  const Input pair(has_pair ? call["pair"] : Json(""));
  const TextInput second = pair.input();
  const EncodeOptions options = options_of(call);
  if (call.contains("error")) {
    EXPECT_THROW(tokenizer.encode(text.input(), has_pair ? &second : nullptr, options), Error) << call.dump();
    return;
  }
  const Json got = as_json(tokenizer.encode(text.input(), has_pair ? &second : nullptr, options));
  for (auto& [field, value] : call["result"].items()) EXPECT_EQ(got[field], value) << field << " of " << dump_json(call);
  if (has_pair || text.split || call.contains("truncation") || call.contains("padding")) return;
  std::vector<std::int32_t> ids;
  tokenizer.encode_ids(text.text, options.add_special_tokens, ids);
  EXPECT_EQ(Json(ids), got["ids"]) << "encode_ids of " << dump_json(call);
}

class TokenizerCases : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerCases, AreEqual) {
  std::ifstream file(std::string(POLYMATH_SOURCE_DIR) + "/tests/cases/tokenizers/" + GetParam() + ".jsonl");
  ASSERT_TRUE(file);
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    const Json record = Json::parse(line);
    SCOPED_TRACE(dump_json(record["name"]) + " " + dump_json(record["tokenizer"]["normalizer"]) + dump_json(record["tokenizer"]["pre_tokenizer"]).substr(0, 200));
    const Tokenizer tokenizer = Tokenizer::from_json(record["tokenizer"].dump());
    for (const Json& call : record["encode"]) check_encode(tokenizer, call), ++cases;
    for (const Json& call : record["decode"]) {
      EXPECT_EQ(tokenizer.decode(call["ids"].get<std::vector<std::int32_t>>(), call["skip"]), call["text"].get<std::string>()) << call.dump();
      ++cases;
    }
    if (HasFailure()) return;  // one tokenizer's differences are enough to read
  }
  EXPECT_GT(cases, 300);
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerCases, testing::Values("normalizers", "pre_tokenizers", "models", "post_processors", "decoders", "added_tokens"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace polymath
