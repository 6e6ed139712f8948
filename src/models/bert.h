// What other architectures take from BERT.
#pragma once

#include <cstdint>
#include <vector>

#include "models/model.h"

namespace polymath {

// RoBERTa's positions: padding_idx + 1, + 2, ... over the ids that are not padding_idx, which has its own.
std::vector<std::int32_t> positions_after_padding(const Step& step, std::int32_t padding_idx);

// Words, positions and token types, summed and normalized.
class BertEmbeddings {
 public:
  BertEmbeddings(const Config& config, const Scope& scope, std::int64_t d, bool positions_from_padding);
  Tensor operator()(const Step& step) const;  // -> [rows, d]

 private:
  Embedding word_embeddings_, position_embeddings_, token_type_embeddings_;
  LayerNorm norm_;
  float dropout_;
  std::int32_t padding_idx_;  // -1: the positions are the columns
  bool add_positions_;
};

}  // namespace polymath
