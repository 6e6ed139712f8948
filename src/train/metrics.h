// How good predictions are. Each figure is defined by the Python package that is usually asked for it, and equals it.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace polymath {

// Precision, recall and F1 of one class or of all, between 0 and 1; 0 where a division by zero would be.
struct ClassFigures {
  double precision = 0, recall = 0, f1 = 0;
  std::size_t support = 0;  // how often it is the truth
};

// scikit-learn's accuracy_score, f1_score and matthews_corrcoef.
struct ClassificationFigures {
  double accuracy = 0, f1_micro = 0, f1_macro = 0, f1_weighted = 0, matthews = 0;
  std::map<std::string, ClassFigures> classes;  // those that are the truth or are predicted
};
// truth, predicted: [examples]
ClassificationFigures classification_figures(std::span<const std::string> truth, std::span<const std::string> predicted);

// seqeval's default mode: entities of IOB1, IOB2 and BIOES tags alike, right where the type and both ends are.
struct EntityFigures {
  ClassFigures micro, macro, weighted;
  std::map<std::string, ClassFigures> types;
};
struct Entity {
  std::string type;
  std::size_t first, last;  // tokens
  auto operator<=>(const Entity&) const = default;
};
std::vector<Entity> entities_of(std::span<const std::string> tags);
// truth, predicted: [sentences][tokens]
EntityFigures entity_figures(std::span<const std::vector<std::string>> truth, std::span<const std::vector<std::string>> predicted);

// SciPy's pearsonr and spearmanr; NaN where one side has no variance.
double pearson(std::span<const double> x, std::span<const double> y);
double spearman(std::span<const double> x, std::span<const double> y);

// The official scripts of SQuAD 1.1 and 2.0, between 0 and 1: the best over the answers. In 2.0 no answers are one empty answer.
struct AnswerScores {
  double exact_match = 0, f1 = 0;
};
AnswerScores answer_scores(std::string_view predicted, std::span<const std::string> answers, bool version_2);
std::string normalize_answer(std::string_view text);

// sacrebleu's corpus scores, between 0 and 100, of one reference a hypothesis.
struct Bleu {
  double score = 0, brevity_penalty = 0, precisions[4] = {};
  std::size_t hypothesis_length = 0, reference_length = 0;
};
Bleu corpus_bleu(std::span<const std::string> hypotheses, std::span<const std::string> references, bool lowercase = false);
// word_order 2: chrF++.
double corpus_chrf(std::span<const std::string> hypotheses, std::span<const std::string> references, int word_order = 0, bool lowercase = false);

// rouge-score's F-measures of one example, between 0 and 1.
struct Rouge {
  double rouge1 = 0, rouge2 = 0, rougeL = 0, rougeLsum = 0;
};
Rouge rouge_scores(std::string_view hypothesis, std::string_view reference, bool stem = false);

// The stem of a lower-case ASCII word, as NLTK's extended Porter stemmer gives it.
std::string porter_stem(const std::string& word);

}  // namespace polymath
