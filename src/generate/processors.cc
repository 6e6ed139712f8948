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

float log_exp_sum(std::span<const float> scores, float* largest) {
  return static_cast<float>(std::log(static_cast<double>(kernels::table().exp_sum(scores.data(), scores.size(), largest))));
}

void log_softmax(std::span<float> scores) {
  float most = 0;
  const float offset = log_exp_sum(scores, &most);
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
