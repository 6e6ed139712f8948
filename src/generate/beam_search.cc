// Beam search as Transformers does it since 4.50 (generation/utils.py, _beam_search), and its sampling form.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "base/threads.h"
#include "generate/decoding.h"
#include "generate/guidance.h"
#include "generate/processors.h"
#include "generate/random.h"
#include "generate/stopping.h"
#include "polymath/error.h"

namespace polymath {
namespace {

constexpr float kNever = -1.0e9f;  // Transformers' score of what must not win

struct Beam {
  std::vector<std::int32_t> ids;
  float score = 0;
  std::size_t parent = 0;   // the running beam that it continues
  bool done = false;        // a candidate that meets a stopping criterion; a kept sequence that is real
};

// The first `count` by score, highest first; the earlier one where two are equal. No number counts as the highest, as in torch's topk.
template <class ScoreOf>
std::vector<std::size_t> best(std::size_t size, std::size_t count, ScoreOf score_of) {
  std::vector<std::size_t> order;
  count = std::min(count, size);
  const auto key = [&](std::size_t i) {
    const auto score = score_of(i);
    return std::isnan(score) ? std::numeric_limits<decltype(score)>::infinity() : score;
  };
  const auto before = [&](std::size_t a, std::size_t b) {
    const auto x = key(a), y = key(b);
    return x != y ? x > y : a < b;
  };
  constexpr std::size_t kTogether = 64;  // most of a vocabulary is passed over without a branch for each token
  for (std::size_t begin = 0; begin < size; begin += kTogether) {  // a heap of the best so far, the last of them on top
    const std::size_t end = std::min(size, begin + kTogether);
    if (order.size() == count) {
      const auto worst = score_of(order.front());
      bool some = false;
      for (std::size_t i = begin; i < end; ++i) some |= !(score_of(i) <= worst);
      if (!some) continue;
    }
    for (std::size_t i = begin; i < end; ++i) {
      if (order.size() == count) {
        if (!before(i, order.front())) continue;
        std::pop_heap(order.begin(), order.end(), before);
        order.pop_back();
      }
      order.push_back(i);
      std::push_heap(order.begin(), order.end(), before);
    }
  }
  std::sort_heap(order.begin(), order.end(), before);
  return order;
}

class BeamSearch final : public Decoding {
 public:
  BeamSearch(const Model& model, const GenerationConfig& config, DecodingInput input)
      : config_(config),
        input_(std::move(input)),
        lengths_(lengths_of(config, input_)),
        stopping_(config, lengths_.max_length, input_.tokenizer),
        beams_(static_cast<std::size_t>(config.num_beams)),
        running_(beams_, Beam{.ids = input_.ids, .score = kNever}),
        kept_(beams_, Beam{.ids = input_.ids, .score = kNever}),
        caches_(1, KvCache(model.kv_shape())),
        pending_(visible_ids(input_)) {
    running_[0].score = 0;  // the others are copies of the first until it has parted
    if (config.guidance_scale) guidance_.emplace(model, *config.guidance_scale, beams_, input_.ids.back());
  }

  bool finished() const override { return finished_; }

  std::vector<Feed> feeds() override {
    std::vector<Feed> feeds;
    if (caches_.size() == 1) {  // the prompt is read once for all beams
      feeds.push_back({.cache = &caches_[0], .memory = input_.memory.get(), .ids = pending_});
    } else {
      for (std::size_t b = 0; b < beams_; ++b) {
        feeds.push_back({.cache = &caches_[b], .memory = input_.memory.get(), .ids = std::span<const std::int32_t>(running_[b].ids).last(1)});
      }
    }
    if (guidance_) guidance_->add_feeds(feeds);
    return feeds;
  }

