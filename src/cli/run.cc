// polymath run TASK: a pipeline for a person, or JSON bodies in and results out.
#include <unistd.h>

#include <iostream>

#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/streams.h"
#include "tasks/task.h"

namespace polymath::cli {
namespace {

struct Arguments {
  std::string task, model;
  std::vector<std::string> texts;
  bool json = false, lines = false;
};

Json answer(const Task& task, const std::string& text) { return run_body(task, parse_json(text, "body")); }

int run_lines(const Task& task) {
  bool failed = false;
  Lines lines("-");
  for (std::string line; lines.next(line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Json result;
    try {
      result = answer(task, line);
    } catch (const Error& e) {
      result = {{"error", e.what()}};
      failed = true;
    }
    std::cout << dump_json(result) << '\n';
    flush_output();
  }
  return failed ? 1 : 0;
}

// --KEY VALUE pairs after the texts.
Json parameters_of(const std::vector<std::string>& extras, std::vector<std::string>& texts) {
  Json parameters = Json::object();
  for (std::size_t i = 0; i < extras.size(); ++i) {
    if (!extras[i].starts_with("--") || extras[i].size() == 2) {
      texts.push_back(extras[i]);
      continue;
    }
    std::string key = extras[i].substr(2), value;
    if (const auto equals = key.find('='); equals != std::string::npos) {
      value = key.substr(equals + 1);
      key.resize(equals);
    } else if (i + 1 < extras.size()) {
      value = extras[++i];
    } else {
      throw CLI::ValidationError("--" + key, "needs a value");
    }
    parameters[key] = value_given(value);
  }
  return parameters;
}

std::string percent(double score) {
  char text[16];
  std::snprintf(text, sizeof text, "%5.1f %%", 100 * score);
  return text;
}

// One result as a person reads it: a line for each label, entity, answer or filling.
void print_readable(const Json& result, const std::string& indent = "") {
  if (result.is_array()) {
    if (!result.empty() && result[0].is_array() && !result[0].empty() && result[0][0].is_array()) {
      std::cout << indent << result[0].size() << " tokens x " << result[0][0].size() << " numbers, first: " << dump_json(Json(std::vector<Json>(
          result[0][0].begin(), result[0][0].begin() + std::min<std::ptrdiff_t>(4, static_cast<std::ptrdiff_t>(result[0][0].size()))))) << " ...\n";
      return;
    }
    for (const Json& item : result) print_readable(item, indent);
    if (result.empty()) std::cout << indent << "(nothing)\n";
    return;
  }
  for (const char* key : {"generated_text", "summary_text", "translation_text"}) {
    if (!result.contains(key)) continue;
    std::cout << indent << (result[key].is_string() ? result[key].get<std::string>() : dump_json(result[key])) << '\n';
    if (result.contains("parts") && result["parts"] > 1) std::cout << indent << "(summarized in " << result["parts"] << " parts)\n";
    return;
  }
  if (result.contains("labels")) {  // zero-shot
    for (std::size_t i = 0; i < result["labels"].size(); ++i) {
      std::cout << indent << percent(result["scores"][i].get<double>()) << "  " << result["labels"][i].get<std::string>() << '\n';
    }
    return;
  }
  std::cout << indent << percent(result.value("score", 0.0)) << "  ";
  for (const char* key : {"label", "entity", "entity_group", "answer", "token_str"}) {
    if (result.contains(key)) std::cout << result[key].get<std::string>();
  }
  if (result.contains("word")) std::cout << "  " << result["word"].get<std::string>();
  if (result.contains("sequence")) std::cout << "  " << result["sequence"].get<std::string>();
  if (result.contains("start") && !result["start"].is_null()) std::cout << "  [" << result["start"] << ", " << result["end"] << ")";
  std::cout << '\n';
}

// For a person: each text by itself, so that results appear as they come.
int run_texts(const Task& task, const Arguments& a, const Json& parameters, const Common& common) {
  std::vector<Json> inputs;
  if (a.task == "question-answering") {
    // QUESTION CONTEXT, or --question and --context.
    Json example = Json::object();
    Json rest = parameters;
    for (std::size_t i = 0; i < 2; ++i) {
      const char* key = i == 0 ? "question" : "context";
      if (rest.contains(key)) {
        example[key] = rest[key];
        rest.erase(key);
      } else if (a.texts.size() > i) {
        example[key] = a.texts[i];
      }
    }
    print_readable(task.run(example, rest));
    return 0;
  }
  if (a.texts.empty()) {
    Lines lines("-");
    for (std::string line; lines.next(line);) inputs.push_back(utf8_lossy(line));
  }
  for (const std::string& text : a.texts) inputs.push_back(utf8_lossy(text));
  Progress progress(inputs.size(), "texts", common.quiet || inputs.size() < 2);
  for (const Json& input : inputs) {
    progress.clear();
    if (inputs.size() > 1) std::cout << input.get<std::string>() << '\n';
    print_readable(task.run(input, parameters), inputs.size() > 1 ? "  " : "");
    flush_output();
    progress.advance();
  }
  return 0;
}

int run(Arguments a, const std::vector<std::string>& extras, const Common& common) {
  const TaskEntry& entry = task_named(a.task);
  const Json parameters = parameters_of(extras, a.texts);
  if (a.model.empty()) a.model = shipped_folder(entry);
  const auto task = entry.make(TextModel::load(a.model, entry.head, load_type_named(common.dtype), a.task));
  const bool from_input = a.texts.size() == 1 && a.texts[0] == "-";
  if (a.lines) return run_lines(*task);
  if (a.json && from_input) {
    std::cout << dump_json(answer(*task, read_standard_input())) << '\n';
    return 0;
  }
  if (a.json) {
    if (a.texts.empty()) throw CLI::ValidationError("TEXT", "give texts, or - to read a JSON body from standard input");
    std::cout << dump_json(task->run(a.texts.size() == 1 ? Json(a.texts[0]) : Json(a.texts), parameters)) << '\n';
    return 0;
  }
  if (from_input) a.texts.clear();
  return run_texts(*task, a, parameters, common);
}

}  // namespace

void add_run(CLI::App& app, Common& common, Action& action) {
  auto* verb = app.add_subcommand("run", "run a pipeline task on texts, or on JSON bodies");
  auto a = std::make_shared<Arguments>();
  verb->add_option("TASK", a->task, "feature-extraction, fill-mask, ner, question-answering, sentiment-analysis, ...")->required();
  add_model(*verb, "--model", a->model, "checkpoint folder (default: the model shipped for the task)");
  verb->add_flag("--json", a->json, "print JSON; with - read one body {\"inputs\": ..., \"parameters\": {...}} from standard input");
  verb->add_flag("--lines", a->lines, "one JSON body per line in, one result per line out");
  verb->allow_extras();
  add_common(*verb, common);
  verb->footer("Texts follow the task; any other --KEY VALUE is a parameter of the pipeline (docs/tasks.md):\n"
               "  polymath run ner --model DIR \"Ada met Charles.\" --aggregation_strategy simple\n"
               "  polymath run question-answering --model DIR \"Who met Charles?\" \"Ada met Charles.\"\n"
               "  echo '{\"inputs\": \"Ada met Charles.\"}' | polymath run ner --model DIR --json -");
  verb->callback([=, &common, &action] { action = [=, &common] { return run(*a, verb->remaining(), common); }; });
}

}  // namespace polymath::cli
