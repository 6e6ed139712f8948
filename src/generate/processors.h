// What changes the scores of the next token before it is chosen: generation/logits_process.py of Transformers 4.57.6.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "generate/generation_config.h"

namespace polymath {

class LogitsProcessor {
 public:
  virtual ~LogitsProcessor() = default;
  // ids: the sequence so far, its prompt included; scores: [vocabulary], changed in place. Thread safe. Throws Error naming a
  // parameter that forces a token outside of the vocabulary.
  virtual void operator()(std::span<const std::int32_t> ids, std::span<float> scores) const = 0;
};

using LogitsProcessors = std::vector<std::unique_ptr<const LogitsProcessor>>;

// What of a call the processors depend on.
struct ProcessorContext {
  std::int64_t prompt_length = 0;         // of the decoder
  std::int64_t max_length = 0;            // prompt included
  std::int64_t min_length = 0;            // the prompt and min_new_tokens, where they are given
  std::size_t vocabulary = 0;
  std::vector<std::int32_t> encoder_ids;  // the source; of a decoder alone, its prompt
};

// Those that the config asks for, in Transformers' order; sampling's filters and renormalization come last. (guidance_scale needs
// the model: see guidance.h.) Throws Error naming a parameter that holds a token outside of the vocabulary.
LogitsProcessors logits_processors(const GenerationConfig& config, const ProcessorContext& context);

void apply(const LogitsProcessors& processors, std::span<const std::int32_t> ids, std::span<float> scores);

// scores <- log softmax(scores)
void log_softmax(std::span<float> scores);
// log(sum of exp(x - largest)): log_softmax is (x - largest) - it.
float log_exp_sum(std::span<const float> scores, float* largest);

// --- the two groups, for logits_processors ---
void add_penalties(LogitsProcessors& all, const GenerationConfig& config, const ProcessorContext& context);
void add_filters(LogitsProcessors& all, const GenerationConfig& config);

}  // namespace polymath
