// What pipelines pass on to the tokenizer, and how they read their inputs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/pretrained_tokenizer.h"

namespace polymath {

// A tokenizer call's keyword arguments, as far as one input without padding can tell them apart.
// From truncation (true, false or a strategy's name), max_length, stride, add_special_tokens; `where` names the
// object in errors. max_length defaults to the tokenizer's model_max_length; padding "max_length" is done. Names that a
// tokenizer does not take are refused, but for those in `others`.
EncodeOptions encode_options(const Json& arguments, const PretrainedTokenizer& tokenizer, const std::string& where,
                             std::initializer_list<const char*> others = {});

// A padding argument: absent or false for none, true or "longest", or "max_length" to `max_length`.
std::optional<Padding> padding_option(const Json* padding, const PretrainedTokenizer& tokenizer, std::int64_t max_length);

// Truncation to the tokenizer's model_max_length, where it has one.
std::optional<Truncation> truncation_to_model(const PretrainedTokenizer& tokenizer, TruncationStrategy strategy, int stride = 0);

// encode(text, options), for calls that truncate on the right and want nothing of what is cut off: only the beginning of
// a huge text is tokenized.
Encoding encode_truncated(const PretrainedTokenizer& tokenizer, std::string_view text, const EncodeOptions& options);

// A list's items, or the value itself as the one item.
std::vector<const Json*> items_of(const Json& inputs);

// The text of an input; throws Error where it is not a string.
const std::string& text_of(const Json& input);

}  // namespace polymath
