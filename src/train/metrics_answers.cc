// Answers as the scripts of SQuAD 1.1 and 2.0 (rajpurkar.github.io/SQuAD-explorer) judge them.
#include <algorithm>
#include <unordered_map>

#include "base/utf8.h"
#include "text/python_text.h"
#include "text/unicode.h"
#include "train/metrics.h"

namespace polymath {
namespace {

bool is_word_character(char32_t c) { return c == '_' || python::is_alnum(c); }

// \b(a|an|the)\b replaced by a space.
std::string without_articles(std::string_view text) {
  std::string out;
  bool in_word = false;
  std::size_t word = 0;  // where it begins in `out`
  const auto end_word = [&] {
    const std::string_view last = std::string_view(out).substr(word);
    if (in_word && (last == "a" || last == "an" || last == "the")) {
      out.resize(word);
      out += ' ';
    }
  };
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char c = utf8_decode(text.substr(i));
    const bool of_word = is_word_character(c.code);
    if (of_word && !in_word) word = out.size();
    if (!of_word) end_word();
    in_word = of_word;
    out += text.substr(i, static_cast<std::size_t>(c.length));
    i += static_cast<std::size_t>(c.length);
  }
  end_word();
  return out;
}

double f1_of(const std::string& predicted, const std::string& answer, bool version_2) {
  const auto p = python::split(predicted, std::nullopt, -1), a = python::split(answer, std::nullopt, -1);
  if (version_2 && (p.empty() || a.empty())) return p.empty() && a.empty();
  std::unordered_map<std::string_view, int> counts;
  for (std::string_view token : a) ++counts[token];
  double same = 0;
  for (std::string_view token : p) {
    if (counts[token]-- > 0) ++same;
  }
  if (same == 0) return 0;
  const double precision = same / static_cast<double>(p.size()), recall = same / static_cast<double>(a.size());
  return 2 * precision * recall / (precision + recall);
}

}  // namespace

std::string normalize_answer(std::string_view text) {
  std::string kept;
  for (char c : python::lower(text)) {
    if (!unicode::is_ascii_punctuation(static_cast<unsigned char>(c))) kept += c;
  }
  const std::string words = without_articles(kept);
  std::string out;
  for (std::string_view word : python::split(words, std::nullopt, -1)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

AnswerScores answer_scores(std::string_view predicted, std::span<const std::string> answers, bool version_2) {
  const std::string normal = normalize_answer(predicted);
  AnswerScores best;
  std::vector<std::string> golds;
  for (const std::string& answer : answers) {
    std::string gold = normalize_answer(answer);
    if (!version_2 || !gold.empty()) golds.push_back(std::move(gold));
  }
  if (version_2 && golds.empty()) golds.emplace_back();
  for (const std::string& gold : golds) {
    best.exact_match = std::max(best.exact_match, normal == gold ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, f1_of(normal, gold, version_2));
  }
  return best;
}

}  // namespace polymath
