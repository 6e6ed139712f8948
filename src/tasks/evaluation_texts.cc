// Evaluations whose examples are texts with a label or a score, or pairs of texts.
#include <cmath>

#include "tasks/evaluation_parts.h"
#include "tasks/sentence_embedding.h"

namespace polymath {
namespace {

std::vector<TextExample> texts_of(Evaluation& e) {
  std::vector<TextExample> examples;
  add_report(read_texts(e.options.files, e.options.data, Labels::kNeeded, [&](TextExample&& x) { examples.push_back(std::move(x)); }), e.figures);
  return examples;
}

// positive: the second of two labels, else null.
void add_classification(const std::vector<std::string>& truth, const std::vector<std::string>& predicted, const std::string* positive, Evaluation& e) {
  for (std::size_t i = 0; i < truth.size(); ++i) add_prediction(e, truth[i], predicted[i]);
  Json& figures = e.figures;
  const ClassificationFigures f = classification_figures(truth, predicted);
  figures["accuracy"] = f.accuracy;
  figures["f1"] = f.f1_macro;
  if (positive) {
    const auto found = f.classes.find(*positive);
    figures["f1_binary"] = found == f.classes.end() ? 0.0 : found->second.f1;
  }
  figures["f1_weighted"] = f.f1_weighted;
  figures["matthews"] = f.matthews;
  figures["classes"] = figures_by_class(f.classes);
}

void add_correlation(const std::vector<double>& truth, const std::vector<double>& predicted, Evaluation& e) {
  for (std::size_t i = 0; i < truth.size(); ++i) add_prediction(e, truth[i], predicted[i]);
  e.figures["pearson"] = number_or_null(pearson(truth, predicted));
  e.figures["spearman"] = number_or_null(spearman(truth, predicted));
}

Json input_of(const TextExample& x) {
  if (!x.text_pair) return x.text;
  return {{"text", x.text}, {"text_pair", *x.text_pair}};
}

std::shared_ptr<const TextModel> load(const Evaluation& e, const TaskEntry& entry) { return TextModel::load(e.folder, entry.head, e.options.type, e.task); }

}  // namespace

void evaluate_text_classification(Evaluation& e) {
  const TaskEntry& entry = task_named(e.task);
  const auto model = load(e, entry);
  const auto& labels = model->loaded.config().id2label();
  const auto examples = texts_of(e);
  std::vector<Json> inputs;
  for (const TextExample& x : examples) inputs.push_back(input_of(x));
  Json parameters = {{"truncation", true}};
  const bool regression = labels.size() == 1;
  if (regression) parameters["function_to_apply"] = "none";
  parameters.update(e.options.parameters);

  std::vector<double> scores;
  std::vector<std::string> truth;
  LabelNames names(labels, e.options, e.folder);
  for (const TextExample& x : examples) {
    if (regression) scores.push_back(number_of(*x.label, x.place, e.options));
    else truth.push_back(names.find(*x.label, x.place));
  }
  names.check();
  const auto results = run_pipeline(*entry.make(model), inputs, parameters, e);
  std::vector<double> given;
  std::vector<std::string> predicted;
  for (const Json& result : results) {
    const Json& best = result.is_array() ? result.at(0) : result;
    given.push_back(best["score"].get<double>());
    predicted.push_back(best["label"].get<std::string>());
  }
  if (regression) add_correlation(scores, given, e);
  else add_classification(truth, predicted, labels.size() == 2 ? &labels[1] : nullptr, e);
}

void evaluate_zero_shot(Evaluation& e) {
  const TaskEntry& entry = task_named(e.task);
  const auto model = load(e, entry);
  const auto examples = texts_of(e);
  // The labels to choose from are those of the data, in order; an underscore is read as a space.
  std::vector<std::string> truth;
  std::set<std::string> labels;
  for (const TextExample& x : examples) {
    const auto mapped = e.options.label_map.find(*x.label);
    std::string label = mapped == e.options.label_map.end() ? *x.label : mapped->second;
    std::replace(label.begin(), label.end(), '_', ' ');
    labels.insert(label);
    truth.push_back(std::move(label));
  }
  Json parameters = {{"candidate_labels", labels}};
  parameters.update(e.options.parameters);
  std::vector<Json> inputs;
  for (const TextExample& x : examples) inputs.push_back(x.text);
  std::vector<std::string> predicted;
  for (const Json& result : run_pipeline(*entry.make(model), inputs, parameters, e)) predicted.push_back(result["labels"].at(0).get<std::string>());
  add_classification(truth, predicted, nullptr, e);
}

void evaluate_similarity(Evaluation& e) {
  check_parameters(e.options.parameters, {});
  const auto encoder = SentenceEncoder::load(e.folder, e.options.type);
  const auto examples = texts_of(e);
  std::vector<double> truth, cosines;
  for (const TextExample& x : examples) {
    if (!x.text_pair) throw Error(ErrorCode::kInvalidArgument, "has no second text; name one by --columns text_pair=NAME", describe(x.place, e.options.files));
    truth.push_back(number_of(*x.label, x.place, e.options));
  }
  run_in_batches(examples.size(), e, [&](std::size_t begin, std::size_t end) {
    std::vector<std::string> texts;
    for (std::size_t i = begin; i < end; ++i) {
      texts.push_back(examples[i].text);
      texts.push_back(*examples[i].text_pair);
    }
    const auto vectors = encoder.encode(texts);
    for (std::size_t i = 0; i < vectors.size(); i += 2) {
      double ab = 0, aa = 0, bb = 0;
      for (std::size_t d = 0; d < vectors[i].size(); ++d) {
        const auto a = static_cast<double>(vectors[i][d]), b = static_cast<double>(vectors[i + 1][d]);
        ab += a * b, aa += a * a, bb += b * b;
      }
      cosines.push_back(aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0);
    }
  });
  add_correlation(truth, cosines, e);
}

void evaluate_questions(Evaluation& e) {
  const TaskEntry& entry = task_named(e.task);
  const auto model = load(e, entry);
  std::vector<QuestionExample> examples;
  add_report(read_questions(e.options.files, e.options.data, [&](QuestionExample&& x) { examples.push_back(std::move(x)); }), e.figures);
  std::vector<Json> inputs;
  std::size_t unanswerable = 0;
  for (const QuestionExample& x : examples) {
    inputs.push_back({{"question", x.question}, {"context", x.context}});
    unanswerable += x.answers.empty();
  }
  // A question without an answer makes the data SQuAD 2.0, whose rules differ.
  Json parameters = Json::object();
  if (unanswerable > 0) parameters["handle_impossible_answer"] = true;
  parameters.update(e.options.parameters);
  const auto results = run_pipeline(*entry.make(model), inputs, parameters, e);
  AnswerScores sum, with, none;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const Json& best = results[i].is_array() ? results[i].at(0) : results[i];
    std::vector<std::string> answers;
    for (const auto& a : examples[i].answers) answers.push_back(a.text);
    add_prediction(e, answers, best["answer"]);
    const AnswerScores s = answer_scores(best["answer"].get<std::string>(), answers, unanswerable > 0);
    for (AnswerScores* total : {&sum, answers.empty() ? &none : &with}) {
      total->exact_match += s.exact_match;
      total->f1 += s.f1;
    }
  }
  const auto mean = [](const AnswerScores& total, std::size_t n) {
    return Json{{"exact_match", total.exact_match / static_cast<double>(n)}, {"f1", total.f1 / static_cast<double>(n)}, {"examples", n}};
  };
  e.figures["exact_match"] = sum.exact_match / static_cast<double>(examples.size());
  e.figures["f1"] = sum.f1 / static_cast<double>(examples.size());
  if (unanswerable == 0) return;
  if (unanswerable < examples.size()) e.figures["answerable"] = mean(with, examples.size() - unanswerable);
  e.figures["unanswerable"] = mean(none, unanswerable);
}

