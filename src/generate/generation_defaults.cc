#include "generate/generation_config.h"

#include <cstdio>

#include "base/file.h"
#include "base/printable.h"

namespace polymath {
namespace {

bool is_metadata(const std::string& key) { return key.starts_with("_") || key == "transformers_version"; }

// Whether a version is 4.50 or later; what is no version counts as new.
bool since_4_50(const Json& version) {
  if (!version.is_string()) return true;
  int major = 0, minor = 0;
  if (std::sscanf(version.get_ref<const std::string&>().c_str(), "%d.%d", &major, &minor) != 2) return true;
  return major > 4 || (major == 4 && minor >= 50);
}

}  // namespace

const Json& global_generation_defaults() {
  static const Json kDefaults = parse_json(R"({
    "max_length": 20, "max_new_tokens": null, "min_length": 0, "min_new_tokens": null, "early_stopping": false, "max_time": null,
    "stop_strings": null, "do_sample": false, "num_beams": 1, "use_cache": true, "cache_implementation": null, "cache_config": null,
    "return_legacy_cache": null, "prefill_chunk_size": null, "temperature": 1.0, "top_k": 50, "top_p": 1.0, "min_p": null,
    "typical_p": 1.0, "epsilon_cutoff": 0.0, "eta_cutoff": 0.0, "repetition_penalty": 1.0, "encoder_repetition_penalty": 1.0,
    "length_penalty": 1.0, "no_repeat_ngram_size": 0, "bad_words_ids": null, "renormalize_logits": false,
    "forced_bos_token_id": null, "forced_eos_token_id": null, "remove_invalid_values": false,
    "exponential_decay_length_penalty": null, "suppress_tokens": null, "begin_suppress_tokens": null, "sequence_bias": null,
    "token_healing": false, "guidance_scale": null, "watermarking_config": null, "num_return_sequences": 1,
    "output_attentions": false, "output_hidden_states": false, "output_scores": false, "output_logits": null,
    "return_dict_in_generate": false, "pad_token_id": null, "bos_token_id": null, "eos_token_id": null,
    "encoder_no_repeat_ngram_size": 0, "decoder_start_token_id": null, "is_assistant": false, "num_assistant_tokens": 20,
    "num_assistant_tokens_schedule": "constant", "assistant_confidence_threshold": 0.4, "prompt_lookup_num_tokens": null,
    "max_matching_ngram_size": null, "assistant_early_exit": null, "assistant_lookbehind": 10, "target_lookbehind": 10,
    "compile_config": null, "disable_compile": false, "low_memory": null, "penalty_alpha": null, "dola_layers": null,
    "diversity_penalty": 0.0, "num_beam_groups": 1, "constraints": null, "force_words_ids": null})",
                                             "defaults");
  return kDefaults;
}

GenerationDefaults::GenerationDefaults(const std::string& folder, const Config& config) : model_(global_generation_defaults()) {
  const std::string path = join_path(folder, "generation_config.json");
  if (file_exists(path)) {
    const Json file = read_json_file(path);
    if (!file.is_object()) throw Error(ErrorCode::kBadFile, std::string("must be a JSON object, not ") + json_kind(file), path);
    const bool only_known = file.value("_from_model_config", Json()) == true;
    for (const auto& [key, value] : file.items()) {
      if (!only_known || model_.contains(key) || is_metadata(key)) model_[key] = value;
    }
  } else {
    const auto take = [&](const Json& fields, bool only_unset) {
      for (const auto& [key, missing] : global_generation_defaults().items()) {
        const auto found = fields.find(key);
        if (found != fields.end() && !found->is_null() && (!only_unset || model_[key] == missing)) model_[key] = *found;
      }
    };
    take(config.json(), /*only_unset=*/false);
    if (const Json* decoder = config.find("decoder"); decoder && decoder->is_object()) take(*decoder, /*only_unset=*/true);
  }
  if (const auto version = model_.find("transformers_version"); version != model_.end()) model_goes_first_ = since_4_50(*version);
  pipeline_ = model_;
}

// What `fields` leaves at the global default becomes the model's value.
Json GenerationDefaults::with_model_values(Json fields, const Json& model) {
  const Json& defaults = global_generation_defaults();
  const auto value_of = [](const Json& object, const std::string& key) {
    const auto found = object.find(key);
    return found == object.end() ? Json() : *found;
  };
  for (const auto& [key, value] : model.items()) {
    if (is_metadata(key) || (key == "cache_implementation" && value == "hybrid")) continue;
    const Json missing = value_of(defaults, key);
    if (value_of(fields, key) == missing && value != missing) fields[key] = value;
  }
  if (fields["temperature"] == 0.0) fields["do_sample"] = false;
  return fields;
}

void GenerationDefaults::set_pipeline(const Json& defaults, const Json* task, std::optional<std::int32_t> pad_token_id) {
  Json fields = global_generation_defaults();
  for (const auto& [key, value] : defaults.items()) fields[key] = value;
  fields = with_model_values(std::move(fields), model_);
  const auto own = defaults.find("max_new_tokens");
  if (own != defaults.end() && fields["max_new_tokens"] == *own && !fields["max_length"].is_null() && fields["max_length"] != 20) {
    fields["max_new_tokens"] = nullptr;
  }
  if (task && task->is_object()) {
    for (const auto& [key, value] : task->items()) {
      if (fields.contains(key)) fields[key] = value;
    }
  }
  if (pad_token_id && fields["pad_token_id"].is_null()) fields["pad_token_id"] = *pad_token_id;
  pipeline_ = std::move(fields);
}

Json GenerationDefaults::call(const Json& parameters) const {
  Json fields = model_goes_first_ ? with_model_values(pipeline_, model_) : pipeline_;
  if (!model_goes_first_) {
    for (const char* token : {"bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"}) {
      if (fields[token].is_null()) fields[token] = model_[token];
    }
  }
  for (const auto& [key, value] : parameters.items()) {
    if (!fields.contains(key) || is_metadata(key)) {
      throw Error(ErrorCode::kInvalidArgument, "is not a parameter of generation", "parameters: " + printable(key));
    }
    fields[key] = value;
  }
  return fields;
}

}  // namespace polymath
