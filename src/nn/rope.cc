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
  const double log_theta = scalar_log(c.rope_theta);
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
    f.inv_freq[i] = 1.0f / (static_cast<float>(c.factor) * pos_freqs[i]) * (1.0f - extrapolation) + 1.0f / pos_freqs[i] * extrapolation;
  }
  const auto scale = [&](double mscale) { return c.factor <= 1 ? 1.0 : 0.1 * mscale * scalar_log(c.factor) + 1.0; };
  if (c.attention_factor) f.attention_factor = static_cast<float>(*c.attention_factor);
  else if (c.mscale != 0 && c.mscale_all_dim != 0) f.attention_factor = static_cast<float>(scale(c.mscale) / scale(c.mscale_all_dim));
  else f.attention_factor = static_cast<float>(scale(1));
}

// Llama 3.1: long waves are slowed down by the factor, short ones stay, a ramp between. In float32, as Transformers.
void apply_llama3(const RopeConfig& c, Frequencies& f) {
  const auto length = static_cast<float>(c.original_max_position_embeddings), factor = static_cast<float>(c.factor);
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

Frequencies frequencies(const RopeConfig& c, std::int64_t d) {
  Frequencies f;
  std::vector<float> pos_freqs;
  for (std::int64_t i = 0; i < d; i += 2) {
    pos_freqs.push_back(static_cast<float>(scalar_pow(c.rope_theta, static_cast<float>(i) / static_cast<float>(d))));
    f.inv_freq.push_back(1.0f / pos_freqs.back());
  }
  if (c.rope_type == "linear") {
    for (float& x : f.inv_freq) x /= static_cast<float>(c.factor);
  } else if (c.rope_type == "llama3") {
    apply_llama3(c, f);
  } else if (c.rope_type == "yarn") {
    apply_yarn(c, d, pos_freqs, f);
  }
  return f;
}

}  // namespace

RopeConfig::RopeConfig(const Json& parameters, double missing_theta, double most, const std::string& where)
    : rope_theta(missing_theta), max_position_embeddings(most), original_max_position_embeddings(most) {
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
  if (rope_type != "default" && rope_type != "linear" && rope_type != "dynamic" && rope_type != "yarn" && rope_type != "llama3") {
    throw Error(ErrorCode::kUnsupported, "\"" + rope_type + "\" is not known (known: default, linear, dynamic, yarn, llama3)", where + ": rope_type");
  }
  number("rope_theta", rope_theta, 0);
  number("factor", factor, 0);
  number("original_max_position_embeddings", original_max_position_embeddings, 0);
  number("low_freq_factor", low_freq_factor, 0);
  number("high_freq_factor", high_freq_factor, 0);
  number("beta_fast", beta_fast, 0);
  number("beta_slow", beta_slow, 0);
  number("mscale", mscale, 0);
  number("mscale_all_dim", mscale_all_dim, 0);
  double given = 0;
  number("attention_factor", given, 0);
  if (given > 0) attention_factor = given;
  if (auto found = parameters.find("truncate"); found != parameters.end() && found->is_boolean()) truncate = found->get<bool>();
}

RopeTable::RopeTable(std::int64_t d, const RopeConfig& config, std::span<const std::int32_t> positions) {
  const Frequencies f = frequencies(config, d);
  const auto half = static_cast<std::int64_t>(f.inv_freq.size());
  cos = Tensor({static_cast<std::int64_t>(positions.size()), half});
  sin = Tensor({static_cast<std::int64_t>(positions.size()), half});
  for (std::size_t r = 0; r < positions.size(); ++r) {
    const std::int32_t p = positions[r];
    if (p < 0 || p >= (1 << 24)) throw Error(ErrorCode::kInvalidArgument, std::to_string(p) + " is out of range", "position_ids");
    if (config.rope_type == "dynamic" && p >= config.max_position_embeddings) {  // the base would hang on the batch's longest text
      throw Error(ErrorCode::kUnsupported, "is more than max_position_embeddings, which the dynamic rope_type is not known for", "the number of tokens");
    }
    const auto row = static_cast<std::int64_t>(r);
    for (std::int64_t i = 0; i < half; ++i) {
      const SinCos sc = scalar_sin_cos(static_cast<float>(p) * f.inv_freq[static_cast<std::size_t>(i)]);
      cos.row(row)[i] = static_cast<float>(sc.cos) * f.attention_factor;
      sin.row(row)[i] = static_cast<float>(sc.sin) * f.attention_factor;
    }
  }
}

}  // namespace polymath
