// What the trainings of tasks share. Internal to them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tasks/run_batch.h"
#include "tasks/sentence_embedding.h"
#include "tasks/task.h"
#include "tasks/training.h"
#include "train/data_rows.h"
#include "train/metrics.h"

namespace polymath {

// A training while it is prepared: what a task's function reads, and what it fills.
struct TaskTraining {
  const TrainOptions& options;
  const TrainingReporter& report;
  const Config& config;  // of the checkpoint
  Head source_head;      // of the checkpoint
  const PretrainedTokenizer& tokenizer;
  bool gives_type_ids = false;
  std::int64_t max_length = 512;

  Head head = Head::kBase;
  Json changes = Json::object();  // to config.json
  TrainingSet training, validation;
  Problem problem = Problem::kOneClass;
  std::string score = "loss";
  std::function<Tensor(const LoadedModel&, TrainingBatch&)> loss;  // in place of the class's; or null
  // Figures of the validation examples beside their loss; may be null.
  std::function<void(const std::shared_ptr<const TextModel>&, Json& figures)> figures;

  std::function<Json(const LoadedModel&)> evaluate;  // all figures of the validation examples, in place of their loss and `figures`; or null
  // Writes what belongs to the folder beside model, config and tokenizer; may be null.
  std::function<void(const std::shared_ptr<const TextModel>&, const std::string& folder)> save_more;

  void note(const std::string& text) const { report({{"event", "note"}, {"text", text}}); }
  // Takes type_ids where the model reads them, ids always.
  TrainingExample example(const Encoding& encoding) const;
  EncodeOptions encode_options() const;
  // Says new labels in config.json.
  void set_labels(const std::vector<std::string>& labels);
};

// Examples for training and for validation, from the files or from a part of them.
template <class Example>
struct Examples {
  std::vector<Example> training, validation;
};
// read(files, take) -> DataReport; must give the examples of the files in order.
template <class Example, class Read>
Examples<Example> read_examples(TaskTraining& t, const Read& read) {
  Examples<Example> examples;
  const auto add = [&](const std::vector<std::string>& files, std::vector<Example>& to) {
    const DataReport report = read(files, [&](Example&& e) { to.push_back(std::move(e)); });
    if (report.skipped > 0) t.note(std::to_string(report.skipped) + " bad rows were skipped; the first: " + report.first_skipped);
  };
  add(t.options.files, examples.training);
  if (!t.options.validation.empty()) {
    add(t.options.validation, examples.validation);
    return examples;
  }
  const auto held_back = static_cast<std::size_t>(t.options.validation_split * static_cast<double>(examples.training.size()));
  std::vector<bool> held(examples.training.size());
  for (std::size_t k = 0; const std::size_t i : shuffled(held.size(), t.options.trainer.batches.seed, 7)) {
    if (k++ < held_back) held[i] = true;
  }
  std::vector<Example> kept;
  for (std::size_t i = 0; i < held.size(); ++i) (held[i] ? examples.validation : kept).push_back(std::move(examples.training[i]));
  examples.training = std::move(kept);
  return examples;
}
// The files that an example's place counts in.
inline const std::vector<std::string>& files_of(const TaskTraining& t, bool validation) {
  return validation && !t.options.validation.empty() ? t.options.validation : t.options.files;
}

// Numbers for labels: those of the checkpoint's own head where it knows all of them, else new ones.
class TrainingLabels {
 public:
  // used: the labels of the examples; own: the head that the checkpoint must have to be kept.
  TrainingLabels(TaskTraining& t, const std::set<std::string>& used, Head own);

  const std::vector<std::string>& names() const { return names_; }
  bool knows(const std::string& label) const { return ids_.contains(label); }
  std::int32_t operator[](const std::string& label) const { return ids_.at(label); }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t> ids_;  // the data's labels
};

// Runs the examples and calls done(i, outputs) for each.
void run_examples(const TextModel& model, const TrainingSet& set, const std::function<void(std::size_t, const SequenceOutputs&)>& done);

// TaskTraining::figures of a model that writes tokens.
void add_perplexity(const std::shared_ptr<const TextModel>& model, Json& figures);

// The config that shifted_labels reads, with what newer folders say in generation_config.json alone.
Config writing_config(const TaskTraining& t);

// The model of --teacher; null where none is asked for. Throws Error where it understands ids or labels otherwise than the student.
std::unique_ptr<LoadedModel> load_teacher(const TaskTraining& t, const Config& student);

void prepare_text_classification(TaskTraining& t);
void prepare_token_classification(TaskTraining& t);
void prepare_question_answering(TaskTraining& t);
void prepare_causal_language_model(TaskTraining& t);
void prepare_masked_language_model(TaskTraining& t);
void prepare_text2text(TaskTraining& t);
void prepare_denoising(TaskTraining& t);
void prepare_sentence_similarity(TaskTraining& t);

// text-classification with --few-labels.
void prepare_few_labels(TaskTraining& t, const Examples<TextExample>& examples);

// What makes a sentence-transformers folder of a checkpoint's: modules.json and what it names, copied or made anew.
void write_sentence_modules(const std::string& from, const std::string& to, SentencePooling pooling, std::int64_t max_seq_length);

}  // namespace polymath
