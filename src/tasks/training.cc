#include "tasks/training.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "base/printable.h"
#include "models/adapter.h"
#include "polymath/error.h"
#include "tasks/text_input.h"
#include "tasks/training_parts.h"
#include "train/loss_plot.h"
#include "train/model_folder.h"

namespace polymath {
namespace {

struct Entry {
  TrainingTaskName about;
  Head head;
  void (*prepare)(TaskTraining&);
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> kAll = {
      {{"text-classification", "sentiment-analysis", "text, text_pair, label", "a label, several labels, or a number for a text or a pair"},
       Head::kSequenceClassification, prepare_text_classification},
      {{"token-classification", "ner", "tokens, tags", "a tag for each word: entities, parts of speech"}, Head::kTokenClassification, prepare_token_classification},
      {{"question-answering", nullptr, "question, context, answers", "the span of a context that answers a question"}, Head::kQuestionAnswering,
       prepare_question_answering},
      {{"text-generation", nullptr, "text", "what comes next in a text"}, Head::kCausalLm, prepare_causal_language_model},
      {{"fill-mask", nullptr, "text", "what stands where a token is hidden"}, Head::kMaskedLm, prepare_masked_language_model},
      {{"translation", nullptr, "source, target", "the text in another language"}, Head::kConditionalGeneration, prepare_text2text},
      {{"summarization", nullptr, "source, target", "a shorter text that says the same"}, Head::kConditionalGeneration, prepare_text2text},
      {{"denoising", nullptr, "text", "what was taken out of a text: encoder-decoders learn it without labels"}, Head::kConditionalGeneration, prepare_denoising},
      {{"sentence-similarity", nullptr, "text, text_pair, label", "vectors of texts: near where two belong together, or as near as a number says"},
       Head::kBase, prepare_sentence_similarity},
  };
  return kAll;
}

// The longest sequence that is read whole.
std::int64_t longest(const Config& config, const PretrainedTokenizer& tokenizer, std::int64_t asked) {
  double limit = std::min(tokenizer.model_max_length(), 1e9);
  for (const char* field : {"max_position_embeddings", "n_positions"}) {
    if (!config.find(field)) continue;
    const std::string type = config.model_type();
    const bool behind_padding = type == "roberta" || type == "xlm-roberta" || type == "camembert" || type == "mpnet";
    limit = std::min(limit, static_cast<double>(config.opt<std::int64_t>(field, 512) - (behind_padding ? config.opt<std::int64_t>("pad_token_id", 1) + 1 : 0)));
  }
  if (asked > 0 && static_cast<double>(asked) > limit) {
    throw Error(ErrorCode::kInvalidArgument, "is more than the " + std::to_string(static_cast<std::int64_t>(limit)) + " tokens that the model reads", "--max-length");
  }
  return asked > 0 ? asked : static_cast<std::int64_t>(std::min(limit, 512.0));
}

void open_output(const TrainOptions& o) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (file_exists(o.output) && !directory_exists(o.output)) throw Error(ErrorCode::kIo, "is a file, not a folder", o.output);
  if (directory_exists(o.output) && !fs::is_empty(o.output, error) && !o.trainer.resume) {
    throw Error(ErrorCode::kIo, "is there already: name another folder, or go on with what it holds by --resume", o.output);
  }
  if (fs::weakly_canonical(o.output, error) == fs::weakly_canonical(o.model, error)) {
    throw Error(ErrorCode::kInvalidArgument, "is the folder of the model that is to be trained", o.output);
  }
  fs::create_directories(o.output, error);
  if (error) throw Error(ErrorCode::kIo, "cannot create: " + error.message(), o.output);
}

void freeze_parameters(const LoadedModel& model, const std::vector<std::string>& prefixes) {
  for (const std::string& prefix : prefixes) {
    std::size_t found = 0;
    for (Parameter* p : model.parameters().all()) {
      if (!model.name_of(*p).starts_with(prefix)) continue;
      p->trained = false;
      ++found;
    }
    if (found == 0) throw Error(ErrorCode::kInvalidArgument, "no parameter's name begins with \"" + printable(prefix, 100) + "\"", "--freeze");
  }
  const auto all = model.parameters().all();
  if (std::none_of(all.begin(), all.end(), [](const Parameter* p) { return p->trained; })) {
    throw Error(ErrorCode::kInvalidArgument, "leaves nothing to train", "--freeze");
  }
}

// The options that a resumed training must share, beside those of the trainer.
Json about(const TaskTraining& t, const std::string& task) {
  const TrainOptions& o = t.options;
  Json all = {{"task", task}, {"--model", o.model}, {"--max-length", t.max_length}, {"--freeze", o.freeze}, {"--from-scratch", o.from_scratch},
              {"--label-smoothing", o.label_smoothing}, {"--noise-share", o.noise_share}, {"--span-length", o.span_length},
              {"--few-labels", o.few_labels}, {"--pairs", o.pairs}, {"--teacher", o.teacher}, {"--temperature", o.temperature}, {"--alpha", o.alpha}};
  if (o.lora) {
    all.update({{"--lora", o.lora->r}, {"--lora-alpha", o.lora->lora_alpha}, {"--rslora", o.lora->use_rslora}, {"--lora-targets", o.lora->target_modules}});
  }
  return all;
}

// Runs what a task has prepared.
Json run(TaskTraining& t, const TrainOptions& options, const std::string& task) {
  const NewHead anew{.config = t.changes, .seed = options.trainer.batches.seed, .everything = options.from_scratch};
  auto model = std::make_shared<TextModel>();
  model->folder = model->base_folder = options.model;
  model->task = task;
  if (options.lora && t.head == Head::kBase) throw Error(ErrorCode::kUnsupported, "is not known for sentence encoders, whose folders hold more than a model", "--lora");
  model->loaded = LoadedModel::load_to_train(options.model, &t.head, &anew, options.lora ? &*options.lora : nullptr);
  model->tokenizer = t.tokenizer;
  const LoadedModel& loaded = model->loaded;
  if (const auto made = loaded.made_anew(); options.from_scratch) {
    t.note("all " + std::to_string(made.size()) + " tensors are made anew");
  } else if (!made.empty()) {
    std::string names;
    for (const std::string& name : made) names += (names.empty() ? "" : ", ") + name;
    t.note("made anew, as the checkpoint has no such part of a head: " + names);
  }
  if (options.lora && loaded.new_adapter()->modules().empty()) {
    throw Error(ErrorCode::kInvalidArgument, "name no linear layer of this model", "--lora-targets");
  }
  freeze_parameters(loaded, options.freeze);
  const DType type = save_type_named(options.save_type, loaded.checkpoint());
  open_output(options);

  if (t.head == Head::kBase) {  // what a base model computes of its first token is not used, and not worn down by weight decay
    for (Parameter* p : loaded.parameters().all()) p->trained &= p->name.find("pooler.") == std::string::npos;
  }
  const BatchLoss own_loss = [&](TrainingBatch& batch) { return t.loss(loaded, batch); };
  const LossOptions plain{.problem = t.problem};
  LossOptions learned = plain;
  const auto teacher = load_teacher(t, loaded.config());
  learned.label_smoothing = options.label_smoothing;
  learned.teacher = teacher ? &teacher->model() : nullptr;
  learned.temperature = options.temperature;
  learned.alpha = options.alpha;

  TrainingJob job{.model = &loaded, .set = &t.training, .loss = t.loss ? own_loss : class_loss(loaded, learned), .about = {}, .evaluate = {}, .score = t.score, .save = {}};
  job.about = about(t, task);
  if (t.evaluate) {
    job.evaluate = [&] { return t.evaluate(loaded); };
  } else if (t.validation.size() > 0) {
    job.evaluate = [&] {
      Json figures = {{"loss", mean_loss(t.validation, t.loss ? own_loss : class_loss(loaded, plain), options.trainer.batches)}};
      if (t.figures) t.figures(model, figures);
      return figures;
    };
  }
  job.save = [&] {
    if (options.lora) save_adapter(loaded, options.output, type, options.base_name.empty() ? options.model : options.base_name);
    else save_model(loaded, options.output, type);
    if (t.save_more) t.save_more(model, options.output);
  };
  if (!options.lora) copy_tokenizer_files(options.model, options.output);  // an adapter's is that of its base
  std::int64_t parameters = 0;
  for (const Parameter* p : loaded.parameters().all()) parameters += p->trained ? static_cast<std::int64_t>(p->values.size()) : 0;
  t.report({{"event", "start"}, {"task", task}, {"examples", t.training.size()}, {"validation", t.validation.size()}, {"tokens", t.training.tokens()}, {"parameters", parameters}});
  Json summary = {{"output", options.output}, {"task", task}, {"examples", t.training.size()}, {"validation", t.validation.size()}};
  summary.update(run_training(job, options.trainer, options.output, t.report));
  write_file_atomically(join_path(options.output, "training.svg"), loss_plot_svg(summary["history"]));
  return summary;
}

}  // namespace

