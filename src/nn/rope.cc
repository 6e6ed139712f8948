#include "nn/rope.h"

#include <algorithm>
#include <cmath>

#include "nn/scalar_math.h"
#include "polymath/error.h"

namespace polymath {
namespace {

constexpr double kPi = 3.14159265358979323846;

// The frequencies, and what cos and sin are multiplied by.
struct Frequencies {
  std::vector<float> inv_freq;
  float attention_factor = 1.0f;
};

// YaRN: high frequencies stay, low ones are divided by the factor, a ramp between. In float32, as Transformers.
void apply_yarn(const RopeConfig& c, std::int64_t d, const std::vector<float>& pos_freqs, Frequencies& f) {
  const double log_theta = scalar_log(c.rope_theta), factor = c.factor.value_or(c.max_position_embeddings / c.original_max_position_embeddings);
  const auto correction = [&](double rotations) {
    return static_cast<double>(d) * scalar_log(c.original_max_position_embeddings / (rotations * 2 * kPi)) / (2 * log_theta);
  };
  double low = correction(c.beta_fast), high = correction(c.beta_slow);
  if (c.truncate) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(d - 1));
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < pos_freqs.size(); ++i) {
    const float ramp = std::clamp((static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low), 0.0f, 1.0f);
    const float extrapolation = 1.0f - ramp;
    f.inv_freq[i] = 1.0f / (static_cast<float>(factor) * pos_freqs[i]) * (1.0f - extrapolation) + 1.0f / pos_freqs[i] * extrapolation;
  }
  const auto scale = [&](double mscale) { return factor <= 1 ? 1.0 : 0.1 * mscale * scalar_log(factor) + 1.0; };
  if (c.attention_factor) f.attention_factor = static_cast<float>(*c.attention_factor);
  else if (c.mscale != 0 && c.mscale_all_dim != 0) f.attention_factor = static_cast<float>(scale(c.mscale) / scale(c.mscale_all_dim));
  else f.attention_factor = static_cast<float>(scale(1));
}

// Llama 3.1: long waves are slowed down by the factor, short ones stay, a ramp between. In float32, as Transformers.
void apply_llama3(const RopeConfig& c, Frequencies& f) {
  const auto length = static_cast<float>(c.original_max_position_embeddings), factor = static_cast<float>(c.factor.value_or(1));
  const auto low = static_cast<float>(c.low_freq_factor), high = static_cast<float>(c.high_freq_factor);
  for (float& x : f.inv_freq) {
    const float wave = static_cast<float>(2 * kPi) / x;
    if (wave > length / low) {
      x /= factor;
    } else if (wave >= length / high) {
      const float smooth = (length / wave - low) / (high - low);
      x = (1 - smooth) * x / factor + smooth * x;
    }
  }
}

// LongRoPE: each frequency is divided by a factor of its own, from one of two lists (or by a list's only one).
void apply_longrope(const RopeConfig& c, bool is_long, const std::vector<float>& pos_freqs, Frequencies& f) {
  const auto& factors = is_long ? c.long_factor : c.short_factor;
  if (factors.size() != pos_freqs.size() && factors.size() != 1) {
    throw Error(ErrorCode::kBadFile, "has " + std::to_string(factors.size()) + " factors for " + std::to_string(pos_freqs.size()) + " frequencies",
                c.where + (is_long ? ": long_factor" : ": short_factor"));
  }
  for (std::size_t i = 0; i < pos_freqs.size(); ++i) f.inv_freq[i] = 1.0f / (factors[factors.size() == 1 ? 0 : i] * pos_freqs[i]);
  const double factor = c.factor.value_or(c.max_position_embeddings / c.original_max_position_embeddings);
  if (c.attention_factor) f.attention_factor = static_cast<float>(*c.attention_factor);
  else if (factor > 1) f.attention_factor = static_cast<float>(std::sqrt(1 + scalar_log(factor) / scalar_log(c.original_max_position_embeddings)));
}

