// Sequences that are being written, any number of them and of any age, in shared passes of the model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "generate/generation_config.h"
#include "generate/processors.h"
#include "generate/proposer.h"
#include "models/model.h"
#include "text/pretrained_tokenizer.h"

namespace polymath {

// Tokens that a cache has not seen yet, for the model to read. A cache is in one feed of a pass.
struct Feed {
  KvCache* cache = nullptr;
  KvCache* memory = nullptr;  // what an encoder-decoder remembers of the source
  std::span<const std::int32_t> ids;  // at least one
  std::size_t logits = 1;             // after how many of its last tokens logits are wanted
};

// The logits that the feeds want, one feed after the other: [rows, vocabulary]. Long feeds go through the model in pieces of bounded
// size, which changes no bit. The caches hold the tokens afterwards.
Tensor next_logits(const Model& model, std::span<const Feed> feeds);

// What a decoding writes for one prompt, and how.
struct DecodingInput {
  std::vector<std::int32_t> ids;          // the prompt (of an encoder-decoder: the decoder's), padding included
  std::vector<std::uint8_t> mask;         // [ids], 0: padding, which the model does not see; or empty
  std::vector<std::int32_t> encoder_ids;  // the source, for the processors that look at it
  std::shared_ptr<KvCache> memory;        // of an encoder-decoder
  const KvCache* prefix = nullptr;        // keys and values of the first of ids, fewer than all; or null
  std::shared_ptr<Proposer> proposer;     // guesses that are checked in one pass; or null
  std::size_t proposals = 0;              // tokens of a guess, at most
  bool log_probabilities = false;         // of the tokens that are written (stream.h)
  std::int64_t max_positions = 0;         // config.json's max_position_embeddings; 0: unknown
  const PretrainedTokenizer* tokenizer = nullptr;  // for stop_strings
  std::uint64_t seed = 0, number = 0;     // sampling depends on both and on the step alone
};

// The lengths that hold for a prompt. Throws Error where no token fits.
struct Lengths {
  std::int64_t max_length = 0, min_length = 0;
};
Lengths lengths_of(const GenerationConfig& config, const DecodingInput& input);

// The ids from `begin` on that the model is to see.
std::vector<std::int32_t> visible_ids(const DecodingInput& input, std::size_t begin = 0);

// What the processors of a decoding depend on, once the model's vocabulary is known.
ProcessorContext processor_context(const DecodingInput& input, const Lengths& lengths, std::size_t vocabulary);

// Writes one or several sequences for a prompt, step by step. Not thread safe.
class Decoding {
 public:
  virtual ~Decoding() = default;

  virtual bool finished() const = 0;
  // What the model has to read before the next step, and the step; its logits begin at a row. Not once finished.
  virtual std::vector<Feed> feeds() = 0;
  virtual void step(const Tensor& logits, std::int64_t first_row) = 0;
  // The sequences, prompts included, best first.
  virtual std::vector<std::vector<std::int32_t>> sequences() const = 0;
};

// One step of all, in shared passes. A step writes a token, or several where guesses were right.
void advance_all(const Model& model, std::span<Decoding* const> decodings);

// Beams (beam_search.cc); one sequence, greedy or sampled, is a Stream. config and what input points to must outlive them.
std::unique_ptr<Decoding> make_beam_search(const Model& model, const GenerationConfig& config, DecodingInput input);

}  // namespace polymath
