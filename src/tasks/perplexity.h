// How surprised a language model is by a text: exp of the mean negative log likelihood of its tokens.
//
// Source: "Perplexity of fixed-length models" in Transformers' documentation. The text passes in windows of `length` tokens,
// each `stride` after the last; a token counts in the first window that holds it, given those before it there.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "models/model.h"

namespace polymath {

struct PerplexityOptions {
  std::int64_t length = 1024, stride = 512;  // tokens; 1 <= stride < length
  std::function<void(std::size_t done, std::size_t total)> progress;  // tokens
};

// Windows as long as a model of so many positions (0: any) reads them, at most 1024, each half a window after the last.
PerplexityOptions usual_windows(std::int64_t positions);

struct Perplexity {
  double perplexity = 0, mean_negative_log_likelihood = 0;
  std::size_t tokens = 0, windows = 0;  // tokens that were predicted: all but the first
};

// Throws Error where the model is no decoder, the options are out of range or there are less than two tokens.
Perplexity perplexity(const Model& model, std::span<const std::int32_t> ids, const PerplexityOptions& options);

}  // namespace polymath
