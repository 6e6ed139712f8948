// polymath bench DIR --new-tokens M: reading prompts and writing after them.
#include <algorithm>

#include "cli/bench.h"
#include "generate/generate.h"
#include "generate/stream.h"
#include "polymath/error.h"
#include "tensor/ops.h"

namespace polymath::cli {
namespace {

struct Round {
  double prompt_s = 0, generate_s = 0;
  std::uint64_t operations = 0, weight_bytes = 0, written = 0;  // after the first token of each sequence
  std::size_t proposed = 0, accepted = 0;
  std::vector<Sequences> sequences;
};

// Reads the prompts and writes to the end. The first token of each belongs to its prompt.
Round measure(const Model& model, const std::vector<Prompt>& prompts, const GenerationConfig& config, const GenerateOptions& options) {
  Round round;
  std::vector<std::unique_ptr<Decoding>> decodings;
  const auto start = Clock::now();
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    for (auto& decoding : start_decoding(model, prompts[i], i, config, options)) decodings.push_back(std::move(decoding));
  }
  std::vector<Decoding*> running;
  for (const auto& decoding : decodings) running.push_back(decoding.get());
  advance_all(model, running);
  round.prompt_s = seconds_since(start);
  const std::uint64_t operations = operations_done(), bytes = weight_bytes_read();
  const auto written = Clock::now();
  while (std::erase_if(running, [](const Decoding* d) { return d->finished(); }), !running.empty()) advance_all(model, running);
  round.generate_s = seconds_since(written);
  round.operations = operations_done() - operations;
  round.weight_bytes = weight_bytes_read() - bytes;
  for (const auto& decoding : decodings) {
    round.sequences.push_back(decoding->sequences());
    if (const auto* stream = dynamic_cast<const Stream*>(decoding.get())) {
      round.proposed += stream->proposed();
      round.accepted += stream->accepted();
    }
  }
  round.written = static_cast<std::uint64_t>(config.max_new_tokens.value_or(1) - 1) * prompts.size();
  return round;
}

}  // namespace

int bench_generation(const BenchOptions& a, const Common& common) {
  const auto load_start = Clock::now();
  const LoadedModel loaded = LoadedModel::load(a.folder, load_type_named(common.dtype));
  const double load_ms = seconds_since(load_start) * 1e3;
  const Model& model = loaded.model();
  if (!model.is_decoder()) throw Error(ErrorCode::kInvalidArgument, "is no model that writes", a.folder);
  std::vector<Prompt> prompts;
  for (int s = 0; s < a.batch; ++s) prompts.push_back({random_ids(loaded.config(), a.length, static_cast<unsigned>(s)), {}});
  GenerationConfig config;  // greedy, and nothing ends a text early
  config.max_new_tokens = a.new_tokens;
  config.num_beams = a.beams;
  config.decoder_start_token_id = 0;
  GenerationConfig looked_up = config;
  looked_up.prompt_lookup_num_tokens = 10;
  if (a.lookup && (a.batch > 1 || a.beams > 1)) throw Error(ErrorCode::kInvalidArgument, "goes with one sequence and one beam", "--lookup");

  const Round first = measure(model, prompts, config, {});  // warms up, and is the text that is looked up
  const double rss = peak_rss_mb();
  MachineLimits limits;
  std::vector<double> prompt, generate, lookup;
  Round round, guessed;
  for (int r = 0; r < a.repeat; ++r) {
    round = measure(model, prompts, config, {});
    prompt.push_back(round.prompt_s);
    generate.push_back(round.generate_s);
    if (a.lookup) {
      guessed = measure(model, prompts, looked_up, {.lookup = first.sequences[0][0]});
      lookup.push_back(guessed.generate_s);
      if (guessed.sequences != first.sequences) throw Error(ErrorCode::kUnsupported, "prompt lookup gave another text than plain decoding", a.folder);
    }
    limits.measure();
  }
  const double seconds = median(generate);
  // Writing is bound by reading the weights, or with many sequences by arithmetic: the nearer limit counts.
  const double of_read = static_cast<double>(round.weight_bytes) / seconds * 1e-9 / limits.read_gb_per_s();
  const double of_fma = static_cast<double>(round.operations) / seconds * 1e-9 / limits.fma_gflops();
  Json figures = {{"prompt_tokens_per_s", static_cast<double>(a.batch) * a.length / median(prompt)},
                  {"generate_tokens_per_s", static_cast<double>(round.written) / seconds}};
  if (a.lookup) {
    figures["lookup_tokens_per_s"] = static_cast<double>(guessed.written) / median(lookup);
    figures["accepted_of_proposed"] = guessed.proposed > 0 ? static_cast<double>(guessed.accepted) / static_cast<double>(guessed.proposed) : 0.0;
  }
  add_machine(figures, load_ms, rss, limits, std::max(of_read, of_fma));
  print_figures(figures, a.json);
  return 0;
}

}  // namespace polymath::cli
