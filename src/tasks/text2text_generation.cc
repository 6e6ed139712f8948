// text2text-generation, summarization and translation: an encoder-decoder reads a text and writes another.
#include <algorithm>

#include "polymath/error.h"
#include "tasks/generation.h"
#include "tasks/long_text.h"
#include "tasks/text_input.h"
#include "text/translation.h"

namespace polymath {
namespace {

class Text2TextGeneration final : public Task {
 public:
  // name: the task as config.json's task_specific_params call it; result: what the results' keys begin with
  Text2TextGeneration(std::shared_ptr<const TextModel> model, std::string name, std::string result)
      : model_(std::move(model)),
        name_(std::move(name)),
        result_(std::move(result)),
        generation_(model_, {{"max_new_tokens", 256}, {"num_beams", 4}}, name_) {}

  Json run(const Json& inputs, const Json& parameters) const override {
    Json call = Generation::generation_parameters(parameters, {"return_tensors", "return_text", "return_type", "clean_up_tokenization_spaces", "truncation",
                                                               "stop_sequence", "src_lang", "tgt_lang", "long"});
    if (parameter(parameters, "stop_sequence")) call["eos_token_id"] = stop_sequence_ids(*model_->tokenizer, parameters).front();
    if (result_ != "translation") {
      for (const char* name : {"src_lang", "tgt_lang"}) {
        if (parameter(parameters, name)) bad_parameter(name, "is a parameter of translation alone");
      }
    }
    if (parameter(parameters, "long")) return run_in_parts(inputs, parameters);
    const auto languages = result_ == "translation" ? translation_of(parameters) : std::nullopt;
    if (languages) {
      if (call.contains("forced_bos_token_id")) bad_parameter("forced_bos_token_id", "is tgt_lang's with this tokenizer");
      call["forced_bos_token_id"] = languages->target;
    }

    std::vector<Prompt> prompts;
    bool only_texts = true;
    for (const Json* item : items_of(inputs)) {
      only_texts = only_texts && item->is_string();
      prompts.push_back(prompt_of(*item, parameters, languages));
    }
    pad_prompts(prompts, *model_->tokenizer, batch_size_of(inputs, parameters));
    Json results = Json::array();
    bool single = true;
    for (const Sequences& sequences : generation_(prompts, call)) {
      Json records = Json::array();
      for (const auto& ids : sequences) records.push_back(record(ids, parameters));
      single = single && records.size() == 1;
      results.push_back(std::move(records));
    }
    if (!inputs.is_array()) return results[0];
    if (!only_texts || !single) return results;
    Json flat = Json::array();
    for (Json& records : results) flat.push_back(std::move(records[0]));
    return flat;
  }

 private:
  // Texts longer than the model reads, by parts; each result says of how many.
  Json run_in_parts(const Json& inputs, const Json& parameters) const {
    if (result_ != "summary") bad_parameter("long", "is a parameter of summarization alone");
    if (parameters["long"] != "chunk") bad_parameter("long", "must be chunk, not " + dump_json(parameters["long"]));
    Json rest = parameters;
    rest.erase("long");
    const auto limit = tokens_read();
    const auto count = [&](std::string_view text) { return model_->tokenizer->encode(generation_.prefix() + std::string(text)).size(); };
    Json results = Json::array();
    for (const Json* item : items_of(inputs)) {
      const auto parts = parts_within(text_of(*item), limit, count);
      std::string summary;
      for (const std::string& part : parts) {
        const Json records = run(part, rest);
        if (records.size() != 1 || !records[0].contains("summary_text")) bad_parameter("long", "goes with one summary, as text");
        summary += (summary.empty() ? "" : " ") + records[0]["summary_text"].get<std::string>();
      }
      results.push_back({{"summary_text", std::move(summary)}, {"parts", parts.size()}});
    }
    return results;
  }

  // The most tokens of a source: what the tokenizer says, or the positions of the model.
  std::size_t tokens_read() const {
    double limit = model_->tokenizer->model_max_length();
    if (const Json* positions = model_->loaded.config().find("max_position_embeddings"); positions && positions->is_number_integer()) {
      limit = std::min(limit, positions->get<double>());
    }
    return limit > 1e6 ? 512 : static_cast<std::size_t>(std::max(limit, 1.0));
  }

