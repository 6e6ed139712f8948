// M2M-100 (Fan et al. 2020, arXiv:2010.11125) and NLLB (2207.04672): BART with norms before a layer's parts, over
// sinusoidal positions that count the tokens which are no padding.
#include <algorithm>

#include "models/bart.h"
#include "nn/sinusoidal.h"
#include "polymath/error.h"

namespace polymath {
namespace {

// padding_idx + 1 for the first token that is no padding; -1 for padding. What a cache holds counts with its padding, as
// in Transformers.
std::vector<std::int32_t> positions_of(const Step& step, std::int32_t padding_idx) {
  std::vector<std::int32_t> positions;
  for (std::size_t s = 0; s < static_cast<std::size_t>(step.sequences()); ++s) {
    const bool padded = !step.padded_ids.empty();
    std::int32_t next = padding_idx + 1 + (step.cache.empty() ? 0 : static_cast<std::int32_t>(step.cache[s]->length()));
    std::int64_t column = 0;
    for (auto r = static_cast<std::size_t>(step.begin[s]); r < static_cast<std::size_t>(step.begin[s + 1]); ++r) {
      for (; padded && column < step.column[r]; ++column) {  // ids that the mask hides count too
        next += step.padded_ids[s * static_cast<std::size_t>(step.columns) + static_cast<std::size_t>(column)] != padding_idx;
      }
      positions.push_back(step.ids[r] == padding_idx ? -1 : next++);
      ++column;
    }
  }
  return positions;
}

EmbedFunction counted_embeddings(const Config& c, const Scope& model, const std::string& side) {
  const auto d = c.req<std::int64_t>("d_model"), pad = c.opt<std::int64_t>("pad_token_id", 1);
  if (d < 4) throw Error(ErrorCode::kBadFile, "must be at least 4", c.path() + ": d_model");
  if (pad < 0 || pad >= c.req<std::int64_t>("vocab_size") || pad > INT32_MAX / 2) {
    throw Error(ErrorCode::kBadFile, std::to_string(pad) + " is not in the vocabulary", c.path() + ": pad_token_id");
  }
  return [tokens = scaled_tokens(c, model, side), embed_positions = SinusoidalPositions::of_steps(d),
          padding_idx = static_cast<std::int32_t>(pad)](const Step& step) {
    Tensor x = tokens(step);
    embed_positions.add_to(x, positions_of(step, padding_idx));
    return x;
  };
}

}  // namespace

std::unique_ptr<Model> make_m2m_100(const Config& c, Head head, const Scope& w) {
  return bart_writer(c, head, w, /*pre_norm=*/true, counted_embeddings);
}

}  // namespace polymath
