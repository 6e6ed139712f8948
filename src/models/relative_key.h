// Relative positions by distance embeddings (Shaw et al. 2018, arXiv:1803.02155; Huang et al. 2020, 2009.13658),
// config.json's position_embedding_type "relative_key" and "relative_key_query".
#pragma once

#include <memory>
#include <vector>

#include "models/model.h"

namespace polymath {

class RelativeKey {
 public:
  RelativeKey(const Config& config, const Scope& scope, bool scaled);  // scope: a layer's attention

  // scores[i][j] += q_i . e_{i-j} [+ k_j . e_{i-j}], over sqrt(d) if scaled
  std::shared_ptr<const ScoreTerm> term(const Step& step) const;

 private:
  int heads_;
  std::int64_t d_, most_;  // e: [2 most - 1, d]
  bool with_key_;
  float scale_;
  Vector e_;

  class Term;
};

// One per layer when the config asks for them, else none.
// `attention` is the name of the attention in a layer.
std::vector<RelativeKey> relative_keys(const Config& config, const Scope& layers, int count, const std::string& attention,
                                       bool scaled);

}  // namespace polymath
