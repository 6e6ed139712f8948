// Training of classifiers of texts and of pairs: one label, several, or a number.
#include <algorithm>
#include <optional>

#include "base/printable.h"
#include "polymath/error.h"
#include "tasks/evaluation_parts.h"
#include "tasks/scores.h"
#include "tasks/text_input.h"
#include "tasks/training_parts.h"

namespace polymath {
namespace {

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    std::string part = text.substr(begin, end - begin);
    while (!part.empty() && part.front() == ' ') part.erase(0, 1);
    while (!part.empty() && part.back() == ' ') part.pop_back();
    if (!part.empty()) parts.push_back(std::move(part));
    begin = end + separator.size();
  }
  return parts;
}

Problem problem_asked(const TaskTraining& t, const std::vector<TextExample>& examples) {
  const std::string& asked = t.options.problem;
  if (const auto problem = problem_named(asked)) return *problem;
  if (asked != "auto") {
    throw Error(ErrorCode::kInvalidArgument, "\"" + printable(asked, 60) + "\" is not one of auto, single_label_classification, multi_label_classification, regression", "--problem");
  }
  const bool numbers = std::all_of(examples.begin(), examples.end(), [](const TextExample& e) { return finite_number(*e.label).has_value(); });
  const bool whole = std::all_of(examples.begin(), examples.end(), [](const TextExample& e) { return e.label->find_first_not_of("-0123456789") == std::string::npos; });
  return numbers && !whole ? Problem::kRegression : Problem::kOneClass;
}

Encoding encode(const TaskTraining& t, const TextExample& e) {
  return e.text_pair ? t.tokenizer.encode(e.text, *e.text_pair, t.encode_options()) : encode_truncated(t.tokenizer, e.text, t.encode_options());
}

struct Reading {
  TaskTraining& t;
  const TrainingLabels* labels;  // null: numbers

  std::vector<std::string> labels_of(const TextExample& e) const {
    return t.problem == Problem::kSeveralClasses ? split(*e.label, t.options.label_separator) : std::vector{*e.label};
  }

  TrainingSet encode_all(const std::vector<TextExample>& examples, bool validation) const {
    std::vector<TrainingExample> all;
    for (const TextExample& x : examples) {
      TrainingExample e = t.example(encode(t, x));
      const std::string where = describe(x.place, files_of(t, validation));
      if (e.ids.empty()) throw Error(ErrorCode::kBadFile, "gives no tokens", where);
      if (t.problem == Problem::kRegression) {
        const auto value = finite_number(*x.label);
        if (!value) throw Error(ErrorCode::kBadFile, "the label \"" + printable(*x.label, 40) + "\" is not a number, as those of a regression must be", where);
        e.values = {static_cast<float>(*value)};
      } else {
        if (t.problem == Problem::kSeveralClasses) e.values.assign(labels->names().size(), 0.0f);
        for (const std::string& label : labels_of(x)) {
          if (!labels->knows(label)) throw Error(ErrorCode::kBadFile, "no training example has the label \"" + printable(label, 60) + "\"", where);
          if (t.problem == Problem::kOneClass) e.of_sequence = (*labels)[label];
          else e.values[static_cast<std::size_t>((*labels)[label])] = 1;
        }
      }
      all.push_back(std::move(e));
    }
    return TrainingSet(std::move(all), t.problem == Problem::kOneClass ? LabelKind::kSequences : LabelKind::kValues);
  }
};

void regression_figures(const TextModel& model, const TrainingSet& set, Json& figures) {
  std::vector<double> truth, predicted;
  run_examples(model, set, [&](std::size_t i, const SequenceOutputs& outputs) {
    truth.push_back(static_cast<double>(set[i].values[0]));
    predicted.push_back(static_cast<double>(outputs["logits"].row(0)[0]));
  });
  figures["pearson"] = number_or_null(pearson(truth, predicted));
  figures["spearman"] = number_or_null(spearman(truth, predicted));
}

void class_figures(const TextModel& model, const TrainingSet& set, const std::vector<std::string>& names, Json& figures) {
  std::vector<std::string> truth, predicted;
  run_examples(model, set, [&](std::size_t i, const SequenceOutputs& outputs) {
    const SequenceOutput logits = outputs["logits"];
    truth.push_back(names[static_cast<std::size_t>(set[i].of_sequence)]);
    predicted.push_back(names[argmax_of({logits.row(0), static_cast<std::size_t>(logits.d)})]);
  });
  const ClassificationFigures f = classification_figures(truth, predicted);
  figures["accuracy"] = f.accuracy;
  figures["f1"] = f.f1_macro;
}

// Whether all labels of a text are right, and the F1 of single labels.
void several_figures(const TextModel& model, const TrainingSet& set, Json& figures) {
  std::size_t right = 0, hits = 0, said = 0, true_ones = 0;
  run_examples(model, set, [&](std::size_t i, const SequenceOutputs& outputs) {
    const float* logits = outputs["logits"].row(0);
    bool all = true;
    for (std::size_t c = 0; c < set[i].values.size(); ++c) {
      const bool is = set[i].values[c] > 0.5f, says = logits[c] > 0;
      all &= is == says;
      hits += is && says;
      said += says;
      true_ones += is;
    }
    right += all;
  });
  figures["accuracy"] = static_cast<double>(right) / static_cast<double>(set.size());
  figures["f1"] = said + true_ones == 0 ? 0.0 : 2.0 * static_cast<double>(hits) / static_cast<double>(said + true_ones);
}

}  // namespace

void prepare_text_classification(TaskTraining& t) {
  const auto examples = read_examples<TextExample>(t, [&](const std::vector<std::string>& files, const std::function<void(TextExample&&)>& take) {
    return read_texts(files, t.options.data, LabelColumn::kNeeded, take);
  });
  if (t.options.few_labels) return prepare_few_labels(t, examples);
  t.problem = problem_asked(t, examples.training);
  if (!t.options.pooling.empty()) t.changes["classifier_pooling"] = t.options.pooling;
  std::optional<TrainingLabels> labels;
  Reading reading{t, nullptr};
  if (t.problem == Problem::kRegression) {
    if (t.config.num_labels() != 1 || t.source_head != t.head) t.set_labels({"LABEL_0"});
    t.changes["problem_type"] = "regression";
    t.score = "pearson";
  } else {
    std::set<std::string> used;
    for (const TextExample& e : examples.training) {
      for (const std::string& label : reading.labels_of(e)) used.insert(label);
    }
    const bool several = t.problem == Problem::kSeveralClasses;
    if (used.size() < 2 && !several) {
      throw Error(ErrorCode::kBadFile, "all examples have the label \"" + printable(used.empty() ? "" : *used.begin(), 60) + "\": there is nothing to tell apart", t.options.files.front());
    }
    if (used.empty()) throw Error(ErrorCode::kBadFile, "no example has a label", t.options.files.front());
    reading.labels = &labels.emplace(t, used, Head::kSequenceClassification);
    t.changes["problem_type"] = several ? "multi_label_classification" : "single_label_classification";
    t.score = several ? "f1" : "accuracy";
  }
  t.training = reading.encode_all(examples.training, false);
  t.validation = reading.encode_all(examples.validation, true);
  t.figures = [&t, names = labels ? labels->names() : std::vector<std::string>()](const std::shared_ptr<const TextModel>& model, Json& figures) {
    if (t.problem == Problem::kRegression) regression_figures(*model, t.validation, figures);
    else if (t.problem == Problem::kSeveralClasses) several_figures(*model, t.validation, figures);
    else class_figures(*model, t.validation, names, figures);
  };
}

}  // namespace polymath