  void step(const Tensor& logits, std::int64_t first_row) override {
    const auto vocabulary = static_cast<std::size_t>(logits.dim(1));
    if (step_ == 0) processors_ = logits_processors(config_, processor_context(input_, lengths_, vocabulary));
    const std::size_t count = std::max<std::size_t>(2, 1 + config_.eos_token_id.size()) * beams_;
    if (count > beams_ * vocabulary) {
      throw Error(ErrorCode::kInvalidArgument, "needs " + std::to_string(count) + " continuations, and there are " + std::to_string(beams_ * vocabulary), "num_beams");
    }
    std::vector<std::vector<Continuation>> of_beam(beams_);
    const bool plain = processors_.empty() && !guidance_ && !config_.do_sample;  // then the logits are not written anew
    if (!plain) scores_.resize(beams_ * vocabulary);
    ThreadPool::global().parallel_for(beams_, [&](std::size_t b) {
      const float* row = logits.row(first_row + static_cast<std::int64_t>(caches_.size() == 1 ? 0 : b));
      float most = 0, offset = 0;
      if (plain) offset = log_exp_sum({row, vocabulary}, &most);
      else {
        const std::span<float> scores(scores_.data() + b * vocabulary, vocabulary);
        std::copy(row, row + vocabulary, scores.begin());
        log_softmax(scores);
        if (guidance_) guidance_->apply(scores, logits.row(first_row + static_cast<std::int64_t>(caches_.size() + b)));
        apply(processors_, running_[b].ids, scores);
        row = scores.data();
      }
      const float before = running_[b].score;
      const auto score_of = [&](std::size_t i) { return ((row[i] - most) - offset) + before; };
      if (config_.do_sample) {
        for (std::size_t i = 0; i < vocabulary; ++i) scores_[b * vocabulary + i] = score_of(i);
      } else {
        for (std::size_t i : best(vocabulary, count, score_of)) of_beam[b].push_back({score_of(i), b, static_cast<std::int32_t>(i)});
      }
    });
    const std::vector<Beam> candidates = beams_of(config_.do_sample ? drawn(count, vocabulary) : merged(of_beam, count));
    keep_finished(candidates);
    run_on(candidates);
    ++step_;
    const bool all_done = std::all_of(candidates.begin(), candidates.end(), [](const Beam& beam) { return beam.done; });
    can_improve_ = can_improve_ && running_can_win();
    const bool full = config_.early_stopping == EarlyStopping::kYes && all_kept();
    finished_ = all_done || !can_improve_ || full;
  }

  std::vector<std::vector<std::int32_t>> sequences() const override {
    std::vector<std::vector<std::int32_t>> all;
    std::size_t longest = 0;
    for (std::int64_t i = 0; i < config_.num_return_sequences; ++i) {
      all.push_back(kept_[static_cast<std::size_t>(i)].ids);
      longest = std::max(longest, all.back().size());
    }
    // Transformers fills with pad_token_id, but takes an id of 0 for a missing one.
    const std::int32_t fill = config_.eos_token_id.empty() ? -1 : config_.pad_token_id.value_or(0) != 0 ? *config_.pad_token_id : config_.eos_token_id[0];
    for (auto& ids : all) ids.resize(longest, fill);
    return all;
  }

 private:
  float penalized(float score, std::size_t written) const {
    return score / static_cast<float>(std::pow(static_cast<double>(written), config_.length_penalty));
  }

  struct Continuation {
    float score = 0;
    std::size_t parent = 0;
    std::int32_t token = 0;
  };

  // The best of those that each beam has, in the order of beams and tokens where scores are equal.
  std::vector<Continuation> merged(const std::vector<std::vector<Continuation>>& of_beam, std::size_t count) const {
    std::vector<Continuation> all, chosen;
    for (const auto& some : of_beam) all.insert(all.end(), some.begin(), some.end());
    std::sort(all.begin(), all.end(), [](const Continuation& a, const Continuation& b) { return std::tie(a.parent, a.token) < std::tie(b.parent, b.token); });
    for (std::size_t i : best(all.size(), count, [&](std::size_t i) { return all[i].score; })) chosen.push_back(all[i]);
    return chosen;
  }

  // The candidates: more than there are beams, so that enough remain when some end.
  std::vector<Beam> beams_of(const std::vector<Continuation>& chosen) const {
    std::vector<Beam> candidates;
    for (const Continuation& c : chosen) {
      Beam& beam = candidates.emplace_back(Beam{.ids = running_[c.parent].ids, .score = c.score, .parent = c.parent});
      beam.ids.push_back(c.token);
      beam.done = stopping_(beam.ids);
    }
    return candidates;
  }