void evaluate_text2text(Evaluation& e) {
  const TaskEntry& entry = task_named(e.task);
  const auto model = load(e, entry);
  std::vector<std::string> references, hypotheses;
  std::vector<Json> inputs;
  add_report(read_pairs(e.options.files, e.options.data, [&](PairExample&& x) {
    inputs.push_back(std::move(x.source));
    references.push_back(std::move(x.target));
  }), e.figures);
  Json parameters = {{"truncation", true}};
  parameters.update(e.options.parameters);
  for (const Json& result : run_pipeline(*entry.make(model), inputs, parameters, e)) {
    const Json& first = result.is_array() ? result.at(0) : result;
    for (const char* key : {"translation_text", "summary_text", "generated_text"}) {
      if (first.contains(key)) hypotheses.push_back(first[key].get<std::string>());
    }
  }
  if (hypotheses.size() != references.size()) throw Error(ErrorCode::kInvalidArgument, "the parameters leave no one text for each input", "--parameters");
  for (std::size_t i = 0; i < references.size(); ++i) add_prediction(e, references[i], hypotheses[i]);
  const std::string name = entry.name;
  if (name != "summarization") {
    e.figures["bleu"] = corpus_bleu(hypotheses, references).score;
    e.figures["bleu_lowercase"] = corpus_bleu(hypotheses, references, /*lowercase=*/true).score;
    e.figures["chrf"] = corpus_chrf(hypotheses, references);
    e.figures["chrf++"] = corpus_chrf(hypotheses, references, /*word_order=*/2);
  }
  if (name == "translation") return;
  Rouge sum;
  double exact = 0;
  for (std::size_t i = 0; i < references.size(); ++i) {
    const Rouge r = rouge_scores(hypotheses[i], references[i], e.options.stem);
    sum.rouge1 += r.rouge1, sum.rouge2 += r.rouge2, sum.rougeL += r.rougeL, sum.rougeLsum += r.rougeLsum;
    exact += hypotheses[i] == references[i];
  }
  const auto n = static_cast<double>(references.size());
  e.figures["rouge1"] = sum.rouge1 / n;
  e.figures["rouge2"] = sum.rouge2 / n;
  e.figures["rougeL"] = sum.rougeL / n;
  e.figures["rougeLsum"] = sum.rougeLsum / n;
  if (name != "summarization") e.figures["exact_match"] = exact / n;
}

}  // namespace polymath
