#include "generate/stream.h"

#include <cmath>

#include "base/random.h"
#include "kernels/kernels.h"
#include "polymath/error.h"

namespace polymath {

Stream::Stream(const Model& model, const GenerationConfig& config, DecodingInput input)
    : config_(config),
      input_(std::move(input)),
      lengths_(lengths_of(config, input_)),
      stopping_(config, lengths_.max_length, input_.tokenizer),
      cache_(input_.prefix ? *input_.prefix : KvCache(model.kv_shape())),
      ids_(input_.ids),
      pending_(visible_ids(input_, static_cast<std::size_t>(cache_.length()))) {
  if (config.guidance_scale) guidance_.emplace(model, *config.guidance_scale, 1, ids_.back());
}

std::vector<Feed> Stream::feeds() {
  guesses_ = 0;
  // Where frequencies hang on the length of the sequence, a token's row would see the guesses behind it.
  const bool can_guess = input_.proposer && !guidance_ && cache_.length() > 0 && cache_.source.ids.empty();
  const auto room = static_cast<std::size_t>(lengths_.max_length) - ids_.size();  // at least one is left to write
  if (can_guess) {
    const auto guess = input_.proposer->propose(ids_, std::min(input_.proposals, room - 1));
    pending_.insert(pending_.end(), guess.begin(), guess.end());
    guesses_ = guess.size();
  }
  std::vector<Feed> feeds = {{.cache = &cache_, .memory = input_.memory.get(), .ids = pending_, .logits = guesses_ + 1}};
  if (guidance_) guidance_->add_feeds(feeds);
  return feeds;
}

void Stream::step(const Tensor& logits, std::int64_t first_row) {
  const auto vocabulary = static_cast<std::size_t>(logits.dim(1));
  if (ids_.size() == input_.ids.size()) processors_ = logits_processors(config_, processor_context(input_, lengths_, vocabulary));
  const std::int64_t checked = cache_.length() - static_cast<std::int64_t>(guesses_);
  const std::vector<std::int32_t> guess(pending_.end() - static_cast<std::ptrdiff_t>(guesses_), pending_.end());
  std::size_t right = 0;
  for (;; ++right) {
    const std::int64_t row = first_row + static_cast<std::int64_t>(right);
    write(logits.row(row), guidance_ ? logits.row(row + 1) : nullptr, vocabulary);
    if (finished_ || right == guess.size() || guess[right] != ids_.back()) break;
  }
  proposed_ += guess.size();
  accepted_ += right;
  if (right < guess.size()) cache_.truncate(checked + static_cast<std::int64_t>(right));
  pending_.assign(1, ids_.back());
  if (guidance_) guidance_->written(0, ids_.back());
}

// Chooses the next token by its logits.
void Stream::write(const float* logits, const float* unguided, std::size_t vocabulary) {
  scores_.assign(logits, logits + vocabulary);
  if (unguided) guidance_->apply(scores_, unguided);
  apply(processors_, ids_, scores_);
  const std::int32_t next = config_.do_sample ? sampled() : best();
  if (input_.log_probabilities) {
    scores_.assign(logits, logits + vocabulary);
    log_softmax(scores_);
    log_probabilities_.push_back(scores_[static_cast<std::size_t>(next)]);
  }
  ids_.push_back(next);
  finished_ = stopping_(ids_);
}

// The first of the highest; no number counts as higher than any, as in torch's argmax.
std::int32_t Stream::best() const {
  std::size_t best = 0;
  for (std::size_t i = 0; i < scores_.size(); ++i) {
    if (std::isnan(scores_[i])) return static_cast<std::int32_t>(i);
    if (scores_[i] > scores_[best]) best = i;
  }
  return static_cast<std::int32_t>(best);
}

std::int32_t Stream::sampled() {
  kernels::table().softmax(scores_.data(), 1, scores_.size(), scores_.size());
  double sum = 0;
  for (float p : scores_) sum += static_cast<double>(p);
  if (!std::isfinite(sum) || sum <= 0) throw Error(ErrorCode::kInvalidArgument, "leave no token that could follow", "parameters");
  double left = uniform(input_.seed, input_.number, ids_.size() - input_.ids.size()) * sum;
  std::size_t last = 0;
  for (std::size_t i = 0; i < scores_.size(); ++i) {
    if (scores_[i] <= 0) continue;
    last = i;
    if ((left -= static_cast<double>(scores_[i])) < 0) break;
  }
  return static_cast<std::int32_t>(last);
}

}  // namespace polymath
