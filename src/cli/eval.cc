// polymath eval TASK --model DIR --data FILE...
#include <iostream>

#include "base/file.h"
#include "base/printable.h"
#include "cli/cli.h"
#include "cli/data_arguments.h"
#include "cli/progress.h"
#include "tasks/evaluation.h"
#include "tasks/task.h"

namespace polymath::cli {
namespace {

struct Arguments {
  std::string task, model, label_map, parameters, predictions;
  std::vector<std::string> files;
  DataArguments data;
  std::size_t batch_size = 32;
  bool json = false, stem = false;
};

// Figures for a person: a line each, then a table for each class.
void print_readable(const Json& figures) {
  char line[200];
  for (const auto& [name, value] : figures.items()) {
    if (value.is_object()) continue;
    if (value.is_number_float()) {
      std::snprintf(line, sizeof line, "%-18s %.4f", name.c_str(), value.get<double>());
      std::cout << line << '\n';
    } else {
      std::snprintf(line, sizeof line, "%-18s ", name.c_str());
      std::cout << line << (value.is_string() ? printable(value.get<std::string>(), 300) : value.is_null() ? "undefined" : dump_json(value)) << '\n';
    }
  }
  for (const auto& [name, classes] : figures.items()) {
    if (!classes.is_object() || classes.empty() || !classes.begin()->is_object()) continue;
    std::cout << "\n" << name << std::string(name.size() < 26 ? 26 - name.size() : 1, ' ') << "precision    recall        f1   support\n";
    for (const auto& [label, f] : classes.items()) {
      std::snprintf(line, sizeof line, "%9.4f %9.4f %9.4f %9zu", f["precision"].get<double>(), f["recall"].get<double>(), f["f1"].get<double>(),
                    f["support"].get<std::size_t>());
      const std::string shown = printable(label, 24);
      std::cout << "  " << shown << std::string(shown.size() < 24 ? 24 - shown.size() : 1, ' ') << line << '\n';
    }
  }
}

int eval(const Arguments& a, const Common& common) {
  const std::string model = a.model.empty() ? shipped_folder(task_named(a.task == "sentence-similarity" ? "feature-extraction" : a.task)) : a.model;
  EvaluationOptions options{.files = a.files, .data = a.data.options(), .label_map = {}, .batch_size = a.batch_size, .stem = a.stem, .type = load_type_named(common.dtype)};
  options.label_map = parse_assignments(a.label_map, "--label-map");
  if (!a.parameters.empty()) options.parameters = parse_json(a.parameters, "--parameters");
  if (!options.parameters.is_object()) {
    throw Error(ErrorCode::kInvalidArgument, std::string("must be a JSON object, not ") + json_kind(options.parameters), "--parameters");
  }
  std::string predictions;
  if (!a.predictions.empty()) options.prediction = [&](const Json& prediction) { predictions += dump_json(prediction) + "\n"; };
  std::unique_ptr<Progress> progress;
  const Json figures = evaluate(a.task, model, options, [&](std::size_t done, std::size_t total) {
    if (!progress) progress = std::make_unique<Progress>(total, "examples", common.quiet);
    progress->reach(done);
  });
  progress.reset();
  if (!a.predictions.empty()) write_file_atomically(a.predictions, predictions);
  if (!common.quiet && figures.contains("skipped")) {
    std::cerr << "polymath: note: " << figures["skipped"] << " bad rows were skipped; the first: "
              << printable(figures["first_skipped"].get<std::string>(), 1000) << std::endl;
  }
  if (a.json) std::cout << dump_json(figures) << '\n';
  else print_readable(figures);
  return 0;
}

std::string tasks_and_columns() {
  std::string text = "Tasks, their columns and metrics (docs/eval.md):\n";
  for (const EvaluationTask& task : evaluation_tasks()) {
    text += "  " + std::string(task.name) + (task.alias ? std::string(", ") + task.alias : "") + ": " + task.columns + " -> " + task.metrics + "\n";
  }
  return text + "  polymath eval ner --model DIR --data dev.conll --label-map person=PER,location=LOC --json";
}

}  // namespace

void add_eval(CLI::App& app, Common& common, Action& action) {
  auto* verb = app.add_subcommand("eval", "measure how well a model does a task on a data file");
  auto a = std::make_shared<Arguments>();
  verb->add_option("TASK", a->task, "text-classification, ner, question-answering, translation, ...")->required();
  add_model(*verb, "--model", a->model, "checkpoint folder (default: the model shipped for the task)");
  verb->add_option("--data", a->files, "data files; parallel text: the sources' file, then the targets'")->required();
  add_data_options(*verb, a->data, "use the first N examples alone");
  verb->add_option("--label-map", a->label_map, "labels of the data in the model's words: person=PER,0=negative");
  verb->add_option("--parameters", a->parameters, "parameters of the pipeline, a JSON object");
  verb->add_option("--batch-size", a->batch_size, "examples to a batch")->check(CLI::Range(1, 100000))->capture_default_str();
  verb->add_flag("--stem", a->stem, "ROUGE on Porter stems");
  verb->add_option("--predictions", a->predictions, "write what was expected and what was predicted to this file, a JSON object a line");
  verb->add_flag("--json", a->json, "one JSON object with all figures");
  add_common(*verb, common);
  verb->footer(tasks_and_columns());
  verb->callback([=, &common, &action] { action = [=, &common] { return eval(*a, common); }; });
}

}  // namespace polymath::cli