  std::optional<TranslationTokens> translation_of(const Json& parameters) const {
    if (!takes_languages(*model_->tokenizer)) return std::nullopt;
    std::string source = string_parameter(parameters, "src_lang", ""), target = string_parameter(parameters, "tgt_lang", "");
    if (source.empty() && target.empty()) {  // translation_xx_to_yy
      std::vector<std::string> parts(1);
      for (char c : name_) {
        if (c == '_') parts.emplace_back();
        else parts.back() += c;
      }
      if (parts.size() == 4) source = parts[1], target = parts[3];
    }
    if (source.empty() || target.empty()) bad_parameter(source.empty() ? "src_lang" : "tgt_lang", "this model needs both src_lang and tgt_lang");
    return translation_tokens(*model_->tokenizer, source, target);
  }

  // Of a list within the inputs Transformers pads all texts, and returns what the first one gives.
  Prompt prompt_of(const Json& item, const Json& parameters, const std::optional<TranslationTokens>& languages) const {
    if (!item.is_array()) return encode(text_of(item), parameters, languages);
    if (languages) bad_input("a list within the inputs is nothing that this tokenizer pads");
    if (item.empty()) bad_input("a list of texts must not be empty");
    if (!model_->tokenizer->pad_id()) bad_input("a list within the inputs needs a tokenizer with a pad_token");
    std::vector<Prompt> all;
    for (const Json& text : item) all.push_back(encode(text_of(text), parameters, languages));
    pad_prompts(all, *model_->tokenizer, static_cast<std::int64_t>(all.size()));
    return all[0];
  }

  Prompt encode(const std::string& text, const Json& parameters, const std::optional<TranslationTokens>& languages) const {
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    Json arguments = Json::object();
    if (const Json* truncation = parameter(parameters, "truncation")) arguments["truncation"] = *truncation;
    EncodeOptions options = tokenizer_call(arguments, *model_, "").encode;
    if (!languages) {
      const Encoding encoding = encode_truncated(tokenizer, generation_.prefix() + text, options);
      return {encoding.ids, encoding.attention_mask};
    }
    options.add_special_tokens = false;
    const auto around = static_cast<int>(languages->prefix.size() + languages->suffix.size());
    if (options.truncation) options.truncation->max_length = std::max(0, options.truncation->max_length - around);
    Prompt prompt{.ids = languages->prefix};
    const auto ids = encode_truncated(tokenizer, text, options).ids;
    prompt.ids.insert(prompt.ids.end(), ids.begin(), ids.end());
    prompt.ids.insert(prompt.ids.end(), languages->suffix.begin(), languages->suffix.end());
    return prompt;
  }

  Json record(const std::vector<std::int32_t>& ids, const Json& parameters) const {
    if (bool_parameter(parameters, "return_tensors", false)) return {{result_ + "_token_ids", ids}};
    return {{result_ + "_text", model_->tokenizer->decode(ids, /*skip_special_tokens=*/true, bool_parameter(parameters, "clean_up_tokenization_spaces", false))}};
  }

  std::shared_ptr<const TextModel> model_;
  std::string name_, result_;
  Generation generation_;
};

// "translation" alone is the first of these among config.json's task_specific_params.
std::string translation_task(const TextModel& model) {
  const Json* all = model.loaded.config().find("task_specific_params");
  if (model.task != "translation" || !all || !all->is_object()) return model.task;
  for (const auto& [name, unused] : all->items()) {
    if (name.starts_with("translation")) return name;
  }
  return model.task;
}

}  // namespace

std::unique_ptr<Task> make_text2text_generation(std::shared_ptr<const TextModel> model) {
  return std::make_unique<Text2TextGeneration>(std::move(model), "text2text-generation", "generated");
}

std::unique_ptr<Task> make_summarization(std::shared_ptr<const TextModel> model) {
  return std::make_unique<Text2TextGeneration>(std::move(model), "summarization", "summary");
}

std::unique_ptr<Task> make_translation(std::shared_ptr<const TextModel> model) {
  std::string name = translation_task(*model);
  return std::make_unique<Text2TextGeneration>(std::move(model), std::move(name), "translation");
}

}  // namespace polymath
