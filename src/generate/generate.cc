#include "generate/generate.h"

#include <algorithm>

#include "generate/stream.h"
#include "polymath/error.h"

namespace polymath {
namespace {

// Sequences written at the same time: enough that weights are read once for many, and memory stays bounded.
constexpr std::int64_t kSequencesAtOnce = 64;

DecodingInput decoding_input(const Model& model, const Prompt& prompt, const GenerationConfig& config, const GenerateOptions& options) {
  DecodingInput input{.max_positions = options.max_positions, .tokenizer = options.tokenizer, .seed = options.seed};
  input.log_probabilities = options.log_probabilities != nullptr;
  if (!model.is_encoder_decoder()) {
    input.ids = prompt.ids;
    input.mask = prompt.mask;
    const bool seen = !prompt.ids.empty() && (prompt.mask.empty() || std::find(prompt.mask.begin(), prompt.mask.end(), 1) != prompt.mask.end());
    if (!seen) throw Error(ErrorCode::kInvalidArgument, "gives no tokens", "inputs");
    return input;
  }
  const auto start = config.decoder_start_token_id ? config.decoder_start_token_id : config.bos_token_id;
  if (!start) throw Error(ErrorCode::kInvalidArgument, "has to be given, or bos_token_id", "decoder_start_token_id");
  if (prompt.ids.empty()) throw Error(ErrorCode::kInvalidArgument, "gives no tokens", "inputs");
  input.ids = {*start};
  input.encoder_ids = prompt.ids;
  Step source;
  source.add_sequence(prompt.ids, {}, prompt.mask);
  input.memory = std::make_shared<KvCache>(std::move(model.remember(source).at(0)));
  return input;
}

constexpr std::size_t kLongestRun = 2;  // Transformers' max_matching_ngram_size

void set_proposer(DecodingInput& input, const GenerationConfig& config, const GenerateOptions& options) {
  if (options.draft) {
    input.proposer = std::make_shared<DraftModel>(*options.draft);
    input.proposals = options.draft_tokens;
  } else if (config.prompt_lookup_num_tokens) {
    input.proposer = std::make_shared<PromptLookup>(static_cast<std::size_t>(config.max_matching_ngram_size.value_or(kLongestRun)), options.lookup);
    input.proposals = static_cast<std::size_t>(*config.prompt_lookup_num_tokens);
  }
}

}  // namespace

std::vector<std::unique_ptr<Decoding>> start_decoding(const Model& model, const Prompt& prompt, std::size_t number, const GenerationConfig& config,
                                                      const GenerateOptions& options) {
  if (!model.is_decoder()) throw Error(ErrorCode::kInvalidArgument, "is no model that writes", "model");
  DecodingInput input = decoding_input(model, prompt, config, options);
  std::vector<std::unique_ptr<Decoding>> decodings;
  if (config.num_beams > 1) {
    if (input.log_probabilities) throw Error(ErrorCode::kInvalidArgument, "goes with one beam", "token_log_probabilities");
    input.number = number;
    decodings.push_back(make_beam_search(model, config, std::move(input)));
    return decodings;
  }
  for (std::int64_t i = 0; i < config.num_return_sequences; ++i) {
    set_proposer(input, config, options);
    input.number = number * static_cast<std::uint64_t>(config.num_return_sequences) + static_cast<std::uint64_t>(i);
    decodings.push_back(std::make_unique<Stream>(model, config, input));
  }
  return decodings;
}

std::vector<Sequences> generate(const Model& model, std::span<const Prompt> prompts, const GenerationConfig& config, const GenerateOptions& options) {
  struct Job {
    std::size_t prompt;
    std::vector<std::unique_ptr<Decoding>> decodings;
  };
  std::vector<Sequences> results(prompts.size());
  if (options.log_probabilities) options.log_probabilities->assign(prompts.size(), {});
  std::vector<Job> jobs;
  std::int64_t sequences = 0;  // of the jobs, at most
  const std::int64_t each = std::max(config.num_beams, config.num_return_sequences);
  // A prompt enters as soon as there is room, and leaves when it is done.
  for (std::size_t next = 0; next < prompts.size() || !jobs.empty();) {
    for (; next < prompts.size() && (jobs.empty() || sequences + each <= kSequencesAtOnce); ++next, sequences += each) {
      jobs.push_back({next, start_decoding(model, prompts[next], next, config, options)});
    }
    std::vector<Decoding*> running;
    for (const Job& job : jobs) {
      for (const auto& decoding : job.decodings) {
        if (!decoding->finished()) running.push_back(decoding.get());
      }
    }
    if (!running.empty()) advance_all(model, running);
    std::erase_if(jobs, [&](const Job& job) {
      for (const auto& decoding : job.decodings) {
        if (!decoding->finished()) return false;
      }
      for (const auto& decoding : job.decodings) {
        for (auto& ids : decoding->sequences()) results[job.prompt].push_back(std::move(ids));
        if (options.log_probabilities) (*options.log_probabilities)[job.prompt].push_back(dynamic_cast<const Stream&>(*decoding).log_probabilities());
      }
      sequences -= each;
      return true;
    });
  }
  return results;
}

}  // namespace polymath