  // Draws without replacement, in proportion to exp(score): the highest of scores with Gumbel noise (Kool et al. 2019, arXiv:1903.06059).
  std::vector<Continuation> drawn(std::size_t count, std::size_t vocabulary) const {
    std::vector<double> noisy(scores_.size());
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      noisy[i] = static_cast<double>(scores_[i]) - std::log(-std::log(uniform(input_.seed, input_.number, step_, i)));
    }
    std::vector<Continuation> chosen;
    for (std::size_t i : best(noisy.size(), count, [&](std::size_t i) { return noisy[i]; })) {
      chosen.push_back({scores_[i], i / vocabulary, static_cast<std::int32_t>(i % vocabulary)});
    }
    return chosen;
  }

  bool all_kept() const {
    return std::all_of(kept_.begin(), kept_.end(), [](const Beam& beam) { return beam.done; });
  }

  // A candidate that ends and ranks among the first goes to the kept sequences if it beats one.
  void keep_finished(const std::vector<Beam>& candidates) {
    std::vector<Beam> merged = kept_;
    const bool full = config_.early_stopping == EarlyStopping::kYes && all_kept();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      Beam& beam = merged.emplace_back(candidates[i]);
      beam.done = candidates[i].done && i < beams_;
      beam.score = penalized(beam.score, step_ + 1);
      if (full) beam.score += kNever;
      if (!can_improve_) beam.score += kNever;
      if (!beam.done) beam.score += kNever;
    }
    kept_.clear();
    for (std::size_t i : best(merged.size(), beams_, [&](std::size_t j) { return merged[j].score; })) kept_.push_back(std::move(merged[i]));
  }

  // The best candidates that do not end run on, with copies of their parents' caches.
  void run_on(const std::vector<Beam>& candidates) {
    const auto score_of = [&](std::size_t i) { return candidates[i].score + (candidates[i].done ? kNever : 0.0f); };
    std::vector<KvCache> caches;
    running_.clear();
    for (std::size_t i : best(candidates.size(), beams_, score_of)) {
      caches.push_back(caches_[caches_.size() == 1 ? 0 : candidates[i].parent]);
      running_.push_back(candidates[i]);
      running_.back().score = score_of(i);
      if (guidance_) guidance_->written(running_.size() - 1, candidates[i].ids.back());
    }
    caches_ = std::move(caches);
  }

  // Whether the best running beam could still beat the worst kept sequence; length_penalty makes this a guess.
  bool running_can_win() const {
    const bool longest = config_.early_stopping == EarlyStopping::kNever && config_.length_penalty > 0;
    const std::size_t written = longest ? static_cast<std::size_t>(lengths_.max_length) - input_.ids.size() : step_;
    const float best_possible = penalized(running_[0].score, written);
    float worst = kept_[0].score;
    for (const Beam& beam : kept_) worst = std::isnan(beam.score) || beam.score < worst ? beam.score : worst;
    return std::any_of(kept_.begin(), kept_.end(), [&](const Beam& beam) { return best_possible > (beam.done ? worst : kNever); });
  }

  const GenerationConfig& config_;
  DecodingInput input_;
  Lengths lengths_;
  Stopping stopping_;
  std::size_t beams_;
  std::vector<Beam> running_, kept_;  // [beams], best first
  std::vector<KvCache> caches_;       // of the running beams; one until they part
  std::optional<Guidance> guidance_;
  LogitsProcessors processors_;
  std::vector<std::int32_t> pending_;
  std::vector<float> scores_;  // [beams, vocabulary], where they are more than the logits' share
  std::size_t step_ = 0;       // tokens written
  bool can_improve_ = true, finished_ = false;
};

}  // namespace

std::unique_ptr<Decoding> make_beam_search(const Model& model, const GenerationConfig& config, DecodingInput input) {
  return std::make_unique<BeamSearch>(model, config, std::move(input));
}

}  // namespace polymath
