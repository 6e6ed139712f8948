// The processors that every way of decoding uses: biases, repetitions, lengths and forced tokens.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "generate/processors.h"
#include "polymath/error.h"

namespace polymath {
namespace {

constexpr float kOut = -std::numeric_limits<float>::infinity();

using Ids = std::span<const std::int32_t>;
using Scores = std::span<float>;

float& at(Scores scores, std::int32_t id) { return scores[static_cast<std::size_t>(id)]; }

// A text may hold tokens that the model has but cannot write.
bool has(Scores scores, std::int32_t id) { return id >= 0 && static_cast<std::size_t>(id) < scores.size(); }

std::vector<std::int32_t> distinct(Ids ids) {
  std::vector<std::int32_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

void remove_tokens(Scores scores, Ids tokens) {
  for (std::int32_t id : tokens) {
    if (has(scores, id)) at(scores, id) = kOut;
  }
}

void check_tokens(const char* name, Ids tokens, std::size_t vocabulary) {
  for (std::int32_t id : tokens) {
    if (id < 0 || static_cast<std::size_t>(id) >= vocabulary) {
      throw Error(ErrorCode::kInvalidArgument, "token " + std::to_string(id) + " is outside of the model's vocabulary of " + std::to_string(vocabulary), name);
    }
  }
}

// Adds a bias to the token that would complete a sequence.
class SequenceBias final : public LogitsProcessor {
 public:
  explicit SequenceBias(std::vector<std::pair<std::vector<std::int32_t>, float>> biases) : biases_(std::move(biases)) {}
  void operator()(Ids ids, Scores scores) const override {
    std::map<std::int32_t, float> sums;
    for (const auto& [sequence, bias] : biases_) {
      if (sequence.size() == 1) sums[sequence[0]] = bias;
    }
    for (const auto& [sequence, bias] : biases_) {
      if (sequence.size() == 1 || sequence.size() > ids.size()) continue;
      if (std::equal(sequence.begin(), sequence.end() - 1, ids.end() - static_cast<std::ptrdiff_t>(sequence.size() - 1))) sums[sequence.back()] += bias;
    }
    for (const auto& [id, bias] : sums) at(scores, id) += bias;
  }

 private:
  std::vector<std::pair<std::vector<std::int32_t>, float>> biases_;
};

// Divides positive scores of tokens that were seen, multiplies negative ones (Keskar et al. 2019, arXiv:1909.05858).
class RepetitionPenalty final : public LogitsProcessor {
 public:
  // source: the tokens, for the encoder's; empty: those of the sequence itself
  RepetitionPenalty(double penalty, Ids source) : penalty_(static_cast<float>(penalty)), source_(distinct(source)) {}
  void operator()(Ids ids, Scores scores) const override {
    for (std::int32_t id : source_.empty() ? distinct(ids) : source_) {
      if (!has(scores, id)) continue;
      float& score = at(scores, id);
      score = score < 0 ? score * penalty_ : score / penalty_;
    }
  }

 private:
  float penalty_;
  std::vector<std::int32_t> source_;
};

// No n-gram of the text twice.
class NoRepeatNGram final : public LogitsProcessor {
 public:
  // source: where the n-grams come from; empty: the sequence itself
  NoRepeatNGram(std::int64_t n, std::vector<std::int32_t> source) : n_(static_cast<std::size_t>(n)), source_(std::move(source)) {}
  void operator()(Ids ids, Scores scores) const override {
    const Ids text = source_.empty() ? ids : Ids(source_);
    if (ids.size() + 1 < n_ || text.size() < n_) return;
    const Ids begun = ids.last(n_ - 1);
    for (std::size_t i = 0; i + n_ <= text.size(); ++i) {
      if (std::equal(begun.begin(), begun.end(), text.begin() + static_cast<std::ptrdiff_t>(i))) remove_tokens(scores, text.subspan(i + n_ - 1, 1));
    }
  }

 private:
  std::size_t n_;
  std::vector<std::int32_t> source_;
};

// No end before this length.
class MinLength final : public LogitsProcessor {
 public:
  MinLength(std::int64_t length, std::vector<std::int32_t> eos) : length_(length), eos_(std::move(eos)) {}
  void operator()(Ids ids, Scores scores) const override {
    if (static_cast<std::int64_t>(ids.size()) < length_) remove_tokens(scores, eos_);
  }

 private:
  std::int64_t length_;
  std::vector<std::int32_t> eos_;
};

// These tokens where the sequence has this length: they get 0, all others -inf.
class Forced final : public LogitsProcessor {
 public:
  Forced(const char* name, std::int64_t length, std::vector<std::int32_t> tokens) : name_(name), length_(length), tokens_(std::move(tokens)) {}
  void operator()(Ids ids, Scores scores) const override {
    if (static_cast<std::int64_t>(ids.size()) != length_) return;
    check_tokens(name_, tokens_, scores.size());  // only where it matters, as Transformers does
    std::fill(scores.begin(), scores.end(), kOut);
    for (std::int32_t id : tokens_) at(scores, id) = 0;
  }

 private:
  const char* name_;
  std::int64_t length_;
  std::vector<std::int32_t> tokens_;
};

class RemoveInvalid final : public LogitsProcessor {
 public:
  void operator()(Ids, Scores scores) const override {
    for (float& score : scores) {
      if (std::isnan(score)) score = 0;
      score = std::clamp(score, std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max());
    }
  }
};

// Raises the end's score from a start on.
class ExponentialDecay final : public LogitsProcessor {
 public:
  ExponentialDecay(std::int64_t start, double factor, Ids eos) : start_(start), factor_(factor), eos_(distinct(eos)) {}
  void operator()(Ids ids, Scores scores) const override {
    const auto length = static_cast<std::int64_t>(ids.size());
    if (length <= start_) return;
    const auto growth = static_cast<float>(std::pow(factor_, static_cast<double>(length - start_)) - 1);
    for (std::int32_t id : eos_) at(scores, id) += std::fabs(at(scores, id)) * growth;
  }

 private:
  std::int64_t start_;
  double factor_;
  std::vector<std::int32_t> eos_;
};

// Never these tokens, or not at one length.
class Suppress final : public LogitsProcessor {
 public:
  Suppress(std::vector<std::int32_t> tokens, std::optional<std::int64_t> length) : tokens_(std::move(tokens)), length_(length) {}
  void operator()(Ids ids, Scores scores) const override {
    if (!length_ || static_cast<std::int64_t>(ids.size()) == *length_) remove_tokens(scores, tokens_);
  }

 private:
  std::vector<std::int32_t> tokens_;
  std::optional<std::int64_t> length_;
};

std::vector<std::pair<std::vector<std::int32_t>, float>> bad_words(const GenerationConfig& c) {
  std::vector<std::pair<std::vector<std::int32_t>, float>> biases;
  for (const auto& word : c.bad_words_ids) {
    const bool is_end = word.size() == 1 && std::find(c.eos_token_id.begin(), c.eos_token_id.end(), word[0]) != c.eos_token_id.end();
    if (!is_end) biases.emplace_back(word, kOut);
  }
  return biases;
}

}  // namespace

void add_penalties(LogitsProcessors& all, const GenerationConfig& c, const ProcessorContext& context) {
  const auto add = [&]<class Processor>(Processor processor) { all.push_back(std::make_unique<Processor>(std::move(processor))); };
  for (const auto& [ids, bias] : c.sequence_bias) check_tokens("sequence_bias", ids, context.vocabulary);
  for (const auto& ids : c.bad_words_ids) check_tokens("bad_words_ids", ids, context.vocabulary);

  if (!c.sequence_bias.empty()) add(SequenceBias(c.sequence_bias));
  if (c.encoder_repetition_penalty) add(RepetitionPenalty(1 / *c.encoder_repetition_penalty, context.encoder_ids));
  if (c.repetition_penalty) add(RepetitionPenalty(*c.repetition_penalty, Ids()));
  if (c.no_repeat_ngram_size > 0) add(NoRepeatNGram(c.no_repeat_ngram_size, {}));
  if (c.encoder_no_repeat_ngram_size > 0 && !context.encoder_ids.empty()) add(NoRepeatNGram(c.encoder_no_repeat_ngram_size, context.encoder_ids));
  if (auto biases = bad_words(c); !biases.empty()) add(SequenceBias(std::move(biases)));
  if (!c.eos_token_id.empty() && context.min_length > 0) add(MinLength(context.min_length, c.eos_token_id));
  if (c.forced_bos_token_id) add(Forced("forced_bos_token_id", 1, {*c.forced_bos_token_id}));
  if (!c.forced_eos_token_id.empty()) add(Forced("forced_eos_token_id", context.max_length - 1, c.forced_eos_token_id));
  if (c.remove_invalid_values) add(RemoveInvalid());
  if (c.exponential_decay_length_penalty) {
    const auto [start, factor] = *c.exponential_decay_length_penalty;
    check_tokens("eos_token_id", c.eos_token_id, context.vocabulary);
    if (c.eos_token_id.empty()) throw Error(ErrorCode::kInvalidArgument, "needs an eos_token_id", "exponential_decay_length_penalty");
    add(ExponentialDecay(start + context.prompt_length, factor, c.eos_token_id));
  }
  if (!c.suppress_tokens.empty()) add(Suppress(c.suppress_tokens, std::nullopt));
  if (!c.begin_suppress_tokens.empty()) {
    const bool after_forced = context.prompt_length == 1 && c.forced_bos_token_id;
    add(Suppress(c.begin_suppress_tokens, context.prompt_length + (after_forced ? 1 : 0)));
  }
}

}  // namespace polymath