// NTK: the base grows with the length beyond the model's, in float32 as Transformers.
double dynamic_theta(const RopeConfig& c, std::int64_t d, std::int64_t length) {
  if (static_cast<double>(length) <= c.max_position_embeddings) return c.rope_theta;
  if (d <= 2) throw Error(ErrorCode::kUnsupported, "needs more than one frequency", c.where + ": rope_type");
  const auto factor = c.factor.value_or(1);
  const float growth = static_cast<float>(factor) * static_cast<float>(length) / static_cast<float>(c.max_position_embeddings) - static_cast<float>(factor - 1);
  const float power = static_cast<float>(scalar_pow(static_cast<double>(growth), static_cast<double>(static_cast<float>(static_cast<double>(d) / static_cast<double>(d - 2)))));
  return static_cast<double>(static_cast<float>(c.rope_theta) * power);
}

// key: as RopeConfig::key_of_length gives it
Frequencies frequencies(const RopeConfig& c, std::int64_t d, std::int64_t key) {
  Frequencies f;
  std::vector<float> pos_freqs;
  for (auto* list : {&pos_freqs, &f.inv_freq}) list->reserve(static_cast<std::size_t>((d + 1) / 2));
  const double theta = c.rope_type == "dynamic" ? dynamic_theta(c, d, key) : c.rope_theta;
  for (std::int64_t i = 0; i < d; i += 2) {
    pos_freqs.push_back(static_cast<float>(scalar_pow(theta, static_cast<float>(i) / static_cast<float>(d))));
    f.inv_freq.push_back(1.0f / pos_freqs.back());
  }
  if (c.rope_type == "linear") {
    for (float& x : f.inv_freq) x /= static_cast<float>(c.factor.value_or(1));
  } else if (c.rope_type == "llama3") {
    apply_llama3(c, f);
  } else if (c.rope_type == "yarn") {
    apply_yarn(c, d, pos_freqs, f);
  } else if (c.rope_type == "longrope") {
    apply_longrope(c, key != 0, pos_freqs, f);
  }
  return f;
}

}  // namespace

RopeConfig::RopeConfig(const Json& parameters, double missing_theta, double most, const std::string& object)
    : rope_theta(missing_theta), max_position_embeddings(most), original_max_position_embeddings(most), where(object) {
  if (parameters.is_null()) return;
  if (!parameters.is_object()) throw Error(ErrorCode::kBadFile, std::string("must be an object, not ") + json_kind(parameters), where);
  const auto number = [&](const char* field, double& value, double least) {
    auto found = parameters.find(field);
    if (found == parameters.end() || found->is_null()) return;
    if (!found->is_number() || !(found->get<double>() > least)) {
      throw Error(ErrorCode::kBadFile, "must be a number above " + std::to_string(static_cast<int>(least)), where + ": " + field);
    }
    value = found->get<double>();
  };
  for (const char* field : {"type", "rope_type"}) {
    if (auto found = parameters.find(field); found != parameters.end() && found->is_string()) rope_type = found->get<std::string>();
  }
  if (rope_type == "su") rope_type = "longrope";  // its first name
  if (rope_type != "default" && rope_type != "linear" && rope_type != "dynamic" && rope_type != "yarn" && rope_type != "longrope" && rope_type != "llama3") {
    throw Error(ErrorCode::kUnsupported, "\"" + rope_type + "\" is not known (known: default, linear, dynamic, yarn, longrope, llama3)", where + ": rope_type");
  }
  number("rope_theta", rope_theta, 0);
  number("partial_rotary_factor", partial_rotary_factor, 0);
  number("original_max_position_embeddings", original_max_position_embeddings, 0);
  number("low_freq_factor", low_freq_factor, 0);
  number("high_freq_factor", high_freq_factor, 0);
  number("beta_fast", beta_fast, 0);
  number("beta_slow", beta_slow, 0);
  number("mscale", mscale, 0);
  number("mscale_all_dim", mscale_all_dim, 0);
  for (auto [field, value] : {std::pair{"factor", &factor}, {"attention_factor", &attention_factor}}) {
    double given = 0;
    number(field, given, 0);
    if (given > 0) *value = given;
  }
  for (auto [field, list] : {std::pair{"short_factor", &short_factor}, {"long_factor", &long_factor}}) {
    auto found = parameters.find(field);
    if (found == parameters.end() || found->is_null()) continue;
    if (!found->is_array()) throw Error(ErrorCode::kBadFile, "must be a list of numbers", where + ": " + field);
    for (const Json& item : *found) {
      if (!item.is_number()) throw Error(ErrorCode::kBadFile, "must be a list of numbers", where + ": " + field);
      list->push_back(item.get<float>());
    }
  }
  if (auto found = parameters.find("truncate"); found != parameters.end() && found->is_boolean()) truncate = found->get<bool>();
}

