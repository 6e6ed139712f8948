// One sequence, written greedily or by sampling.
#pragma once

#include <optional>

#include "generate/decoding.h"
#include "generate/guidance.h"
#include "generate/processors.h"
#include "generate/stopping.h"

namespace polymath {

class Stream final : public Decoding {
 public:
  // config and what input points to must outlive it.
  Stream(const Model& model, const GenerationConfig& config, DecodingInput input);

  bool finished() const override { return finished_; }
  std::vector<Feed> feeds() override;
  void step(const Tensor& logits, std::int64_t first_row) override;
  std::vector<std::vector<std::int32_t>> sequences() const override { return {ids_}; }

  const std::vector<std::int32_t>& ids() const { return ids_; }  // the prompt and what was written
  std::size_t prompt_length() const { return input_.ids.size(); }
  // What the model gave each written token: the logarithm of its probability before any processor. Empty unless asked for.
  const std::vector<float>& log_probabilities() const { return log_probabilities_; }
  // Tokens that were guessed, and those of them that were right.
  std::size_t proposed() const { return proposed_; }
  std::size_t accepted() const { return accepted_; }
  // The keys and values of ids() but for its last token.
  const KvCache& cache() const { return cache_; }

 private:
  void write(const float* logits, const float* unguided, std::size_t vocabulary);
  std::int32_t best() const;
  std::int32_t sampled();

  const GenerationConfig& config_;
  DecodingInput input_;
  Lengths lengths_;
  Stopping stopping_;
  KvCache cache_;
  std::optional<Guidance> guidance_;
  LogitsProcessors processors_;  // made when the vocabulary is known
  std::vector<std::int32_t> ids_, pending_;  // pending: what the model has not read, with the guesses behind it
  std::size_t guesses_ = 0, proposed_ = 0, accepted_ = 0;
  std::vector<float> scores_, log_probabilities_;
  bool finished_ = false;
};

}  // namespace polymath
