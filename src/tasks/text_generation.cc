// text-generation: a decoder goes on with a text, or answers in a chat.
#include <mutex>
#include <optional>

#include "base/utf8.h"
#include "polymath/error.h"
#include "tasks/generation.h"
#include "tasks/text_input.h"
#include "text/chat_template.h"

namespace polymath {
namespace {

enum class ReturnType { kTensors, kNewText, kFullText };

class TextGeneration final : public Task {
 public:
  explicit TextGeneration(std::shared_ptr<const TextModel> model)
      : model_(std::move(model)),
        generation_(model_, {{"max_new_tokens", 256}, {"do_sample", true}, {"temperature", 0.7}}, "text-generation") {}

  Json run(const Json& inputs, const Json& parameters) const override {
    if (inputs.is_array() && inputs.empty()) bad_input("must not be an empty list");
    const bool one_chat = inputs.is_array() && inputs[0].is_object();
    std::vector<const Json*> items = one_chat ? std::vector<const Json*>{&inputs} : items_of(inputs);
    Json call = generation_parameters(parameters);
    const ReturnType type = return_type(parameters);
    add_prefix(parameters, call);

    std::vector<Prompt> prompts;
    std::vector<std::vector<std::int32_t>> starts;  // what Transformers takes for the prompt's part of the result
    for (const Json* item : items) {
      Prompt prompt = prompt_of(*item, parameters, call);
      starts.push_back(prompt.ids);
      if (prompt.ids.empty()) prompt = begin_alone(call);
      prompts.push_back(std::move(prompt));
    }
    if (!one_chat) pad_prompts(prompts, *model_->tokenizer, batch_size_of(inputs, parameters));
    for (std::size_t i = 0; i < starts.size(); ++i) {
      if (!starts[i].empty()) starts[i] = prompts[i].ids;
    }
    std::vector<std::vector<std::vector<float>>> log_probabilities;
    const bool with_tokens = bool_parameter(parameters, "token_log_probabilities", false);
    const auto all = generation_(prompts, call, with_tokens ? &log_probabilities : nullptr);
    Json results = Json::array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      Json records = Json::array();
      for (std::size_t s = 0; s < all[i].size(); ++s) {
        records.push_back(record(*items[i], starts[i], all[i][s], type, parameters));
        if (with_tokens) records.back()["tokens"] = tokens_written(all[i][s], log_probabilities[i][s]);
      }
      results.push_back(std::move(records));
    }
    return one_chat || !inputs.is_array() ? results[0] : results;
  }

 private:
  static Json generation_parameters(const Json& parameters) {
    Json call = Generation::generation_parameters(
        parameters, {"return_full_text", "return_tensors", "return_text", "return_type", "clean_up_tokenization_spaces", "prefix", "handle_long_generation",
                     "stop_sequence", "truncation", "continue_final_message", "skip_special_tokens", "tokenizer_encode_kwargs", "add_special_tokens", "padding", "token_log_probabilities"});
    if (call.contains("max_length") && call["max_length"].is_null()) call.erase("max_length");
    return call;
  }

  static ReturnType return_type(const Json& parameters) {
    const Json* full = parameter(parameters, "return_full_text");
    const Json* text = parameter(parameters, "return_text");
    const Json* tensors = parameter(parameters, "return_tensors");
    if (parameter(parameters, "return_type")) bad_parameter("return_type", "has no form in JSON; use return_full_text or return_tensors");
    if (full && text) bad_parameter("return_text", "is mutually exclusive with return_full_text");
    if (full && tensors) bad_parameter("return_tensors", "is mutually exclusive with return_full_text");
    if (tensors && text) bad_parameter("return_text", "is mutually exclusive with return_tensors");
    if (tensors) return ReturnType::kTensors;
    return !full || is_true(*full) ? ReturnType::kFullText : ReturnType::kNewText;
  }

  std::string prefix_of(const Json& parameters) const { return string_parameter(parameters, "prefix", generation_.prefix()); }

