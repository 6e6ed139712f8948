#include "generate/generation_config.h"

#include <cmath>

#include "base/printable.h"
#include "polymath/error.h"

namespace polymath {
namespace {

// More would only use up memory: each is a sequence with a cache of its own.
constexpr std::int64_t kMostBeams = 1024;
constexpr double kMostTokens = 1e9;

class Fields {
 public:
  Fields(const Json& fields, const std::string& where) : fields_(fields), where_(where) {}

  [[noreturn]] void refuse(const std::string& name, const std::string& reason) const {
    throw Error(ErrorCode::kInvalidArgument, reason, where_ + name);
  }

  const Json* find(const char* name) const {
    const auto found = fields_.find(name);
    return found == fields_.end() || found->is_null() ? nullptr : &*found;
  }

  bool flag(const char* name) const {
    const Json* value = find(name);
    if (!value) return false;
    if (value->is_boolean()) return value->get<bool>();
    if (*value == 0 || *value == 1) return *value == 1;
    refuse(name, std::string("must be true or false, not ") + text_of(*value));
  }

  std::optional<std::int64_t> whole(const char* name) const {
    const Json* value = find(name);
    if (!value) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>() ? 1 : 0;  // a number in Python
    if (!value->is_number_integer() || std::fabs(value->get<double>()) > kMostTokens) refuse(name, "must be a whole number, not " + text_of(*value));
    return value->get<std::int64_t>();
  }

  std::optional<double> number(const char* name) const {
    const Json* value = find(name);
    if (!value) return std::nullopt;
    if (!value->is_number()) refuse(name, "must be a number, not " + text_of(*value));
    return value->get<double>();
  }

  // A float above 0 where it differs from 1.0, which turns it off. Python's 2 is no float.
  std::optional<double> penalty(const char* name) const {
    const auto value = number(name);
    if (!value || *value == 1.0) return std::nullopt;
    if (!find(name)->is_number_float() || !(*value > 0)) refuse(name, "must be a float above 0, not " + text_of(*find(name)));
    return value;
  }

  std::int32_t token(const char* name, const Json& value, std::int64_t least = 0) const {
    if (!value.is_number_integer() || value.get<double>() > INT32_MAX || value.get<double>() < static_cast<double>(least)) {
      refuse(name, "must be a token's id, not " + text_of(value));
    }
    return value.get<std::int32_t>();
  }

  std::optional<std::int32_t> token(const char* name, std::int64_t least = 0) const {
    const Json* value = find(name);
    if (!value) return std::nullopt;
    return token(name, *value, least);
  }

  std::vector<std::int32_t> tokens(const char* name, const Json& value, std::int64_t least = 0) const {
    if (!value.is_array()) refuse(name, "must be a list of token ids, not " + text_of(value));
    std::vector<std::int32_t> ids;
    for (const Json& id : value) ids.push_back(token(name, id, least));
    return ids;
  }

  // One id or several.
  std::vector<std::int32_t> token_or_tokens(const char* name, std::int64_t least = 0) const {
    const Json* value = find(name);
    if (!value) return {};
    return value->is_array() ? tokens(name, *value, least) : std::vector<std::int32_t>{token(name, *value, least)};
  }

  std::vector<std::vector<std::int32_t>> words(const char* name) const {
    const Json* value = find(name);
    if (!value) return {};
    if (!value->is_array() || value->empty()) refuse(name, "must be a list of lists of token ids that is not empty");
    std::vector<std::vector<std::int32_t>> lists;
    for (const Json& word : *value) {
      lists.push_back(tokens(name, word));
      if (lists.back().empty()) refuse(name, "must not hold an empty list");
    }
    return lists;
  }

  static std::string text_of(const Json& value) { return value.is_number() ? dump_json(value) : json_kind(value); }

