#include "tasks/evaluation.h"

#include <cmath>
#include <cstdlib>

#include "base/printable.h"
#include "polymath/error.h"
#include "tasks/evaluation_parts.h"
#include "train/data_rows.h"

namespace polymath {
namespace {

struct Entry {
  EvaluationTask about;
  void (*run)(Evaluation&);
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> kAll = {
      {{"text-classification", "sentiment-analysis", "text, text_pair, label", "accuracy, f1; of a regression pearson, spearman"}, evaluate_text_classification},
      {{"token-classification", "ner", "tokens, tags", "entity_f1 of entities, accuracy and f1 of other tags (POS)"}, evaluate_tokens},
      {{"question-answering", nullptr, "question, context, answers", "exact_match, f1"}, evaluate_questions},
      {{"zero-shot-classification", nullptr, "text, label", "accuracy, f1"}, evaluate_zero_shot},
      {{"translation", "translation_XX_to_YY", "source, target", "bleu, chrf"}, evaluate_text2text},
      {{"summarization", nullptr, "source, target", "rouge1, rouge2, rougeL"}, evaluate_text2text},
      {{"text2text-generation", nullptr, "source, target", "exact_match, bleu, chrf, rouge1, rouge2, rougeL"}, evaluate_text2text},
      {{"text-generation", nullptr, "text", "perplexity"}, evaluate_language_model},
      {{"sentence-similarity", nullptr, "text, text_pair, label", "pearson, spearman"}, evaluate_similarity},
  };
  return kAll;
}

std::string lower_ascii(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

const std::vector<EvaluationTask>& evaluation_tasks() {
  static const std::vector<EvaluationTask> kAll = [] {
    std::vector<EvaluationTask> all;
    for (const Entry& entry : entries()) all.push_back(entry.about);
    return all;
  }();
  return kAll;
}

Json evaluate(const std::string& task, const std::string& folder, const EvaluationOptions& options, const EvaluationProgress& progress) {
  std::string known;
  for (const Entry& entry : entries()) {
    const EvaluationTask& about = entry.about;
    known += (known.empty() ? "" : ", ") + std::string(about.name) + (about.alias ? std::string(" (") + about.alias + ")" : "");
    const bool pair = task.starts_with("translation_") && std::string(about.name) == "translation";
    if (task != about.name && (!about.alias || task != about.alias) && !pair) continue;
    Json figures = {{"task", task}, {"model", folder}};
    Evaluation evaluation{task, folder, options, progress, figures};
    entry.run(evaluation);
    return figures;
  }
  throw Error(ErrorCode::kInvalidArgument, "\"" + printable(task) + "\" is not a task that can be evaluated (known: " + known + ")", "TASK");
}

std::string LabelNames::mapped(const std::string& label) const {
  const auto found = options_.label_map.find(label);
  return found == options_.label_map.end() ? label : found->second;
}

const std::string* LabelNames::known(const std::string& label, const std::vector<std::string>& names) const {
  if (const auto same = std::find(names.begin(), names.end(), label); same != names.end()) return &*same;
  const std::string* found = nullptr;
  for (const std::string& name : names) {
    if (lower_ascii(name) != lower_ascii(label)) continue;
    if (found) return nullptr;  // two that differ in case alone
    found = &name;
  }
  return found;
}

std::string LabelNames::find(const std::string& label, const DataPlace& place) {
  const std::string name = mapped(label);
  if (const std::string* found = known(name, known_)) return *found;
  char* end = nullptr;
  const unsigned long id = std::strtoul(name.c_str(), &end, 10);
  if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos && *end == '\0' && id < known_.size()) return known_[id];
  unknown_.emplace(label, place);
  return name;
}

bool is_entity_tag(const std::string& tag) {
  return tag == "O" || (tag.size() > 2 && tag[1] == '-' && std::string_view("BIES").find(tag[0]) != std::string_view::npos);
}

std::string LabelNames::find_tag(const std::string& tag, const DataPlace& place) {
  const std::string whole = mapped(tag);
  if (whole == "O") return whole;
  if (!is_entity_tag(whole)) return find(tag, place);
  if (types_.empty()) {
    for (const std::string& label : known_) {
      if (is_entity_tag(label) && label != "O") types_.push_back(label.substr(2));
    }
    std::sort(types_.begin(), types_.end());
    types_.erase(std::unique(types_.begin(), types_.end()), types_.end());
  }
  const std::string type = mapped(whole.substr(2));
  if (type == "O") return type;
  if (const std::string* found = known(type, types_)) return whole.substr(0, 2) + *found;
  unknown_.emplace(whole.substr(2), place);
  return whole;
}

void LabelNames::check() const {
  if (unknown_.empty()) return;
  const auto list = [](const auto& names, const auto& name_of) {
    std::string text;
    std::size_t count = 0;
    for (const auto& name : names) {
      if (++count > 12) return text + ", ...";
      text += (text.empty() ? "" : ", ") + printable(name_of(name), 40);
    }
    return text;
  };
  const auto& [first, place] = *unknown_.begin();
  const std::vector<std::string>& names = types_.empty() ? known_ : types_;
  throw Error(ErrorCode::kInvalidArgument,
              "the label \"" + printable(first, 40) + "\"" +
                  (unknown_.size() > 1 ? " and " + std::to_string(unknown_.size() - 1) + " more (" + list(unknown_, [](const auto& u) { return u.first; }) + ")" : "") +
                  " of the data " + (unknown_.size() > 1 ? "are" : "is") + " not among the labels of " + model_ + " (" + list(names, [](const std::string& n) { return n; }) +
                  "); --label-map " + printable(first, 40) + "=LABEL bridges them",
              describe(place, options_.files));
}

double number_of(const std::string& label, const DataPlace& place, const EvaluationOptions& options) {
  const auto mapped = options.label_map.find(label);
  const std::string& text = mapped == options.label_map.end() ? label : mapped->second;
  if (const auto value = finite_number(text)) return *value;
  throw Error(ErrorCode::kBadFile, "the label \"" + printable(label, 40) + "\" is not a number, which this task needs", describe(place, options.files));
}

void add_report(const DataReport& report, Json& figures) {
  figures["examples"] = report.examples;
  if (report.skipped == 0) return;
  figures["skipped"] = report.skipped;
  figures["first_skipped"] = report.first_skipped;
}

Json number_or_null(double value) { return std::isnan(value) ? Json() : Json(value); }

Json figures_by_class(const std::map<std::string, ClassFigures>& classes) {
  Json all = Json::object();
  for (const auto& [name, f] : classes) all[name] = {{"precision", f.precision}, {"recall", f.recall}, {"f1", f.f1}, {"support", f.support}};
  return all;
}

std::vector<Json> run_pipeline(const Task& task, const std::vector<Json>& inputs, const Json& parameters, Evaluation& e) {
  std::vector<Json> results;
  run_in_batches(inputs.size(), e, [&](std::size_t begin, std::size_t end) {
    // A list of one would come back bare from some pipelines.
    Json batch(std::vector<Json>(inputs.begin() + static_cast<std::ptrdiff_t>(begin), inputs.begin() + static_cast<std::ptrdiff_t>(end)));
    Json answers = task.run(batch, parameters);
    if (!answers.is_array()) answers = Json::array({std::move(answers)});
    for (Json& answer : answers) results.push_back(std::move(answer));
  });
  return results;
}

}  // namespace polymath
