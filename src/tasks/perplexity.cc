#include "tasks/perplexity.h"

#include <algorithm>
#include <cmath>

#include "generate/decoding.h"
#include "generate/processors.h"
#include "polymath/error.h"

namespace polymath {
namespace {

constexpr std::size_t kPiece = 64;  // tokens whose logits are in memory together

// -log softmax(logits)[token]
double negative_log_likelihood(std::span<const float> logits, std::int32_t token) {
  float largest = 0;
  const float log_sum = log_exp_sum(logits, &largest);
  return static_cast<double>(log_sum) + static_cast<double>(largest) - static_cast<double>(logits[static_cast<std::size_t>(token)]);
}

}  // namespace

PerplexityOptions usual_windows(std::int64_t positions) {
  PerplexityOptions windows;
  if (positions > 0) windows.length = std::min(positions, windows.length);
  windows.stride = std::max<std::int64_t>(1, windows.length / 2);
  return windows;
}

Perplexity perplexity(const Model& model, std::span<const std::int32_t> ids, const PerplexityOptions& options) {
  if (!model.is_decoder() || model.is_encoder_decoder()) throw Error(ErrorCode::kInvalidArgument, "this model does not predict a text token by token", "perplexity");
  if (options.length < 2) throw Error(ErrorCode::kInvalidArgument, "must be at least 2 tokens", "length");
  if (options.stride < 1 || options.stride >= options.length) throw Error(ErrorCode::kInvalidArgument, "must be at least 1 and less than the length", "stride");
  if (ids.size() < 2) throw Error(ErrorCode::kInvalidArgument, "has less than two tokens", "the text");
  Perplexity result;
  double sum = 0;
  const auto length = static_cast<std::size_t>(options.length), stride = static_cast<std::size_t>(options.stride);
  for (std::size_t begin = 0, counted = 1; counted < ids.size(); begin += stride, ++result.windows) {
    const std::size_t end = std::min(ids.size(), begin + length);
    KvCache cache(model.kv_shape());
    if (counted > begin + 1) {  // tokens that only give context
      const Feed feed{.cache = &cache, .ids = ids.subspan(begin, counted - 1 - begin), .logits = 1};
      next_logits(model, std::span(&feed, 1));
    }
    while (counted < end) {
      const std::size_t predicted = std::min(kPiece, end - counted);  // of the tokens from `counted` on
      const Feed feed{.cache = &cache, .ids = ids.subspan(counted - 1, predicted), .logits = predicted};
      const Tensor logits = next_logits(model, std::span(&feed, 1));
      for (std::size_t i = 0; i < predicted; ++i) {
        const std::int32_t token = ids[counted + i];
        if (token < 0 || token >= logits.dim(-1)) {
          throw Error(ErrorCode::kInvalidArgument, std::to_string(token) + " is outside the model's vocabulary of " + std::to_string(logits.dim(-1)), "the tokenizer's id");
        }
        sum += negative_log_likelihood({logits.row(static_cast<std::int64_t>(i)), static_cast<std::size_t>(logits.dim(-1))}, token);
      }
      counted += predicted;
      if (options.progress) options.progress(counted, ids.size());
    }
  }
  result.tokens = ids.size() - 1;
  result.mean_negative_log_likelihood = sum / static_cast<double>(result.tokens);
  result.perplexity = std::exp(result.mean_negative_log_likelihood);
  return result;
}

}  // namespace polymath
