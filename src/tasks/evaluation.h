// How well a model does a task on a file of examples: our own pipelines over train/data.h, judged by train/metrics.h.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "models/model.h"
#include "train/data.h"

namespace polymath {

struct EvaluationOptions {
  std::vector<std::string> files;
  DataOptions data;
  std::map<std::string, std::string> label_map;  // a label of the data -> one of the model
  Json parameters = Json::object();              // of the pipeline
  std::size_t batch_size = 32;                   // examples that the pipeline gets at once
  bool stem = false;                             // ROUGE on stems
  std::function<void(const Json&)> prediction;   // gets {"expected", "predicted"} of each example, in order; may be null
  LoadType type = LoadType::kAuto;
};

using EvaluationProgress = std::function<void(std::size_t done, std::size_t total)>;

// The tasks that can be evaluated, with a few words about each: name, columns, metrics.
struct EvaluationTask {
  const char *name, *alias, *columns, *metrics;
};
const std::vector<EvaluationTask>& evaluation_tasks();

// Figures by name; docs/eval.md says what they mean. Undefined ones are null. Throws Error naming the file, the line, the label or the
// column at fault.
Json evaluate(const std::string& task, const std::string& folder, const EvaluationOptions& options, const EvaluationProgress& progress);

}  // namespace polymath
