// What pipelines pass on to the tokenizer, and how they read their inputs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "tasks/run_batch.h"
#include "tasks/task.h"

namespace polymath {

// A tokenizer call: how it encodes, and what of that the model gets.
struct TokenizerCall {
  EncodeOptions encode;
  ModelInputs gives;
};

// From a tokenizer's keyword arguments, in Transformers' way; `where` names the object in errors. Names that a tokenizer
// does not take are refused, but for those in `others`.
TokenizerCall tokenizer_call(const Json& arguments, const TextModel& model, const std::string& where, std::initializer_list<const char*> others = {});

// Throws Error where the model's forward() has no such input.
void check_model_takes(const TextModel& model, ModelInputs inputs);

// The padding among the arguments, where "max_length" means `max_length`; absent or null: none.
std::optional<Padding> padding_option(const Json& arguments, const PretrainedTokenizer& tokenizer, std::int64_t max_length);

// Truncation to the tokenizer's model_max_length, where it has one.
std::optional<Truncation> truncation_to_model(const PretrainedTokenizer& tokenizer, TruncationStrategy strategy, int stride = 0);

// encode(text, options), for calls that truncate on the right and want nothing of what is cut off: only the beginning of
// a huge text is tokenized.
Encoding encode_truncated(const PretrainedTokenizer& tokenizer, std::string_view text, const EncodeOptions& options);

// Throws Error naming the folder where its tokenizer takes no text in words, or does not say which token is of which word.
void check_takes_words(const PretrainedTokenizer& tokenizer, const std::string& folder);

// The first token of each word of a text in words: it answers for the word. -1: none, or it was cut off.
std::vector<std::int32_t> first_tokens(const Encoding& encoding, std::size_t words);

// A list's items, or the value itself as the one item.
std::vector<const Json*> items_of(const Json& inputs);

// The text of an input; throws Error where it is not a string.
const std::string& text_of(const Json& input);

}  // namespace polymath
