// The parameters of generate(), as Transformers 4.57.6 names them (generation/configuration_utils.py).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "formats/config.h"

namespace polymath {

enum class EarlyStopping { kNo, kYes, kNever };

struct GenerationConfig {
  // Lengths count the prompt (of an encoder-decoder: the decoder's), "new" ones do not.
  std::int64_t max_length = 20, min_length = 0;
  std::optional<std::int64_t> max_new_tokens, min_new_tokens;
  std::optional<double> max_time;  // seconds
  std::vector<std::string> stop_strings;

  bool do_sample = false;
  std::int64_t num_beams = 1, num_return_sequences = 1;
  EarlyStopping early_stopping = EarlyStopping::kNo;
  double length_penalty = 1.0;

  // Filters of sampling; absent: off.
  std::optional<double> temperature, top_p, min_p, typical_p, epsilon_cutoff, eta_cutoff;
  std::optional<std::int64_t> top_k;

  // What changes scores before a token is chosen; absent: off.
  std::optional<double> guidance_scale, repetition_penalty, encoder_repetition_penalty;
  std::vector<std::pair<std::vector<std::int32_t>, float>> sequence_bias;
  std::int64_t no_repeat_ngram_size = 0, encoder_no_repeat_ngram_size = 0;
  std::vector<std::vector<std::int32_t>> bad_words_ids;
  std::optional<std::int32_t> forced_bos_token_id;
  std::vector<std::int32_t> forced_eos_token_id;
  bool remove_invalid_values = false, renormalize_logits = false;
  std::optional<std::pair<std::int64_t, double>> exponential_decay_length_penalty;  // start, factor
  std::vector<std::int32_t> suppress_tokens, begin_suppress_tokens;

  std::optional<std::int32_t> pad_token_id, bos_token_id, decoder_start_token_id;
  std::vector<std::int32_t> eos_token_id;

  std::optional<std::int64_t> prompt_lookup_num_tokens, max_matching_ngram_size;

  bool default_max_length = true;  // the caller gave no max_length of its own

  // From fields under their names. Throws Error naming the field after `where` ("parameters: ") for what Transformers
  // refuses, for what it does not know, and for the few ways of decoding that 4.57.6 keeps outside of itself.
  static GenerationConfig parse(const Json& fields, const std::string& where);
};

// All fields with the values that hold where nobody gives one.
const Json& global_generation_defaults();

// Where the values of a call come from, in Transformers' order of precedence.
class GenerationDefaults {
 public:
  // The model's own: generation_config.json, or the legacy fields of config.json where there is no such file.
  GenerationDefaults(const std::string& folder, const Config& config);

  // Makes these the values of a pipeline: its own defaults, then the model's for what they leave at the global default,
  // then `task` of config.json's task_specific_params. pad_token_id: the tokenizer's, for a model without one.
  void set_pipeline(const Json& defaults, const Json* task, std::optional<std::int32_t> pad_token_id);

  // The fields of one call: the pipeline's with `parameters` on top. Throws Error naming a parameter that is no field.
  Json call(const Json& parameters) const;

 private:
  static Json with_model_values(Json fields, const Json& model);

  Json model_, pipeline_;
  bool model_goes_first_ = true;  // files of 4.50 and later take part in each call
};

}  // namespace polymath
