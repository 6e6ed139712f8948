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
  LoraOptions lora{.r = 0, .lora_alpha = 0, .use_rslora = false, .target_modules = {}, .seed = 0};
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
  if (a.lora.r > 0) {
    options.lora = a.lora;
    options.lora->seed = options.trainer.batches.seed;
    if (a.lora.lora_alpha == 0) options.lora->lora_alpha = 2 * static_cast<double>(a.lora.r);
  }
  if (a.dropout != "config") options.trainer.dropout = static_cast<float>(rate_of(a.dropout));
  TrainingProgress progress(a.json, common.quiet);
  progress.end(train(task, options, [&](const Json& event) { progress.show(event); }));
  return 0;
}

void add_file_options(CLI::App& verb, Arguments& a) {
  TrainOptions& o = a.options;
  add_model(verb, "--model", o.model, "checkpoint folder to begin with")->required();
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
  auto* lora = verb.add_option("--lora", a.lora.r, "train a LoRA adapter of this rank and leave the model as it is")->check(CLI::Range(std::int64_t{1}, std::int64_t{65536}));
  verb.add_option("--lora-alpha", a.lora.lora_alpha, "the adapter counts this much over its rank (default: twice the rank)")->check(CLI::Range(1e-6, 1e9))->needs(lora);
  verb.add_option("--lora-targets", a.lora.target_modules, "how the names of the layers end that are adapted: query,value (default: all linear layers)")->delimiter(',')->needs(lora);
  verb.add_flag("--rslora", a.lora.use_rslora, "over the root of the rank instead")->needs(lora);
  verb.add_option("--base-name", a.options.base_name, "what the adapter calls its base model (default: as --model)")->needs(lora);
  verb.add_flag("--recompute", t.recompute, "keep less memory: compute the inside of each layer anew on the way back");
  verb.add_flag("--from-scratch", a.options.from_scratch, "make all weights anew: --model needs config.json and a tokenizer alone")->excludes(lora);
  verb.add_option("--save-dtype", a.options.save_type, "f32, bf16, f16, or auto: as the checkpoint was")->check(CLI::IsMember({"f32", "bf16", "f16", "auto"}))->capture_default_str();
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
    verb.add_flag("--few-labels", o.few_labels, "from a few labels a class: tune the encoder on pairs of texts, then fit a linear classifier (SetFit)");
    verb.add_option("--pairs", o.pairs, "with --few-labels: pairs of each text with others of its class, and as many with other classes")->check(CLI::Range(std::int64_t{1}, std::int64_t{10000}))->capture_default_str();
  }
  if (task == "text-classification" || task == "token-classification") {
    verb.add_flag("--new-labels", o.new_labels, "number the labels anew even where the checkpoint's head knows them");
  }
  const bool writes = task == "text-generation" || task == "translation" || task == "summarization";
  if (writes) {
    verb.add_option("--label-smoothing", o.label_smoothing, "this part of each label goes to all tokens")->check(CLI::Range(0.0, 0.999999))->capture_default_str();
  }
  if (writes || task == "text-classification" || task == "token-classification" || task == "fill-mask") {
    verb.add_option("--teacher", o.teacher, "folder of a larger model for the same task whose answers are learnt, too");
    verb.add_option("--temperature", o.temperature, "at which the teacher's and the model's answers are compared")->check(CLI::Range(0.01, 1000.0))->capture_default_str();
    verb.add_option("--alpha", o.alpha, "the teacher's part in the loss; 1: its answers alone")->check(CLI::Range(0.0, 1.0))->capture_default_str();
  }
  if (task == "question-answering") {
    verb.add_option("--doc-stride", o.doc_stride, "tokens that windows of a long context share")->check(CLI::Range(0, 100000))->capture_default_str();
  }
  if (task == "fill-mask") {
    verb.add_option("--mask-share", o.mask_share, "the part of the tokens that is hidden")->check(CLI::Range(0.0, 1.0))->capture_default_str();
    verb.add_flag("--whole-words", o.whole_words, "hide all tokens of a word or none");
  }
  if (task == "denoising") {
    verb.add_option("--noise-share", o.noise_share, "the part of the tokens that is damaged (default: 0.15 with T5's tokens, 0.3 with a mask)")->check(CLI::Range(0.001, 0.999));
    verb.add_option("--span-length", o.span_length, "of damaged spans, on average")->check(CLI::Range(1.0, 100.0))->capture_default_str();
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