TrainingExample TaskTraining::example(const Encoding& encoding) const {
  TrainingExample e;
  e.ids = encoding.ids;
  if (gives_type_ids) e.type_ids = encoding.type_ids;
  return e;
}

EncodeOptions TaskTraining::encode_options() const {
  EncodeOptions o;
  o.truncation = Truncation{.max_length = static_cast<int>(max_length), .direction = tokenizer.settings().truncation_side, .keeps_overflow = false};
  return o;
}

void TaskTraining::set_labels(const std::vector<std::string>& labels) {
  Json names = Json::object(), ids = Json::object();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    names[std::to_string(i)] = labels[i];
    ids[labels[i]] = i;
  }
  changes["id2label"] = std::move(names);
  changes["label2id"] = std::move(ids);
  changes["num_labels"] = nullptr;
}

TrainingLabels::TrainingLabels(TaskTraining& t, const std::set<std::string>& used, Head own) {
  const std::vector<std::string>& kept = t.config.id2label();
  const auto id_in_kept = [&](const std::string& label) -> std::int32_t {
    const auto same = std::find(kept.begin(), kept.end(), label);
    if (same != kept.end()) return static_cast<std::int32_t>(same - kept.begin());
    const auto number = whole_number(label);
    return number && *number >= 0 && *number < static_cast<std::int64_t>(kept.size()) ? static_cast<std::int32_t>(*number) : -1;
  };
  const bool all_known = std::all_of(used.begin(), used.end(), [&](const std::string& label) { return id_in_kept(label) >= 0; });
  if (t.source_head == own && all_known && !t.options.new_labels) {
    names_ = kept;
    for (const std::string& label : used) ids_[label] = id_in_kept(label);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const bool occurs = std::any_of(ids_.begin(), ids_.end(), [&](const auto& id) { return id.second == static_cast<std::int32_t>(i); });
      if (!occurs) t.note("no example has the model's label " + printable(kept[i], 60));
    }
    return;
  }
  names_.assign(used.begin(), used.end());
  if (std::all_of(names_.begin(), names_.end(), [](const std::string& n) { return whole_number(n).has_value(); })) {
    std::stable_sort(names_.begin(), names_.end(), [](const std::string& a, const std::string& b) { return *whole_number(a) < *whole_number(b); });
  } else if (const auto outside = std::find(names_.begin(), names_.end(), "O"); outside != names_.end()) {
    std::rotate(names_.begin(), outside, outside + 1);  // no entity comes first, as in most tag sets
  }
  for (std::size_t i = 0; i < names_.size(); ++i) ids_[names_[i]] = static_cast<std::int32_t>(i);
  if (t.source_head == own) t.note("the data's labels are not the model's: its head gets " + std::to_string(names_.size()) + " new ones");
  t.set_labels(names_);
}

