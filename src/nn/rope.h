// Rotary position embedding (Su et al. 2021, arXiv:2104.09864) and its scalings to longer contexts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "tensor/tensor.h"

namespace polymath {

// config.json's rope_theta and rope_scaling (v4) or rope_parameters (v5), under their names there.
struct RopeConfig {
  // default, linear, dynamic (up to max_position_embeddings), yarn (Peng et al. 2023, arXiv:2309.00071), llama3
  std::string rope_type = "default";
  double rope_theta = 10000.0;
  double factor = 1.0;
  double max_position_embeddings = 0, original_max_position_embeddings = 0;
  double low_freq_factor = 1, high_freq_factor = 4;
  double beta_fast = 32, beta_slow = 1, mscale = 0, mscale_all_dim = 0;
  std::optional<double> attention_factor;
  bool truncate = true;

  RopeConfig() = default;
  // `where` names the object in errors; max_position_embeddings is the config's, for what the object leaves open.
  RopeConfig(const Json& parameters, double missing_theta, double max_position_embeddings, const std::string& where);
};

// cos and sin of position * inverse frequency, a row for each of these positions: [positions, d/2]. Angles are rounded
// to float32 where Transformers rounds them; the functions are our own, in double.
struct RopeTable {
  Tensor cos, sin;
  RopeTable(std::int64_t d, const RopeConfig& config, std::span<const std::int32_t> positions);
};

}  // namespace polymath
