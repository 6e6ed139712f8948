#include "tasks/text_input.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/printable.h"
#include "polymath/error.h"

namespace polymath {

namespace {

constexpr double kLargeInteger = 1e20;  // what Transformers takes for no limit

// Arguments that ask for outputs no model takes: any pipeline that passes them on fails.
constexpr std::array<const char*, 4> kNoInputs = {"return_overflowing_tokens", "return_special_tokens_mask", "return_offsets_mapping", "return_length"};

// The keyword arguments of a tokenizer's __call__.
constexpr std::array<const char*, 18> kArguments = {
    "add_special_tokens", "padding", "truncation", "max_length", "stride", "is_split_into_words", "pad_to_multiple_of", "padding_side",
    "return_tensors", "return_token_type_ids", "return_attention_mask", "return_overflowing_tokens", "return_special_tokens_mask",
    "return_offsets_mapping", "return_length", "verbose", "split_special_tokens", "batch_size"};

// padding and max_length as the tokenizer takes them; absent: no padding.
std::optional<Padding> padding_of(const Json& arguments, const PretrainedTokenizer& tokenizer, std::optional<std::int64_t> max_length, const std::string& where) {
  const auto padding = arguments.find("padding");
  if (padding == arguments.end() || (padding->is_boolean() && !padding->get<bool>()) || *padding == "do_not_pad") return std::nullopt;
  Padding p = tokenizer.padding();
  if (*padding == "max_length") {
    if (!max_length && tokenizer.model_max_length() > kLargeInteger) return std::nullopt;  // no length to pad to
    const double length = max_length ? static_cast<double>(*max_length) : tokenizer.model_max_length();
    if (length < 0 || length > (1 << 24)) bad_parameter(where + "max_length", "is too large to pad to");
    p.length = static_cast<int>(length);
  } else if (*padding != true && *padding != "longest") {
    bad_parameter(where + "padding", "must be true, false, longest, max_length or do_not_pad, not " + dump_json(*padding));
  }
  if (!tokenizer.pad_id()) bad_parameter(where + "padding", "needs a tokenizer with a pad_token");
  if (const Json* side = parameter(arguments, "padding_side")) {
    if (*side != "left" && *side != "right") bad_parameter(where + "padding_side", "must be left or right, not " + dump_json(*side));
    p.direction = *side == "left" ? Side::kLeft : Side::kRight;
  }
  if (parameter(arguments, "pad_to_multiple_of")) {
    const std::int64_t multiple = int_parameter(arguments, "pad_to_multiple_of", 0);
    if (multiple < 0 || multiple > (1 << 24)) bad_parameter(where + "pad_to_multiple_of", std::to_string(multiple) + " is out of range");
    if (multiple > 0) p.pad_to_multiple_of = static_cast<int>(multiple);
  }
  return p;
}

std::optional<TruncationStrategy> strategy_of(const Json* truncation, bool is_default, const std::string& where) {
  if (!truncation || (truncation->is_boolean() && !truncation->get<bool>())) return is_default ? std::optional(TruncationStrategy::kLongestFirst) : std::nullopt;
  if (*truncation == true || *truncation == "longest_first") return TruncationStrategy::kLongestFirst;
  if (*truncation == "only_first") return TruncationStrategy::kOnlyFirst;
  if (*truncation == "only_second") return TruncationStrategy::kOnlySecond;
  if (*truncation != "do_not_truncate") {
    bad_parameter(where + "truncation", "must be true, false, longest_first, only_first, only_second or do_not_truncate, not " + dump_json(*truncation));
  }
  return std::nullopt;
}

}  // namespace

namespace {

// Whether the class's forward() in Transformers 4.57.6 ends in **kwargs and so takes, and ignores, any input.
bool takes_any_input(const TextModel& model) {
  const std::string type = model.loaded.config().model_type();
  const Head head = model.loaded.head();
  return (type == "mpnet" && head == Head::kBase) || (type == "modernbert" && head != Head::kBase && head != Head::kTokenClassification);
}

}  // namespace

void check_model_takes(const TextModel& model, ModelInputs inputs) {
  const std::string type = model.loaded.config().model_type();
  const bool knows = type != "distilbert" && type != "mpnet" && type != "modernbert" && !model.loaded.model().is_encoder_decoder();
  if (!inputs.token_type_ids || knows || takes_any_input(model)) return;
  throw Error(ErrorCode::kInvalidArgument, "its tokenizer gives token_type_ids, which Transformers' " + type + " does not take", model.folder);
}

TokenizerCall tokenizer_call(const Json& arguments, const TextModel& model, const std::string& where, std::initializer_list<const char*> others) {
  const PretrainedTokenizer& tokenizer = *model.tokenizer;
  for (const auto& [name, value] : arguments.items()) {
    const auto is_name = [&](const char* known) { return name == known; };
    if (tokenizer.is_fast() && name != "num_workers" && std::none_of(kArguments.begin(), kArguments.end(), is_name) &&
        std::none_of(others.begin(), others.end(), is_name)) {
      bad_parameter(where + name, "is not a parameter of this task or its tokenizer");
    }
    if (name == "return_tensors") bad_parameter(where + name, "is set by the task");
    if (std::any_of(kNoInputs.begin(), kNoInputs.end(), is_name) && is_true(value) && !takes_any_input(model)) bad_parameter(where + name, "would give the model an input that it does not take");
    if (name == "is_split_into_words" && is_true(value)) bad_parameter(where + name, "is not known for this task");
  }
  TokenizerCall call;
  call.gives = {.token_type_ids = bool_parameter(arguments, "return_token_type_ids", model_inputs_of(tokenizer).token_type_ids),
                .attention_mask = bool_parameter(arguments, "return_attention_mask", model_inputs_of(tokenizer).attention_mask)};
  check_model_takes(model, call.gives);
  for (const char* name : {"add_special_tokens", "split_special_tokens"}) {
    const auto value = arguments.find(name);
    if (value == arguments.end() || value->is_boolean() || !tokenizer.is_fast()) continue;
    bad_parameter(where + name, std::string("must be true or false, not ") + json_kind(*value));
  }
  call.encode.add_special_tokens = bool_parameter(arguments, "add_special_tokens", true);
  call.encode.split_special_tokens = bool_parameter(arguments, "split_special_tokens", tokenizer.settings().split_special_tokens);

  std::optional<std::int64_t> max_length;
  if (parameter(arguments, "max_length")) max_length = int_parameter(arguments, "max_length", 0);
  const Json* truncation = parameter(arguments, "truncation");
  // max_length alone truncates too (with a warning there), unless padding or truncation are spoken of.
  const auto padding = arguments.find("padding");
  const bool unspoken = !truncation && (padding == arguments.end() || *padding == false);
  const auto strategy = strategy_of(truncation, unspoken && max_length, where);
  call.encode.padding = padding_of(arguments, tokenizer, max_length, where);
  if (!strategy || (!max_length && tokenizer.model_max_length() > kLargeInteger)) return call;  // no limit is set
  const double limit = max_length ? static_cast<double>(*max_length) : tokenizer.model_max_length();
  if (limit < 0) bad_parameter(where + "max_length", "must be at least 0");
  if (call.encode.padding && call.encode.padding->pad_to_multiple_of && std::fmod(limit, *call.encode.padding->pad_to_multiple_of) != 0) {
    bad_parameter(where + "pad_to_multiple_of", "does not divide the length that truncation cuts to");
  }
  if (limit > INT32_MAX) return call;
  call.encode.truncation = Truncation{.max_length = static_cast<int>(limit),
                                      .strategy = *strategy,
                                      .stride = static_cast<int>(std::clamp<std::int64_t>(int_parameter(arguments, "stride", 0), 0, INT32_MAX)),
                                      .direction = tokenizer.settings().truncation_side,
                                      .keeps_overflow = false};
  return call;
}

std::optional<Padding> padding_option(const Json& arguments, const PretrainedTokenizer& tokenizer, std::int64_t max_length) {
  return parameter(arguments, "padding") ? padding_of(arguments, tokenizer, max_length, "") : std::nullopt;
}

std::optional<Truncation> truncation_to_model(const PretrainedTokenizer& tokenizer, TruncationStrategy strategy, int stride) {
  if (tokenizer.model_max_length() > INT32_MAX) return std::nullopt;
  return Truncation{.max_length = static_cast<int>(tokenizer.model_max_length()), .strategy = strategy, .stride = stride,
                    .direction = tokenizer.settings().truncation_side};
}

Encoding encode_truncated(const PretrainedTokenizer& tokenizer, std::string_view text, const EncodeOptions& given) {
  EncodeOptions options = given;
  if (options.truncation) options.truncation->keeps_overflow = false;
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

void check_takes_words(const PretrainedTokenizer& tokenizer, const std::string& folder) {
  if (!tokenizer.is_fast()) throw Error(ErrorCode::kUnsupported, "its tokenizer does not say which token is of which word", folder);
  if (tokenizer.settings().refuses_words) {
    throw Error(ErrorCode::kInvalidArgument, "takes no text in words without add_prefix_space in tokenizer_config.json", folder);
  }
}

std::vector<std::int32_t> first_tokens(const Encoding& encoding, std::size_t words) {
  std::vector<std::int32_t> first(words, -1);
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    const std::int32_t word = encoding.word_ids[i];
    if (word < 0 || static_cast<std::size_t>(word) >= words || first[static_cast<std::size_t>(word)] >= 0) continue;
    first[static_cast<std::size_t>(word)] = static_cast<std::int32_t>(i);
  }
  return first;
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