 private:
  const Json& fields_;
  const std::string& where_;
};

std::vector<std::pair<std::vector<std::int32_t>, float>> sequence_bias(const Fields& f) {
  std::vector<std::pair<std::vector<std::int32_t>, float>> biases;
  const Json* value = f.find("sequence_bias");
  if (!value) return biases;
  const char* kShape = "must be a list of pairs [token ids above 0, float] that is not empty";
  if (!value->is_array() || value->empty()) f.refuse("sequence_bias", kShape);
  for (const Json& pair : *value) {
    if (!pair.is_array() || pair.size() != 2 || !pair[1].is_number_float()) f.refuse("sequence_bias", kShape);
    biases.emplace_back(f.tokens("sequence_bias", pair[0], /*least=*/1), pair[1].get<float>());
    if (biases.back().first.empty()) f.refuse("sequence_bias", kShape);
  }
  return biases;
}

void read_lengths(const Fields& f, GenerationConfig& c) {
  c.max_length = f.whole("max_length").value_or(20);
  c.min_length = f.whole("min_length").value_or(0);
  c.max_new_tokens = f.whole("max_new_tokens");
  if (c.max_new_tokens && *c.max_new_tokens <= 0) f.refuse("max_new_tokens", "must be above 0, but is " + std::to_string(*c.max_new_tokens));
  c.min_new_tokens = f.whole("min_new_tokens");
  if (c.min_new_tokens && *c.min_new_tokens < 0) f.refuse("min_new_tokens", "must be at least 0, but is " + std::to_string(*c.min_new_tokens));
  c.max_time = f.number("max_time");
  if (const Json* stop = f.find("stop_strings")) {
    const auto add = [&](const Json& text) {
      if (!text.is_string() || text.get_ref<const std::string&>().empty()) f.refuse("stop_strings", "must be a text or a list of texts, none empty");
      c.stop_strings.push_back(text.get<std::string>());
    };
    if (stop->is_array()) {
      for (const Json& text : *stop) add(text);
    } else {
      add(*stop);
    }
  }
}

void read_search(const Fields& f, GenerationConfig& c) {
  c.do_sample = f.flag("do_sample");
  c.num_beams = f.whole("num_beams").value_or(1);
  if (c.num_beams < 1 || c.num_beams > kMostBeams) f.refuse("num_beams", "must be 1 to " + std::to_string(kMostBeams) + ", but is " + std::to_string(c.num_beams));
  c.num_return_sequences = f.whole("num_return_sequences").value_or(1);
  if (c.num_return_sequences < 1 || c.num_return_sequences > kMostBeams) {
    f.refuse("num_return_sequences", "must be 1 to " + std::to_string(kMostBeams) + ", but is " + std::to_string(c.num_return_sequences));
  }
  if (c.num_return_sequences > 1 && c.num_beams == 1 && !c.do_sample) f.refuse("num_return_sequences", "must be 1 without beams and without sampling");
  if (c.num_beams > 1 && c.num_return_sequences > c.num_beams) {
    f.refuse("num_return_sequences", "is " + std::to_string(c.num_return_sequences) + ", must be at most num_beams, " + std::to_string(c.num_beams));
  }
  const Json* early = f.find("early_stopping");
  if (early && *early == "never") {
    c.early_stopping = EarlyStopping::kNever;
  } else if (early && !early->is_boolean() && *early != 0 && *early != 1) {
    f.refuse("early_stopping", "must be true, false or \"never\", not " + Fields::text_of(*early));
  } else {
    c.early_stopping = f.flag("early_stopping") ? EarlyStopping::kYes : EarlyStopping::kNo;
  }
  c.length_penalty = f.number("length_penalty").value_or(1.0);
  f.flag("use_cache");  // only checked: nothing depends on whether there is a cache
}

// The filters, which only sampling looks at.
void read_sampling(const Fields& f, GenerationConfig& c) {
  if (!c.do_sample) return;
  c.temperature = f.penalty("temperature");
  c.top_k = f.whole("top_k");
  if (c.top_k && *c.top_k < 0) f.refuse("top_k", "must be above 0, but is " + std::to_string(*c.top_k));
  if (c.top_k == 0) c.top_k.reset();
  const auto share = [&](const char* name, double least, bool least_too) -> std::optional<double> {
    const auto value = f.number(name);
    if (!value || *value >= 1.0) return std::nullopt;
    if (*value < least || (!least_too && *value == least)) f.refuse(name, "must be between 0 and 1, but is " + Fields::text_of(*f.find(name)));
    return value;
  };
  c.top_p = share("top_p", 0, true);
  c.min_p = f.number("min_p");
  if (c.min_p && !(*c.min_p >= 0 && *c.min_p <= 1)) f.refuse("min_p", "must be between 0 and 1, but is " + Fields::text_of(*f.find("min_p")));
  c.typical_p = share("typical_p", 0, false);
  const auto cutoff = [&](const char* name) {
    auto value = f.number(name);
    if (value && !(*value > 0 && *value < 1)) value.reset();
    return value;
  };
  c.epsilon_cutoff = cutoff("epsilon_cutoff");
  c.eta_cutoff = cutoff("eta_cutoff");
}

void read_processors(const Fields& f, GenerationConfig& c) {
  c.guidance_scale = f.number("guidance_scale");
  if (c.guidance_scale == 1.0) c.guidance_scale.reset();
  c.sequence_bias = sequence_bias(f);
  c.repetition_penalty = f.penalty("repetition_penalty");
  c.encoder_repetition_penalty = f.penalty("encoder_repetition_penalty");
  c.no_repeat_ngram_size = f.whole("no_repeat_ngram_size").value_or(0);
  c.encoder_no_repeat_ngram_size = f.whole("encoder_no_repeat_ngram_size").value_or(0);
  c.bad_words_ids = f.words("bad_words_ids");
  c.forced_bos_token_id = f.token("forced_bos_token_id");
  c.forced_eos_token_id = f.token_or_tokens("forced_eos_token_id");
  c.remove_invalid_values = f.flag("remove_invalid_values");
  c.renormalize_logits = f.flag("renormalize_logits");
  if (const Json* decay = f.find("exponential_decay_length_penalty")) {
    if (!decay->is_array() || decay->size() != 2 || !(*decay)[0].is_number_integer() || !(*decay)[1].is_number() ||
        std::fabs((*decay)[0].get<double>()) > kMostTokens) {
      f.refuse("exponential_decay_length_penalty", "must be a list of a start, in tokens, and a factor");
    }
    c.exponential_decay_length_penalty = {(*decay)[0].get<std::int64_t>(), (*decay)[1].get<double>()};
  }
  const auto list = [&](const char* name) { return f.find(name) ? f.tokens(name, *f.find(name), /*least=*/INT32_MIN) : std::vector<std::int32_t>(); };
  c.suppress_tokens = list("suppress_tokens");
  c.begin_suppress_tokens = list("begin_suppress_tokens");
}

// Ways of decoding that 4.57.6 fetches as code from the network, and what rests on torch's random numbers.
void refuse_unsupported(const Fields& f) {
  for (const char* name : {"constraints", "force_words_ids", "dola_layers", "watermarking_config", "assistant_early_exit"}) {
    if (f.find(name)) f.refuse(name, "is not supported");
  }
  if (f.flag("token_healing")) f.refuse("token_healing", "is not supported");
  if (f.number("penalty_alpha").value_or(0) > 0) f.refuse("penalty_alpha", "contrastive search is not supported");
  if (f.whole("num_beam_groups").value_or(1) > 1) f.refuse("num_beam_groups", "group beam search is not supported");
}

}  // namespace

GenerationConfig GenerationConfig::parse(const Json& fields, const std::string& where) {
  const Fields f(fields, where);
  refuse_unsupported(f);
  GenerationConfig c;
  read_lengths(f, c);
  read_search(f, c);
  read_sampling(f, c);
  read_processors(f, c);
  c.pad_token_id = f.token("pad_token_id", /*least=*/INT32_MIN);
  c.bos_token_id = f.token("bos_token_id");
  c.decoder_start_token_id = f.token("decoder_start_token_id");
  c.eos_token_id = f.token_or_tokens("eos_token_id", /*least=*/INT32_MIN);
  if (!c.pad_token_id && !c.eos_token_id.empty()) c.pad_token_id = c.eos_token_id.front();
  c.prompt_lookup_num_tokens = f.whole("prompt_lookup_num_tokens");
  c.max_matching_ngram_size = f.whole("max_matching_ngram_size");
  for (const char* name : {"prompt_lookup_num_tokens", "max_matching_ngram_size"}) {
    const auto value = f.whole(name);
    if (value && (*value < 1 || *value > kMostBeams)) f.refuse(name, "must be 1 to " + std::to_string(kMostBeams) + ", but is " + std::to_string(*value));
  }
  return c;
}

}  // namespace polymath
