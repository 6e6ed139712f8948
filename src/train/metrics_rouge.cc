// ROUGE (Lin 2004) as PyPI rouge-score computes it.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "text/python_text.h"
#include "train/metrics.h"

namespace polymath {
namespace {

using Tokens = std::vector<std::string>;

double f_measure(double precision, double recall) { return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0; }

// Runs of a-z and 0-9 of the lower-case text.
Tokens tokens_of(std::string_view text, bool stem) {
  Tokens tokens;
  std::string token;
  const std::string lower = python::lower(text);
  for (std::size_t i = 0; i <= lower.size(); ++i) {
    const char c = i < lower.size() ? lower[i] : ' ';
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      token += c;
      continue;
    }
    if (token.empty()) continue;
    if (stem && token.size() > 3) token = porter_stem(token);
    if (!token.empty()) tokens.push_back(std::move(token));
    token.clear();
  }
  return tokens;
}

double n_gram_score(const Tokens& hypothesis, const Tokens& reference, std::size_t n) {
  const auto count = [n](const Tokens& tokens) {
    std::map<Tokens, std::size_t> counts;
    for (auto first = tokens.begin(); n <= static_cast<std::size_t>(tokens.end() - first); ++first) ++counts[Tokens(first, first + static_cast<std::ptrdiff_t>(n))];
    return counts;
  };
  const auto h = count(hypothesis), r = count(reference);
  std::size_t both = 0;
  for (const auto& [gram, times] : r) {
    if (const auto found = h.find(gram); found != h.end()) both += std::min(times, found->second);
  }
  const auto grams = [n](const Tokens& tokens) { return static_cast<double>(std::max<std::size_t>(1, tokens.size() < n ? 0 : tokens.size() - n + 1)); };
  return f_measure(static_cast<double>(both) / grams(hypothesis), static_cast<double>(both) / grams(reference));
}

// A longest common subsequence: the indices of its tokens in `reference`. Where several are as long, the one that rouge-score finds.
std::vector<std::size_t> common_subsequence(const Tokens& reference, const Tokens& hypothesis) {
  const std::size_t rows = reference.size(), columns = hypothesis.size();
  std::vector<bool> left(rows * columns);  // whether the way back goes left from there, not up
  std::vector<std::size_t> above(columns + 1), row(columns + 1);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      left[i * columns + j] = row[j] > above[j + 1];
      row[j + 1] = reference[i] == hypothesis[j] ? above[j] + 1 : std::max(above[j + 1], row[j]);
    }
    above.swap(row);
  }
  std::vector<std::size_t> indices;
  for (std::size_t i = rows, j = columns; i > 0 && j > 0;) {
    if (reference[i - 1] == hypothesis[j - 1]) {
      indices.push_back(--i);
      --j;
    } else if (left[(i - 1) * columns + j - 1]) {
      --j;
    } else {
      --i;
    }
  }
  return indices;
}

std::vector<Tokens> sentences_of(std::string_view text, bool stem) {
  std::vector<Tokens> sentences;
  for (std::string_view sentence : python::split(text, "\n", -1)) {
    if (!sentence.empty()) sentences.push_back(tokens_of(sentence, stem));
  }
  return sentences;
}

// Of each reference sentence the tokens that are common with any sentence of the hypothesis; no token counts twice.
double summary_score(const std::vector<Tokens>& hypothesis, const std::vector<Tokens>& reference) {
  std::unordered_map<std::string_view, std::ptrdiff_t> h_left, r_left;
  double h_total = 0, r_total = 0, hits = 0;
  for (const Tokens& s : hypothesis) {
    for (const std::string& token : s) ++h_left[token], ++h_total;
  }
  for (const Tokens& s : reference) {
    for (const std::string& token : s) ++r_left[token], ++r_total;
  }
  if (h_total == 0 || r_total == 0) return 0;
  for (const Tokens& r : reference) {
    std::vector<bool> in_common(r.size());
    for (const Tokens& h : hypothesis) {
      for (std::size_t i : common_subsequence(r, h)) in_common[i] = true;
    }
    for (std::size_t i = 0; i < r.size(); ++i) {
      if (!in_common[i] || h_left[r[i]] <= 0 || r_left[r[i]] <= 0) continue;
      ++hits;
      --h_left[r[i]];
      --r_left[r[i]];
    }
  }
  return f_measure(hits / h_total, hits / r_total);
}

}  // namespace

Rouge rouge_scores(std::string_view hypothesis, std::string_view reference, bool stem) {
  const Tokens h = tokens_of(hypothesis, stem), r = tokens_of(reference, stem);
  Rouge scores{.rouge1 = n_gram_score(h, r, 1), .rouge2 = n_gram_score(h, r, 2)};
  if (!h.empty() && !r.empty()) {
    const auto common = static_cast<double>(common_subsequence(r, h).size());
    scores.rougeL = f_measure(common / static_cast<double>(h.size()), common / static_cast<double>(r.size()));
  }
  scores.rougeLsum = summary_score(sentences_of(hypothesis, stem), sentences_of(reference, stem));
  return scores;
}

}  // namespace polymath
