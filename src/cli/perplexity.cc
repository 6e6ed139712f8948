// polymath perplexity DIR FILE
#include <chrono>
#include <iostream>

#include "base/file.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/streams.h"
#include "tasks/generation.h"
#include "tasks/perplexity.h"

namespace polymath::cli {
namespace {

struct Arguments {
  std::string folder, file;
  std::int64_t length = 0, stride = 0;
  bool json = false;
};

int measure(const Arguments& a, const Common& common) {
  const std::string text = a.file == "-" ? read_standard_input() : read_named_input(a.file);
  if (!utf8_valid(text)) throw Error(ErrorCode::kInvalidArgument, "is not UTF-8 text", a.file);
  const auto tokenizer = PretrainedTokenizer::load(a.folder);
  const LoadedModel model = LoadedModel::load(a.folder, load_type_named(common.dtype));
  const std::int64_t positions = max_positions_of(model.config());
  PerplexityOptions options = usual_windows(positions);
  if (a.length) options.length = a.length;
  if (positions > 0 && options.length > positions) {
    throw Error(ErrorCode::kInvalidArgument, std::to_string(options.length) + " is more than the model's " + std::to_string(positions) + " positions", "--length");
  }
  options.stride = a.stride ? a.stride : std::max<std::int64_t>(1, options.length / 2);
  const std::vector<std::int32_t> ids = tokenizer.encode(text).ids;
  Progress progress(ids.size(), "tokens", common.quiet);
  options.progress = [&](std::size_t done, std::size_t) { progress.reach(done); };
  const auto start = std::chrono::steady_clock::now();
  const Perplexity p = perplexity(model.model(), ids, options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress.clear();
  if (a.json) {
    std::cout << dump_json({{"perplexity", p.perplexity}, {"tokens", p.tokens}, {"windows", p.windows}, {"seconds", seconds}}) << '\n';
  } else {
    std::cout << "perplexity " << p.perplexity << " over " << p.tokens << " tokens in " << p.windows << " windows of at most " << options.length << '\n';
  }
  return 0;
}

}  // namespace

void add_perplexity(CLI::App& app, Common& common, Action& action) {
  auto a = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("perplexity", "how surprised a language model is by a text: exp of the mean negative log likelihood");
  add_model(*verb, "DIR", a->folder, "checkpoint folder of a decoder")->required();
  verb->add_option("FILE", a->file, "UTF-8 text; - is standard input")->required();
  verb->add_option("--length", a->length, "tokens of a window (default: the model's positions, at most 1024)")->check(CLI::Range(2, 1 << 30));
  verb->add_option("--stride", a->stride, "tokens from one window to the next, less than its length (default: half of it)")->check(CLI::Range(1, 1 << 30));
  verb->add_flag("--json", a->json, "one JSON object: perplexity, tokens, windows, seconds");
  verb->footer("Example:\n  polymath perplexity path/to/checkpoint text.txt --dtype q4");
  add_common(*verb, common);
  verb->callback([a, &common, &action] { action = [a, &common] { return measure(*a, common); }; });
}

}  // namespace polymath::cli