void run_examples(const TextModel& model, const TrainingSet& set, const std::function<void(std::size_t, const SequenceOutputs&)>& done) {
  std::vector<ModelInput> inputs;
  for (std::size_t i = 0; i < set.size(); ++i) inputs.push_back({.ids = set[i].ids, .type_ids = set[i].type_ids, .mask = {}, .head_rows = {}});
  run_batch(model.loaded.model(), inputs, done, /*empty_too=*/true);
}

void add_perplexity(const std::shared_ptr<const TextModel>&, Json& figures) { figures["perplexity"] = std::exp(figures["loss"].get<double>()); }

const std::vector<TrainingTaskName>& training_tasks() {
  static const std::vector<TrainingTaskName> kAll = [] {
    std::vector<TrainingTaskName> all;
    for (const Entry& entry : entries()) all.push_back(entry.about);
    return all;
  }();
  return kAll;
}

Json train(const std::string& task, const TrainOptions& options, const TrainingReporter& report) {
  std::string known;
  for (const Entry& entry : entries()) {
    known += (known.empty() ? "" : ", ") + std::string(entry.about.name);
    if (task != entry.about.name && (!entry.about.alias || task != entry.about.alias)) continue;
    if (Adapter::open(options.model)) throw Error(ErrorCode::kUnsupported, "is a PEFT adapter: train its base model", options.model);
    if (options.validation_split < 0 || options.validation_split >= 1) throw Error(ErrorCode::kInvalidArgument, "must be at least 0 and below 1", "--validation-split");
    const Config config = Config::load(options.model);
    const Architecture& architecture = architecture_of(config);
    const PretrainedTokenizer tokenizer = PretrainedTokenizer::load(options.model);
    TaskTraining t{.options = options, .report = report, .config = config, .source_head = head_of(config), .tokenizer = tokenizer};
    t.head = entry.head;
    const std::string type = config.model_type();
    const bool ignores_types = type == "distilbert" || type == "mpnet";
    t.gives_type_ids = model_inputs_of(tokenizer).token_type_ids && config.opt<std::int64_t>("type_vocab_size", 0) > 1 && !ignores_types;
    // A teacher may read of which text of a pair a token is, where the model does not.
    t.gives_type_ids |= ignores_types && !options.teacher.empty() && Config::load(options.teacher).opt<std::int64_t>("type_vocab_size", 0) > 1;
    t.max_length = longest(config, tokenizer, options.max_length);
    if (t.source_head != t.head) t.changes["architectures"] = {class_of(architecture, t.head)};
    entry.prepare(t);
    if (t.training.size() == 0) throw Error(ErrorCode::kBadFile, "leaves no example to train on", options.files.front());
    return run(t, options, entry.about.name);
  }
  throw Error(ErrorCode::kInvalidArgument, "\"" + printable(task, 60) + "\" is not a task that can be trained (known: " + known + ")", "TASK");
}

}  // namespace polymath
