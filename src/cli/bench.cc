// polymath bench DIR: medians over repeats, beside the machine's own limits measured between them.
#include "cli/bench.h"

#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/utf8.h"
#include "tasks/sentence_embedding.h"

namespace polymath::cli {
namespace {

double fraction_of_fma(const Timed& timed, const MachineLimits& limits) {
  return static_cast<double>(timed.operations) / timed.seconds * 1e-9 / limits.fma_gflops();
}

// The lines of a file as sentences: tokenizing, the model and pooling.
int bench_lines(const BenchOptions& a, const Common& common) {
  const auto load_start = Clock::now();
  const auto encoder = SentenceEncoder::load(a.folder, load_type_named(common.dtype));
  const double load_ms = seconds_since(load_start) * 1e3;
  std::vector<std::string> texts;
  std::istringstream lines(utf8_lossy(read_named_input(a.lines)));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) texts.push_back(line);
  }
  if (texts.empty()) throw Error(ErrorCode::kInvalidArgument, "holds no lines", a.lines);
  encoder.encode({texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(texts.size(), 32))});
  const double rss = peak_rss_mb();
  MachineLimits limits;
  const Timed timed = time_repeats(a.repeat, limits, [&] { encoder.encode(texts); });
  Json figures = {{"texts_per_s", static_cast<double>(texts.size()) / timed.seconds}};
  add_machine(figures, load_ms, rss, limits, fraction_of_fma(timed, limits));
  print_figures(figures, a.json);
  return 0;
}

int bench_forward(const BenchOptions& a, const Common& common) {
  const auto load_start = Clock::now();
  const LoadedModel loaded = LoadedModel::load(a.folder, load_type_named(common.dtype));
  const double load_ms = seconds_since(load_start) * 1e3;
  Step step;
  for (int s = 0; s < a.batch; ++s) step.add_sequence(random_ids(loaded.config(), a.length, static_cast<unsigned>(s)));
  const Step target = step;
  if (loaded.model().is_encoder_decoder()) step.target = &target;
  loaded.model().forward(step);
  const double rss = peak_rss_mb();
  MachineLimits limits;
  const Timed timed = time_repeats(a.repeat, limits, [&] { loaded.model().forward(step); });
  Json figures = {{"forward_ms", timed.seconds * 1e3}, {"prompt_tokens_per_s", a.batch * a.length / timed.seconds}};
  add_machine(figures, load_ms, rss, limits, fraction_of_fma(timed, limits));
  print_figures(figures, a.json);
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, Common& common, Action& action) {
  auto* verb = app.add_subcommand("bench", "measure a checkpoint's speed beside the machine's own limits");
  auto a = std::make_shared<BenchOptions>();
  add_model(*verb, "DIR", a->folder, "checkpoint folder")->required();
  verb->add_option("--batch", a->batch, "sequences at a time")->check(CLI::Range(1, 65536))->capture_default_str();
  verb->add_option("--length", a->length, "tokens a sequence")->check(CLI::Range(1, 1 << 20))->capture_default_str();
  verb->add_option("--new-tokens", a->new_tokens, "tokens to write after each sequence: measure generation")->check(CLI::Range(1, 1 << 20));
  verb->add_option("--beams", a->beams, "beams of generation")->check(CLI::Range(1, 1024))->capture_default_str();
  verb->add_flag("--lookup", a->lookup, "generation by prompt lookup in a text that holds the continuation, beside plain decoding");
  verb->add_flag("--train", a->train, "steps of training, with AdamW; with --lines on its lines, cut at --length");
  verb->add_option("--repeat", a->repeat, "measurements, of which the median is given")->check(CLI::Range(1, 10000))->capture_default_str();
  verb->add_option("--lines", a->lines, "a file of sentences: measure tokenizing and embedding them");
  verb->add_flag("--json", a->json, "one JSON object");
  add_common(*verb, common);
  verb->callback([=, &common, &action] {
    action = [=, &common] { return a->train ? bench_training(*a) : !a->lines.empty() ? bench_lines(*a, common) : a->new_tokens > 0 ? bench_generation(*a, common) : bench_forward(*a, common); };
  });
}

}  // namespace polymath::cli
