#include "tasks/text_input.h"

#include <algorithm>

#include "tasks/task.h"

namespace polymath {

EncodeOptions encode_options(const Json& arguments, const PretrainedTokenizer& tokenizer, const std::string& where) {
  EncodeOptions call;
  call.add_special_tokens = bool_parameter(arguments, "add_special_tokens", true);
  const Json* truncation = parameter(arguments, "truncation");
  const Json* max_length = parameter(arguments, "max_length");
  if (!truncation || (truncation->is_boolean() && !truncation->get<bool>())) {
    // max_length alone truncates too (with a warning there), unless truncation is false.
    if (truncation || !max_length) return call;
  }
  Truncation t;
  std::string strategy = "longest_first";
  if (truncation && truncation->is_string()) strategy = truncation->get<std::string>();
  else if (truncation && !truncation->is_boolean()) bad_parameter(where + "truncation", std::string("must be true, false or a strategy, not ") + json_kind(*truncation));
  if (strategy == "do_not_truncate") return call;
  if (strategy == "longest_first") t.strategy = TruncationStrategy::kLongestFirst;
  else if (strategy == "only_first") t.strategy = TruncationStrategy::kOnlyFirst;
  else if (strategy == "only_second") t.strategy = TruncationStrategy::kOnlySecond;
  else bad_parameter(where + "truncation", "\"" + strategy + "\" is not one of longest_first, only_first, only_second, do_not_truncate");
  const double model_limit = tokenizer.model_max_length();
  if (!max_length && model_limit > INT32_MAX) return call;  // no limit is set
  const std::int64_t limit = int_parameter(arguments, "max_length", static_cast<std::int64_t>(std::min(model_limit, 1e9)));
  if (limit > INT32_MAX) return call;
  if (limit < 0) bad_parameter(where + "max_length", "must be at least 0");
  t.max_length = static_cast<int>(limit);
  t.stride = static_cast<int>(std::clamp<std::int64_t>(int_parameter(arguments, "stride", 0), 0, INT32_MAX));
  t.direction = tokenizer.settings().truncation_side;
  call.truncation = t;
  return call;
}

std::optional<Truncation> truncation_to_model(const PretrainedTokenizer& tokenizer, TruncationStrategy strategy, int stride) {
  if (tokenizer.model_max_length() > INT32_MAX) return std::nullopt;
  return Truncation{.max_length = static_cast<int>(tokenizer.model_max_length()), .strategy = strategy, .stride = stride,
                    .direction = tokenizer.settings().truncation_side};
}

std::vector<const Json*> items_of(const Json& inputs) {
  std::vector<const Json*> items;
  if (inputs.is_array()) {
    for (const Json& item : inputs) items.push_back(&item);
  } else {
    items.push_back(&inputs);
  }
  return items;
}

const std::string& text_of(const Json& input) {
  if (!input.is_string()) bad_input(std::string("a text must be a string, not ") + json_kind(input));
  return input.get_ref<const std::string&>();
}

}  // namespace polymath