  // The prefix's tokens do not count in max_length and min_length.
  void add_prefix(const Json& parameters, Json& call) const {
    if (parameter(parameters, "stop_sequence")) call["eos_token_id"] = stop_sequence_ids(*model_->tokenizer, parameters);
    const std::string prefix = prefix_of(parameters);
    if (prefix.empty()) return;
    const bool special = bool_parameter(parameters, "add_special_tokens", false);
    const auto length = static_cast<std::int64_t>(model_->tokenizer->encode(prefix, EncodeOptions{.add_special_tokens = special}).size());
    const auto add = [&](const char* name, const Json& value) {
      if (value.is_number_integer()) call[name] = value.get<std::int64_t>() + length;
    };
    if (!call.contains("max_new_tokens")) add("max_length", call.contains("max_length") ? call["max_length"] : generation_.fields()["max_length"]);
    if (!call.contains("min_new_tokens") && call.contains("min_length")) add("min_length", call["min_length"]);
  }

  // The tokenizer's arguments among the parameters.
  static Json tokenizer_arguments(const Json& parameters, bool is_chat) {
    Json arguments = Json::object();
    for (const char* name : {"add_special_tokens", "truncation", "padding", "max_length"}) {
      if (is_chat && std::string_view(name) == "add_special_tokens") continue;
      if (const Json* value = parameter(parameters, name)) arguments[name] = *value;
    }
    if (const Json* more = parameter(parameters, "tokenizer_encode_kwargs")) {
      if (!more->is_object()) bad_parameter("tokenizer_encode_kwargs", std::string("must be an object, not ") + json_kind(*more));
      for (const auto& [name, value] : more->items()) {
        if (!is_chat || name != "add_special_tokens") arguments[name] = value;
      }
    }
    return arguments;
  }

  Prompt prompt_of(const Json& item, const Json& parameters, const Json& call) const {
    const bool is_chat = item.is_array();
    Json arguments = tokenizer_arguments(parameters, is_chat);
    const std::string text = is_chat ? rendered(item, parameters, arguments) : prefix_of(parameters) + text_of(item);
    EncodeOptions options = tokenizer_call(arguments, *model_, "").encode;
    if (is_chat) options.add_special_tokens = false;
    Encoding encoding = encode_truncated(*model_->tokenizer, text, options);
    Prompt prompt{std::move(encoding.ids), std::move(encoding.attention_mask)};
    const std::string handling = string_parameter(parameters, "handle_long_generation", "");
    if (handling == "hole") cut_hole(prompt, call);
    else if (!handling.empty()) bad_parameter("handle_long_generation", "must be hole or nothing, not " + handling);
    return prompt;
  }

  // A chat as its template writes it. What is left of `arguments` is for the tokenizer.
  std::string rendered(const Json& messages, const Json& parameters, Json& arguments) const {
    for (const Json& message : messages) {
      const bool whole = message.is_object() && message.contains("role") && message.contains("content");
      if (!whole) bad_input("a message of a chat must be an object with role and content");
    }
    const auto take = [&](const char* name) {
      const auto found = arguments.find(name);
      if (found == arguments.end()) return Json(nullptr);
      Json value = std::move(*found);
      arguments.erase(found);
      return value;
    };
    ChatOptions options;
    options.continue_final_message = continues(messages, parameters);
    options.add_generation_prompt = !options.continue_final_message;
    const Json tools = take("tools"), documents = take("documents"), named = take("chat_template"), kwargs = take("tokenizer_kwargs");
    if (named.is_string()) options.chat_template = named.get<std::string>();
    Json variables = Json::object(), rest = Json::object();
    for (const auto& [name, value] : arguments.items()) {
      const bool for_tokenizer = name == "truncation" || name == "padding" || name == "max_length";
      (for_tokenizer ? rest : variables)[name] = value;
    }
    if (kwargs.is_object()) rest.update(kwargs);
    arguments = std::move(rest);
    return chat_template().render(messages, tools, documents, variables, options);
  }

