// Rotary position embedding (Su et al. 2021, arXiv:2104.09864) and its scalings to longer contexts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/config.h"
#include "nn/step.h"
#include "tensor/tensor.h"

namespace polymath {

// config.json's rope_theta and rope_scaling (v4) or rope_parameters (v5), under their names there.
struct RopeConfig {
  // default, linear, dynamic, yarn (Peng et al. 2023, arXiv:2309.00071), longrope (Ding et al. 2024, arXiv:2402.13753), llama3
  std::string rope_type = "default";
  double rope_theta = 10000.0, partial_rotary_factor = 1.0;
  std::optional<double> factor;
  double max_position_embeddings = 0, original_max_position_embeddings = 0;
  double low_freq_factor = 1, high_freq_factor = 4;
  double beta_fast = 32, beta_slow = 1, mscale = 0, mscale_all_dim = 0;
  std::optional<double> attention_factor;
  bool truncate = true;
  std::vector<float> short_factor, long_factor;
  std::string where;  // the object's name in errors

  RopeConfig() = default;
  // `where` names the object in errors; max_position_embeddings is the config's, for what the object leaves open.
  RopeConfig(const Json& parameters, double missing_theta, double max_position_embeddings, const std::string& where);
  // Of a model whose layers share one: the object is rope_scaling or rope_parameters; what it leaves open is given.
  static RopeConfig of(const Config& config, double missing_theta, double missing_partial_rotary_factor = 1.0);

  // The frequencies of dynamic and longrope hang on the length of the sequence: those of lengths with the same key are equal.
  std::int64_t key_of_length(std::int64_t length) const;
  bool hangs_on_length() const { return rope_type == "dynamic" || rope_type == "longrope"; }
};

// The length of each sequence as rotations take it: one more than its greatest position, and for a padded batch without
// caches than the batch's.  -> [sequences]
std::vector<std::int64_t> rope_lengths(const Step& step);

// cos and sin of position * inverse frequency, a row for each of the step's: [rows, d/2]. Angles are rounded
// to float32 where Transformers rounds them; the functions are our own, in double.
struct RopeTable {
  Tensor cos, sin;
  RopeTable(std::int64_t d, const RopeConfig& config, const Step& step);
};

}  // namespace polymath
