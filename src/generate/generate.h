// generate() of Transformers 4.57.6 for many prompts at once.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "generate/decoding.h"

namespace polymath {

// A prompt; of an encoder-decoder, the source.
struct Prompt {
  std::vector<std::int32_t> ids;
  std::vector<std::uint8_t> mask;  // [ids], 0: padding; or empty
};

struct GenerateOptions {
  const PretrainedTokenizer* tokenizer = nullptr;  // for stop_strings
  std::int64_t max_positions = 0;                  // config.json's max_position_embeddings; 0: unknown
  std::uint64_t seed = 0;
  const Model* draft = nullptr;  // a smaller model of the same vocabulary, whose guesses are checked; must outlive the call
  std::size_t draft_tokens = 5;
  std::span<const std::int32_t> lookup;  // a text that prompt lookup looks into first
  // [prompts][sequences][tokens written]: where generate() puts the model's own log-probabilities of the tokens, before any
  // processor; or null. Not with beams.
  std::vector<std::vector<std::vector<float>>>* log_probabilities = nullptr;
};

// num_return_sequences sequences for each prompt, prompts included (of an encoder-decoder: the decoder's). A prompt's result
// does not depend on the others. Throws Error naming the parameter at fault. Const use of a model from many threads is safe.
using Sequences = std::vector<std::vector<std::int32_t>>;
std::vector<Sequences> generate(const Model& model, std::span<const Prompt> prompts, const GenerationConfig& config, const GenerateOptions& options);

// The decodings of one prompt, for a caller that advances them itself; several where sampling is to return several.
std::vector<std::unique_ptr<Decoding>> start_decoding(const Model& model, const Prompt& prompt, std::size_t number, const GenerationConfig& config,
                                                      const GenerateOptions& options);

}  // namespace polymath
