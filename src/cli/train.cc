// polymath train TASK --model DIR --data FILE... -o OUT
#include <charconv>
#include <cmath>

#include "cli/cli.h"
#include "cli/data_arguments.h"
#include "cli/training_progress.h"
#include "tasks/training.h"

namespace polymath::cli {
namespace {

struct Arguments {
  TrainOptions options;
  DataArguments data;
  std::string dropout = "config";
  bool json = false;
};

// A number from 0 to 1; NaN: the text is none.
double rate_of(const std::string& text) {
  double rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  return error == std::errc() && end == text.data() + text.size() && rate >= 0 && rate <= 1 ? rate : std::nan("");
}

std::string rate_or_config(const std::string& text) {
  return text == "config" || !std::isnan(rate_of(text)) ? "" : "must be config or a number from 0 to 1";
}

int train_task(const std::string& task, const Arguments& a, const Common& common) {
  TrainOptions options = a.options;
  options.data = a.data.options();
  if (a.dropout != "config") options.trainer.dropout = static_cast<float>(rate_of(a.dropout));
  TrainingProgress progress(a.json, common.quiet);
  progress.end(train(task, options, [&](const Json& event) { progress.show(event); }));
  return 0;
}

void add_file_options(CLI::App& verb, Arguments& a) {
  TrainOptions& o = a.options;
  verb.add_option("--model", o.model, "checkpoint folder to begin with")->required();
  verb.add_option("--data", o.files, "data files")->required();
  verb.add_option("-o,--output", o.output, "folder for the trained model")->required();
  verb.add_option("--validation", o.validation, "files to evaluate on (default: a part of the data)");
  verb.add_option("--validation-split", o.validation_split, "the part of the data that is held back to evaluate on; 0: none")->capture_default_str();
  add_data_options(verb, a.data, "use the first N examples of each set alone");
  verb.add_option("--max-length", o.max_length, "tokens of a sequence (default: what the model reads, at most 512)")->check(CLI::Range(1, 1 << 20));
}

void add_trainer_options(CLI::App& verb, Arguments& a) {
  TrainerOptions& t = a.options.trainer;
  t.batches.seed = 1;
  constexpr auto kMost = std::int64_t{1} << 40;
  verb.add_option("--epochs", t.epochs, "passes over the data")->check(CLI::Range(std::int64_t{1}, std::int64_t{100000}))->capture_default_str();
  verb.add_option("--steps", t.steps, "end after so many steps instead")->check(CLI::Range(std::int64_t{1}, std::int64_t{100000000}));
  verb.add_option("--lr", t.rate, "the highest learning rate")->check(CLI::Range(0.0, 1e6))->capture_default_str();
  verb.add_option("--optimizer", t.optimizer.kind, "adamw, sgd or adafactor")->check(CLI::IsMember({"adamw", "sgd", "adafactor"}))->capture_default_str();
  verb.add_option("--weight-decay", t.optimizer.weight_decay, "of matrices; biases and norms have none")->check(CLI::Range(0.0, 1e3))->capture_default_str();
  verb.add_option("--beta1", t.optimizer.beta1, "of AdamW")->check(CLI::Range(0.0, 0.9999999))->capture_default_str();
  verb.add_option("--beta2", t.optimizer.beta2, "of AdamW")->check(CLI::Range(0.0, 0.9999999))->capture_default_str();
  verb.add_option("--epsilon", t.optimizer.eps, "of AdamW")->check(CLI::Range(0.0, 1.0))->capture_default_str();
  verb.add_option("--momentum", t.optimizer.momentum, "of SGD")->check(CLI::Range(0.0, 0.9999999))->capture_default_str();
  verb.add_option("--schedule", t.schedule.kind, "linear, cosine, constant, slanted")->check(CLI::IsMember({"linear", "cosine", "constant", "slanted"}))->capture_default_str();
  verb.add_option("--warmup", t.schedule.warmup, "the part of the steps in which the rate rises")->check(CLI::Range(0.0, 1.0))->capture_default_str();
  verb.add_option("--layer-decay", t.layer_decay, "a layer's rate is that of the layer above times this")->check(CLI::Range(1e-6, 1.0))->capture_default_str();
  verb.add_option("--unfreeze", t.unfreeze, "all, or gradual: the head in the first epoch, a layer more in each that follows")->check(CLI::IsMember({"all", "gradual"}))->capture_default_str();
  verb.add_option("--dropout", a.dropout, "config: as config.json says; or one rate for all places that have one")->check(rate_or_config)->capture_default_str();
  verb.add_option("--clip", t.clip, "the largest norm of the gradients; 0: any")->check(CLI::Range(0.0, 1e9))->capture_default_str();
  verb.add_option("--batch-tokens", t.batches.tokens, "tokens to a batch, at most")->check(CLI::Range(std::int64_t{1}, kMost))->capture_default_str();
  verb.add_option("--batch-size", t.batches.sequences, "sequences to a batch, at most")->check(CLI::Range(std::int64_t{1}, kMost))->capture_default_str();
  verb.add_option("--accumulate", t.accumulate, "batches to a step")->check(CLI::Range(std::int64_t{1}, std::int64_t{1000000}))->capture_default_str();
  verb.add_option("--evaluate-every", t.evaluate_every, "steps between evaluations (default: each epoch)")->check(CLI::Range(std::int64_t{1}, kMost));
  verb.add_option("--save-every", t.save_every, "steps between resumable checkpoints (default: at each evaluation)")->check(CLI::Range(std::int64_t{1}, kMost));
  verb.add_option("--patience", t.patience, "end after so many evaluations without a better one")->check(CLI::Range(std::int64_t{1}, kMost));
  verb.add_option("--freeze", a.options.freeze, "leave parameters alone whose names begin so: bert.embeddings");
  verb.add_flag("--recompute", t.recompute, "keep less memory: compute the inside of each layer anew on the way back");
  verb.add_flag("--from-scratch", a.options.from_scratch, "make all weights anew: --model needs config.json and a tokenizer alone");
  verb.add_option("--save-dtype", a.options.save_type, "f32, bf16, or auto: as the checkpoint was")->check(CLI::IsMember({"f32", "bf16", "auto"}))->capture_default_str();
  verb.add_option("--seed", t.batches.seed, "of all that is random")->capture_default_str();
  verb.add_flag("--resume", t.resume, "go on with what the output folder holds");
  verb.add_flag("--json", a.json, "one JSON line for each report");
}

void add_task_options(CLI::App& verb, const std::string& task, TrainOptions& o) {
  if (task == "text-classification") {
    verb.add_option("--problem", o.problem, "single_label_classification, multi_label_classification, regression (default: by the labels)")
        ->check(CLI::IsMember({"auto", "single_label_classification", "multi_label_classification", "regression"}));
    verb.add_option("--pooling", o.pooling, "concat: ULMFiT's head, on the last, the largest and the mean hidden state (default: the model's own)")->check(CLI::IsMember({"concat"}));
    verb.add_option("--label-separator", o.label_separator, "between the labels of one text, where several can be right")->capture_default_str();
  }
  if (task == "text-classification" || task == "token-classification") {
    verb.add_flag("--new-labels", o.new_labels, "number the labels anew even where the checkpoint's head knows them");
  }
  if (task == "question-answering") {
    verb.add_option("--doc-stride", o.doc_stride, "tokens that windows of a long context share")->check(CLI::Range(0, 100000))->capture_default_str();
  }
  if (task == "fill-mask") {
    verb.add_option("--mask-share", o.mask_share, "the part of the tokens that is hidden")->check(CLI::Range(0.0, 1.0))->capture_default_str();
    verb.add_flag("--whole-words", o.whole_words, "hide all tokens of a word or none");
  }
  if (task == "translation" || task == "summarization") {
    verb.add_option("--source-prefix", o.source_prefix, "text before each source: \"summarize: \"");
    verb.add_option("--src-lang", o.src_lang, "of models for many languages");
    verb.add_option("--tgt-lang", o.tgt_lang, "of models for many languages");
  }
}

}  // namespace

void add_train(CLI::App& app, Common& common, Action& action) {
  auto* train = app.add_subcommand("train", "train a model or a tokenizer from data files");
  train->require_subcommand(1);
  add_train_tokenizer(*train, common, action);
  for (const TrainingTaskName& task : training_tasks()) {
    auto* verb = train->add_subcommand(task.name, std::string(task.help) + " (columns: " + task.columns + ")");
    if (task.alias) verb->alias(task.alias);
    auto a = std::make_shared<Arguments>();
    add_file_options(*verb, *a);
    add_task_options(*verb, task.name, a->options);
    add_trainer_options(*verb, *a);
    add_common(*verb, common);
    verb->footer("docs/training.md says more.");
    verb->callback([a, name = std::string(task.name), &common, &action] { action = [=, &common] { return train_task(name, *a, common); }; });
  }
  train->footer("Example:\n  polymath train text-classification --model my-bert --data reviews.tsv -o my-classifier      (docs/training.md)");
}

}  // namespace polymath::cli