RopeConfig RopeConfig::of(const Config& c, double missing_theta, double missing_partial_rotary_factor) {
  const double most = c.opt("max_position_embeddings", 2048.0);
  const Json* scaling = c.find("rope_scaling");
  const bool old = scaling && !scaling->is_null() && !scaling->empty();
  const Json* object = old ? scaling : c.find("rope_parameters");
  RopeConfig rope(object ? *object : Json(), missing_theta, most, c.path() + (old ? ": rope_scaling" : ": rope_parameters"));
  if (!object || !object->is_object() || !object->contains("partial_rotary_factor")) rope.partial_rotary_factor = missing_partial_rotary_factor;
  // Phi-3 keeps it beside the object, where it counts more.
  rope.original_max_position_embeddings = c.opt("original_max_position_embeddings", rope.original_max_position_embeddings);
  for (double value : {rope.rope_theta, rope.max_position_embeddings, rope.original_max_position_embeddings}) {
    if (!(value > 0)) throw Error(ErrorCode::kBadFile, "needs rope_theta and positions above 0", rope.where);
  }
  if (!(rope.partial_rotary_factor > 0 && rope.partial_rotary_factor <= 1)) {
    throw Error(ErrorCode::kBadFile, "must lie between 0 and 1", rope.where + ": partial_rotary_factor");
  }
  return rope;
}

std::int64_t RopeConfig::key_of_length(std::int64_t length) const {
  if (rope_type == "longrope") return static_cast<double>(length) > original_max_position_embeddings;
  return rope_type == "dynamic" && static_cast<double>(length) > max_position_embeddings ? length : 0;
}

std::vector<std::int64_t> rope_lengths(const Step& step) {
  std::vector<std::int64_t> lengths;
  const auto& positions = step.positions();
  const std::int64_t columns = step.cache.empty() ? step.columns : 0;
  for (int s = 0; s < step.sequences(); ++s) {
    std::int64_t length = step.position_ids.empty() ? columns : 0;
    for (std::int32_t r = step.begin[static_cast<std::size_t>(s)]; r < step.begin[static_cast<std::size_t>(s) + 1]; ++r) {
      length = std::max<std::int64_t>(length, positions[static_cast<std::size_t>(r)] + std::int64_t{1});
    }
    lengths.push_back(length);
  }
  if (columns > 0 && !lengths.empty()) lengths.assign(lengths.size(), *std::max_element(lengths.begin(), lengths.end()));
  return lengths;
}

RopeTable::RopeTable(std::int64_t d, const RopeConfig& config, const Step& step) : cos({step.rows(), (d + 1) / 2}), sin({step.rows(), (d + 1) / 2}) {
  const auto& positions = step.positions();
  for (std::int32_t p : positions) {
    if (p < 0 || p >= (1 << 24)) throw Error(ErrorCode::kInvalidArgument, std::to_string(p) + " is out of range", "position_ids");
  }
  const auto lengths = config.hangs_on_length() ? rope_lengths(step) : std::vector<std::int64_t>(static_cast<std::size_t>(step.sequences()), 0);
  Frequencies f;
  std::int64_t key = -1;
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    if (const std::int64_t own = config.key_of_length(lengths[s]); own != key) {
      key = own;
      f = frequencies(config, d, key);
    }
    for (std::int64_t r = step.begin[s]; r < step.begin[s + 1]; ++r) {
      for (std::int64_t i = 0; i < cos.dim(-1); ++i) {
        const SinCos sc = scalar_sin_cos(static_cast<float>(positions[static_cast<std::size_t>(r)]) * f.inv_freq[static_cast<std::size_t>(i)]);
        cos.row(r)[i] = static_cast<float>(sc.cos) * f.attention_factor;
        sin.row(r)[i] = static_cast<float>(sc.sin) * f.attention_factor;
      }
    }
  }
}

}  // namespace polymath
