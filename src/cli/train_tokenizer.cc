// polymath train tokenizer --data FILE... --model KIND -o OUT
#include <chrono>
#include <iostream>

#include "base/printable.h"
#include "cli/cli.h"
#include "cli/data_arguments.h"
#include "cli/progress.h"
#include "train/tokenizer_training.h"

namespace polymath::cli {
namespace {

struct Arguments {
  std::string kind, output;
  std::vector<std::string> files, special_tokens;
  TokenizerOptions options;
  DataArguments data;
  bool json = false;
};

int train_tokenizer(const Arguments& a, const Common& common) {
  const auto start = std::chrono::steady_clock::now();
  TokenizerOptions options = a.options;
  options.kind = tokenizer_kind_named(a.kind);
  options.special_tokens = a.special_tokens;
  TokenizerTrainer trainer(options);
  const DataReport report = read_texts(a.files, a.data.options(), LabelColumn::kUnused, [&](TextExample&& e) {
    trainer.add(std::move(e.text));
    if (e.text_pair) trainer.add(std::move(*e.text_pair));
  });
  std::unique_ptr<Progress> progress;
  const TrainedTokenizer trained = trainer.train([&](const char* step, std::size_t done, std::size_t total) {
    if (!progress) progress = std::make_unique<Progress>(total, step, common.quiet);
    progress->reach(done);
  });
  progress.reset();
  save_tokenizer(trained, a.output);
  if (!common.quiet && report.skipped > 0) {
    std::cerr << "polymath: note: " << report.skipped << " bad rows were skipped; the first: " << printable(report.first_skipped, 1000) << std::endl;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (a.json) {
    Json figures = {{"output", a.output}, {"texts", report.examples}, {"bytes", trainer.bytes()},
                    {"words", trained.words}, {"vocab_size", trained.vocab_size}, {"merges", trained.merges}};
    if (report.skipped > 0) figures["skipped"] = report.skipped;
    figures["seconds"] = seconds;
    std::cout << dump_json(figures) << '\n';
  } else {
    std::cout << a.output << ": " << trained.vocab_size << " tokens from " << trained.words << " different words of " << report.examples << " texts\n";
  }
  return 0;
}

}  // namespace

void add_train_tokenizer(CLI::App& train, Common& common, Action& action) {
  auto* verb = train.add_subcommand("tokenizer", "train a new tokenizer on text");
  auto a = std::make_shared<Arguments>();
  verb->add_option("--data", a->files, "text files, or any data file that eval reads")->required();
  verb->add_option("--model", a->kind, "wordpiece, bpe (byte-level) or unigram")->required();
  verb->add_option("-o,--output", a->output, "folder for tokenizer.json and tokenizer_config.json")->required();
  verb->add_option("--vocab-size", a->options.vocab_size, "tokens in all")->check(CLI::Range(1, 2000000))->capture_default_str();
  verb->add_option("--min-frequency", a->options.min_frequency, "merge pairs that occur at least so often")->capture_default_str();
  verb->add_option("--alphabet-limit", a->options.alphabet_limit, "keep the N most frequent characters (default: all)");
  verb->add_option("--special-tokens", a->special_tokens, "tokens beside those of the kind");
  verb->add_flag("--lowercase", a->options.lowercase, "texts are read in lower case");
  verb->add_option("--max-length", a->options.model_max_length, "model_max_length of tokenizer_config.json")->capture_default_str();
  verb->add_option("--format", a->data.format, "csv, tsv, jsonl, json, lines, paragraphs, document, ... (default: guessed)");
  verb->add_option("--columns", a->data.columns, "where the text is: text=body");
  verb->add_option("--rows", a->data.rows, "where in a JSON object the list of rows is; * for every field");
  verb->add_flag("--skip-bad", a->data.skip_bad, "leave rows out that cannot be read, and count them");
  verb->add_flag("--json", a->json, "one JSON object with what was made");
  add_common(*verb, common);
  verb->footer("  polymath train tokenizer --data book.txt --model bpe --vocab-size 8000 -o my-tokenizer      (docs/tokenizer-training.md)");
  verb->callback([=, &common, &action] { action = [=, &common] { return train_tokenizer(*a, common); }; });
}

}  // namespace polymath::cli
