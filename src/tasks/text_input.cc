#include "tasks/text_input.h"

#include <algorithm>
#include <array>

#include "tasks/task.h"

namespace polymath {

namespace {

// The keyword arguments of a tokenizer's __call__.
constexpr std::array<const char*, 18> kArguments = {
    "add_special_tokens", "padding", "truncation", "max_length", "stride", "is_split_into_words", "pad_to_multiple_of", "padding_side",
    "return_tensors", "return_token_type_ids", "return_attention_mask", "return_overflowing_tokens", "return_special_tokens_mask",
    "return_offsets_mapping", "return_length", "verbose", "split_special_tokens", "batch_size"};

}  // namespace

std::optional<Padding> padding_option(const Json* padding, const PretrainedTokenizer& tokenizer, std::int64_t max_length) {
  if (!padding || (padding->is_boolean() && !padding->get<bool>()) || *padding == "do_not_pad") return std::nullopt;
  Padding p = tokenizer.padding();
  if (padding->is_boolean() || *padding == "longest") return p;
  if (*padding != "max_length") bad_parameter("padding", "must be true, false, longest, max_length or do_not_pad, not " + dump_json(*padding));
  if (max_length > (1 << 24)) return std::nullopt;  // no length to pad to
  p.length = static_cast<int>(max_length);
  return p;
}

EncodeOptions encode_options(const Json& arguments, const PretrainedTokenizer& tokenizer, const std::string& where,
                             std::initializer_list<const char*> others) {
  for (const auto& [name, unused] : arguments.items()) {
    const auto is_name = [&](const char* known) { return name == known; };
    if (tokenizer.is_fast() && name != "num_workers" && std::none_of(kArguments.begin(), kArguments.end(), is_name) &&
        std::none_of(others.begin(), others.end(), is_name)) {
      bad_parameter(where + name, "is not a parameter of this task or its tokenizer");
    }
  }
  EncodeOptions call;
  call.padding = padding_option(parameter(arguments, "padding"), tokenizer,
                                int_parameter(arguments, "max_length", static_cast<std::int64_t>(std::min(tokenizer.model_max_length(), 1e15))));
  call.add_special_tokens = bool_parameter(arguments, "add_special_tokens", true);
  const Json* truncation = parameter(arguments, "truncation");
  const Json* max_length = parameter(arguments, "max_length");
  if (!truncation || (truncation->is_boolean() && !truncation->get<bool>())) {
    // max_length alone truncates too (with a warning there), unless truncation is false or padding asked for.
    if (truncation || !max_length || call.padding) return call;
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

Encoding encode_truncated(const PretrainedTokenizer& tokenizer, std::string_view text, const EncodeOptions& options) {
  // Tokens do not depend on text a megabyte further on; twice the tokens wanted leave room for what a cut may change.
  constexpr std::size_t kBeginning = std::size_t{1} << 20;
  if (options.truncation && options.truncation->direction == Side::kRight && text.size() > 2 * kBeginning) {
    std::size_t cut = text.rfind(' ', kBeginning);
    if (cut != std::string_view::npos && cut > 0) {
      EncodeOptions whole = options;
      whole.truncation.reset();
      whole.padding.reset();
      const std::string_view beginning = text.substr(0, cut);
      if (tokenizer.encode(beginning, whole).size() > 2 * static_cast<std::size_t>(std::max(options.truncation->max_length, 1)) + 64) {
        return tokenizer.encode(beginning, options);
      }
    }
  }
  return tokenizer.encode(text, options);
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
