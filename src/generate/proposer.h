// Guesses of how a text goes on, which the model checks in one pass (speculative decoding: Leviathan et al. 2023,
// arXiv:2211.17192). What is written is what the model alone would write, bit for bit; good guesses only make it quicker.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/model.h"

namespace polymath {

class Proposer {
 public:
  virtual ~Proposer() = default;
  // At most `most` tokens that may follow these; perhaps none.
  virtual std::vector<std::int32_t> propose(std::span<const std::int32_t> ids, std::size_t most) = 0;
};

// What followed the newest tokens where they stood before (prompt lookup: Saxena 2023), in the text itself or in one given beside it.
class PromptLookup final : public Proposer {
 public:
  // longest: of the run of tokens that is looked up; shorter ones are tried after it. beside: may be empty; must outlive it.
  PromptLookup(std::size_t longest, std::span<const std::int32_t> beside) : longest_(longest), beside_(beside) {}
  std::vector<std::int32_t> propose(std::span<const std::int32_t> ids, std::size_t most) override;

 private:
  std::size_t longest_;
  std::span<const std::int32_t> beside_;
};

// What a smaller model of the same vocabulary would write.
class DraftModel final : public Proposer {
 public:
  explicit DraftModel(const Model& model) : model_(model), cache_(model.kv_shape()) {}  // model must outlive it
  std::vector<std::int32_t> propose(std::span<const std::int32_t> ids, std::size_t most) override;

 private:
  const Model& model_;
  KvCache cache_;
  std::vector<std::int32_t> read_;  // the tokens that the cache holds
};

}  // namespace polymath
