#include "generate/processors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.h"

namespace polymath {
namespace {

class Renormalize final : public LogitsProcessor {
 public:
  void operator()(std::span<const std::int32_t>, std::span<float> scores) const override { log_softmax(scores); }
};

}  // namespace

void log_softmax(std::span<float> scores) {
  const float most = *std::max_element(scores.begin(), scores.end());
  std::vector<float> probabilities(scores.begin(), scores.end());
  // The sum of exp(x - most) is what softmax divides by: 1 over the share of the most likely token.
  kernels::table().softmax(probabilities.data(), 1, probabilities.size(), probabilities.size());
  const auto top = static_cast<double>(*std::max_element(probabilities.begin(), probabilities.end()));
  const auto offset = static_cast<float>(-std::log(top));
  for (float& score : scores) score = (score - most) - offset;
}

LogitsProcessors logits_processors(const GenerationConfig& config, const ProcessorContext& context) {
  LogitsProcessors all;
  add_penalties(all, config, context);
  if (config.do_sample) add_filters(all, config);
  if (config.renormalize_logits) all.push_back(std::make_unique<Renormalize>());
  return all;
}

void apply(const LogitsProcessors& processors, std::span<const std::int32_t> ids, std::span<float> scores) {
  for (const auto& processor : processors) (*processor)(ids, scores);
}

}  // namespace polymath
