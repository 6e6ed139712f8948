// The filters of sampling ("logits warpers"): each sets the scores of unlikely tokens to -inf.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "generate/processors.h"
#include "kernels/kernels.h"

namespace polymath {
namespace {

constexpr float kOut = -std::numeric_limits<float>::infinity();

std::vector<float> softmax_of(std::span<const float> scores) {
  std::vector<float> probabilities(scores.begin(), scores.end());
  kernels::table().softmax(probabilities.data(), 1, probabilities.size(), probabilities.size());
  return probabilities;
}

// The k-th largest score.
float kth_largest(std::span<const float> scores, std::size_t k) {
  std::vector<float> sorted(scores.begin(), scores.end());
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(k, sorted.size()) - 1);
  std::nth_element(sorted.begin(), at, sorted.end(), std::greater<>());
  return *at;
}

// The indices of the tokens that are not out yet, sorted.
template <class Before>
std::vector<std::size_t> sorted_tokens(std::span<const float> scores, Before before) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] != kOut) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), before);
  return order;
}

class Temperature final : public LogitsProcessor {
 public:
  explicit Temperature(double temperature) : temperature_(static_cast<float>(temperature)) {}
  void operator()(std::span<const std::int32_t>, std::span<float> scores) const override {
    for (float& score : scores) score /= temperature_;
  }

 private:
  float temperature_;
};

class TopK final : public LogitsProcessor {
 public:
  TopK(std::int64_t top_k, std::size_t least) : top_k_(std::max(static_cast<std::size_t>(top_k), least)) {}
  void operator()(std::span<const std::int32_t>, std::span<float> scores) const override {
    const float bound = kth_largest(scores, top_k_);
    for (float& score : scores) {
      if (score < bound) score = kOut;
    }
  }

 private:
  std::size_t top_k_;
};

// Nucleus sampling (Holtzman et al. 2020, arXiv:1904.09751).
class TopP final : public LogitsProcessor {
 public:
  TopP(double top_p, std::size_t least) : cut_(1 - top_p), least_(least) {}
  void operator()(std::span<const std::int32_t>, std::span<float> scores) const override {
    const auto probabilities = softmax_of(scores);
    const auto order = sorted_tokens(scores, [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    float sum = 0;
    for (std::size_t i = 0; i + least_ < order.size(); ++i) {
      sum += probabilities[order[i]];
      if (sum > static_cast<float>(cut_)) break;
      scores[order[i]] = kOut;
    }
  }

 private:
  double cut_;
  std::size_t least_;
};

class MinP final : public LogitsProcessor {
 public:
  MinP(double min_p, std::size_t least) : min_p_(static_cast<float>(min_p)), least_(least) {}
  void operator()(std::span<const std::int32_t>, std::span<float> scores) const override {
    const auto probabilities = softmax_of(scores);
    const float bound = min_p_ * *std::max_element(probabilities.begin(), probabilities.end());
    const auto order = sorted_tokens(scores, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    for (std::size_t i = least_; i < order.size(); ++i) {
      if (probabilities[order[i]] < bound) scores[order[i]] = kOut;
    }
  }

 private:
  float min_p_;
  std::size_t least_;
};

// Locally typical sampling (Meister et al. 2023, arXiv:2202.00666).
class Typical final : public LogitsProcessor {
 public:
  Typical(double mass, std::size_t least) : mass_(static_cast<float>(mass)), least_(least) {}
  void operator()(std::span<const std::int32_t>, std::span<float> scores) const override {
    std::vector<float> normalized(scores.begin(), scores.end());
    log_softmax(normalized);
    const auto probabilities = softmax_of(scores);
    float entropy = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] != kOut) entropy -= normalized[i] * probabilities[i];
    }
    const auto distance = [&](std::size_t i) { return std::fabs(-normalized[i] - entropy); };
    const auto order = sorted_tokens(scores, [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
    if (order.empty()) return;
    float sum = 0;
    std::size_t last = 0;
    while (last < order.size() && (sum += probabilities[order[last]]) < mass_) ++last;
    const float bound = distance(order[std::min(last, order.size() - 1)]);
    for (std::size_t i = least_; i < order.size(); ++i) {
      if (distance(order[i]) > bound) scores[order[i]] = kOut;
    }
  }

 private:
  float mass_;
  std::size_t least_;
};

// Epsilon sampling, and eta sampling whose bound falls where the distribution is flat (Hewitt et al. 2022, arXiv:2210.15191).
class Cutoff final : public LogitsProcessor {
 public:
  Cutoff(double epsilon, bool eta, std::size_t least) : epsilon_(static_cast<float>(epsilon)), eta_(eta), least_(least) {}
  void operator()(std::span<const std::int32_t>, std::span<float> scores) const override {
    const auto probabilities = softmax_of(scores);
    float bound = epsilon_;
    if (eta_) {
      std::vector<float> normalized(scores.begin(), scores.end());
      log_softmax(normalized);
      float entropy = 0;
      for (std::size_t i = 0; i < scores.size(); ++i) entropy -= probabilities[i] * std::max(normalized[i], std::numeric_limits<float>::lowest());
      bound = std::min(epsilon_, std::sqrt(epsilon_) * std::exp(-entropy));
    }
    const float keep = kth_largest(scores, least_);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (probabilities[i] < bound && scores[i] < keep) scores[i] = kOut;
    }
  }

 private:
  float epsilon_;
  bool eta_;
  std::size_t least_;
};

}  // namespace

void add_filters(LogitsProcessors& all, const GenerationConfig& c) {
  // With beams one token has to remain that does not end the sequence.
  const std::size_t least = c.num_beams == 1 ? 1 : c.eos_token_id.empty() ? 2 : c.eos_token_id.size() + 1;
  if (c.temperature) all.push_back(std::make_unique<Temperature>(*c.temperature));
  if (c.top_k) all.push_back(std::make_unique<TopK>(*c.top_k, least));
  if (c.top_p) all.push_back(std::make_unique<TopP>(*c.top_p, least));
  if (c.min_p) all.push_back(std::make_unique<MinP>(*c.min_p, least));
  if (c.typical_p) all.push_back(std::make_unique<Typical>(*c.typical_p, least));
  if (c.epsilon_cutoff) all.push_back(std::make_unique<Cutoff>(*c.epsilon_cutoff, false, least));
  if (c.eta_cutoff) all.push_back(std::make_unique<Cutoff>(*c.eta_cutoff, true, least));
}

}  // namespace polymath
