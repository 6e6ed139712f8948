// What the evaluations of tasks share. Internal to them.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tasks/evaluation.h"
#include "tasks/task.h"
#include "train/metrics.h"

namespace polymath {

struct Evaluation {
  const std::string& task;    // as it was asked for
  const std::string& folder;  // of the model
  const EvaluationOptions& options;
  const EvaluationProgress& progress;
  Json& figures;              // what has been found out
};

// The labels of the data in the words of the model.
class LabelNames {
 public:
  LabelNames(std::vector<std::string> known, const EvaluationOptions& options, std::string model)
      : known_(std::move(known)), options_(options), model_(std::move(model)) {}

  // The model's label: by --label-map, by its name, by its number, or by its name in other case.
  std::string find(const std::string& label, const DataPlace& place);
  // The same of a tag such as B-PER, where the map and the model may have the type alone; O is always known.
  std::string find_tag(const std::string& tag, const DataPlace& place);
  // Throws Error naming the labels that were not found.
  void check() const;

 private:
  std::string mapped(const std::string& label) const;
  const std::string* known(const std::string& label, const std::vector<std::string>& names) const;

  std::vector<std::string> known_, types_;
  const EvaluationOptions& options_;
  std::string model_;
  std::map<std::string, DataPlace> unknown_;
};

// Whether a tag says where in an entity it stands: O, or B-, I-, E- or S- and a type.
bool is_entity_tag(const std::string& tag);

// An example's number, where a figure is asked for. Throws Error naming the place.
double number_of(const std::string& label, const DataPlace& place, const EvaluationOptions& options);

// Hands a prediction on, where somebody wants it.
inline void add_prediction(const Evaluation& e, const Json& expected, const Json& predicted) {
  if (e.options.prediction) e.options.prediction({{"expected", expected}, {"predicted", predicted}});
}

void add_report(const DataReport& report, Json& figures);
Json number_or_null(double value);  // NaN: null
Json figures_by_class(const std::map<std::string, ClassFigures>& classes);

// Runs the pipeline over `inputs`, batch_size at once: one result an input. The time that takes is the figure "seconds".
std::vector<Json> run_pipeline(const Task& task, const std::vector<Json>& inputs, const Json& parameters, Evaluation& e);

// Calls run(begin, end) for one batch after the other and measures the time.
template <class Run>
void run_in_batches(std::size_t count, Evaluation& e, const Run& run) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t begin = 0; begin < count;) {
    const std::size_t end = std::min(count, begin + e.options.batch_size);
    run(begin, end);
    if (e.progress) e.progress(end, count);
    begin = end;
  }
  e.figures["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The evaluations. Each adds its metrics to the figures.
void evaluate_text_classification(Evaluation& e);
void evaluate_zero_shot(Evaluation& e);
void evaluate_similarity(Evaluation& e);
void evaluate_tokens(Evaluation& e);
void evaluate_questions(Evaluation& e);
void evaluate_text2text(Evaluation& e);
void evaluate_language_model(Evaluation& e);

}  // namespace polymath