  // Read when the first chat comes; a folder without one serves texts.
  const ChatTemplate& chat_template() const {
    std::call_once(template_read_, [&] { template_ = ChatTemplate::load(model_->base_folder); });
    return *template_;
  }

  static bool continues(const Json& messages, const Json& parameters) {
    return bool_parameter(parameters, "continue_final_message", messages.back()["role"] == "assistant");
  }

  // Leaves room for the new tokens within the model's length by cutting the prompt on the left.
  void cut_hole(Prompt& prompt, const Json& call) const {
    const auto length = static_cast<std::int64_t>(prompt.ids.size());
    std::int64_t room = int_parameter(call, "max_new_tokens", -1);
    if (room < 0) room = int_parameter(call, "max_length", int_parameter(generation_.fields(), "max_length", 20)) - length;
    if (room < 0) bad_parameter("handle_long_generation", "we cannot infer how many new tokens are expected");
    const double limit = model_->tokenizer->model_max_length();
    if (static_cast<double>(length + room) <= limit) return;
    const auto keep = static_cast<std::int64_t>(limit) - room;
    if (keep <= 0) bad_parameter("handle_long_generation", "the number of desired tokens exceeds the model's max length");
    if (keep >= length) return;
    prompt.ids.erase(prompt.ids.begin(), prompt.ids.end() - keep);
    if (!prompt.mask.empty()) prompt.mask.erase(prompt.mask.begin(), prompt.mask.end() - keep);
  }

  // Where the prompt is empty: the token that begins a text.
  Prompt begin_alone(const Json& call) const {
    const Json fields = generation_.fields();
    const Json& begin = parameter(call, "bos_token_id") ? call["bos_token_id"] : fields["bos_token_id"];
    if (!begin.is_number_integer()) bad_input("gives no tokens, and the model has no bos_token_id to begin with");
    return {.ids = {begin.get<std::int32_t>()}};
  }

  // The last ids with the model's log-probability of each: our own, behind a flag.
  Json tokens_written(const std::vector<std::int32_t>& ids, const std::vector<float>& log_probabilities) const {
    Json tokens = Json::array();
    const auto written = std::span(ids).last(log_probabilities.size());
    for (std::size_t i = 0; i < written.size(); ++i) {
      tokens.push_back({{"id", written[i]}, {"token", model_->tokenizer->id_to_token(written[i]).value_or("")}, {"log_probability", log_probabilities[i]}});
    }
    return tokens;
  }

  Json record(const Json& prompt, const std::vector<std::int32_t>& start, const std::vector<std::int32_t>& ids, ReturnType type, const Json& parameters) const {
    if (type == ReturnType::kTensors) return {{"generated_token_ids", ids}};
    const bool skip = bool_parameter(parameters, "skip_special_tokens", true), clean_up = bool_parameter(parameters, "clean_up_tokenization_spaces", true);
    const auto text_of_ids = [&](const std::vector<std::int32_t>& tokens) { return model_->tokenizer->decode(tokens, skip, clean_up); };
    std::string text = utf8_slice(text_of_ids(ids), utf8_length(text_of_ids(start)), std::string::npos);
    if (type == ReturnType::kNewText) return {{"generated_text", std::move(text)}};
    if (prompt.is_string()) return {{"generated_text", prompt.get<std::string>() + text}};
    Json messages = prompt;
    if (continues(prompt, parameters)) {
      const Json& last = prompt.back();
      messages.back() = {{"role", last["role"]}, {"content", last["content"].is_string() ? last["content"].get<std::string>() + text : text}};
    } else {
      messages.push_back({{"role", "assistant"}, {"content", std::move(text)}});
    }
    return {{"generated_text", std::move(messages)}};
  }

  std::shared_ptr<const TextModel> model_;
  Generation generation_;
  mutable std::once_flag template_read_;
  mutable std::optional<ChatTemplate> template_;
};

}  // namespace

std::unique_ptr<Task> make_text_generation(std::shared_ptr<const TextModel> model) { return std::make_unique<TextGeneration>(std::move(model)); }

}  // namespace polymath
