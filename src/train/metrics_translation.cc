// BLEU (Papineni et al. 2002) and chrF (Popović 2015) with the tokenization, smoothing and totals of sacrebleu (Post 2018).
#include <array>
#include <cmath>
#include <unordered_map>

#include "base/utf8.h"
#include "text/python_text.h"
#include "text/unicode.h"
#include "train/metrics.h"

namespace polymath {
namespace {

using NGrams = std::unordered_map<std::string_view, std::size_t>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_stop(char c) { return c == '.' || c == ','; }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
}

// The characters of {-~ [-` space-& (-+ :-@ / stand alone.
std::string with_marks_apart(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool mark = (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
    if (mark) out += ' ';
    out += c;
    if (mark) out += ' ';
  }
  return out;
}

// Goes over pairs of bytes from the left; where `is_pair` both are replaced by what `write` makes of them.
template <class IsPair, class Write>
std::string with_pairs(std::string_view text, const IsPair& is_pair, const Write& write) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && is_pair(text[i], text[i + 1])) {
      write(out, text[i], text[i + 1]);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

// mteval-v13a's tokens, a space between them.
std::string tokenize_13a(std::string_view sentence, bool lowercase) {
  std::string text = lowercase ? python::lower(sentence) : std::string(sentence);
  text = std::string(python::strip(text, std::nullopt, python::Ends::kRight));
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  text = with_marks_apart(" " + text + " ");
  const auto apart_after = [](std::string& out, char a, char b) { out += {a, ' ', b, ' '}; };
  text = with_pairs(text, [](char a, char b) { return !is_digit(a) && is_stop(b); }, apart_after);
  text = with_pairs(text, [](char a, char b) { return is_stop(a) && !is_digit(b); }, [](std::string& out, char a, char b) { out += {' ', a, ' ', b}; });
  return with_pairs(text, [](char a, char b) { return is_digit(a) && b == '-'; }, apart_after);
}

// The n-grams of pieces that lie one after the other in `text` with `gap` bytes between them.
NGrams n_grams(const std::vector<std::string_view>& pieces, std::size_t n) {
  NGrams counts;
  for (std::size_t i = 0; i + n <= pieces.size(); ++i) {
    const char* begin = pieces[i].data();
    ++counts[{begin, static_cast<std::size_t>(pieces[i + n - 1].data() + pieces[i + n - 1].size() - begin)}];
  }
  return counts;
}

std::size_t matches(const NGrams& a, const NGrams& b) {
  std::size_t count = 0;
  for (const auto& [gram, n] : a) {
    if (const auto found = b.find(gram); found != b.end()) count += std::min(n, found->second);
  }
  return count;
}

// Words with one space between them, so that n-grams of words are parts of one text.
std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::string_view word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view text) { return python::split(text, std::nullopt, -1); }

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> all;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = static_cast<std::size_t>(utf8_decode(text.substr(i)).length);
    all.push_back(text.substr(i, length));
    i += length;
  }
  return all;
}

bool is_mark(std::string_view character) { return character.size() == 1 && unicode::is_ascii_punctuation(static_cast<unsigned char>(character[0])); }

// Words, with one mark at their end or else at their beginning taken off.
std::vector<std::string_view> words_and_marks(std::string_view text) {
  std::vector<std::string_view> all;
  for (std::string_view word : words_of(text)) {
    const std::string_view first = word.substr(0, 1), last = word.substr(word.size() - 1);
    if (utf8_length(word) > 1 && is_mark(last)) {
      all.push_back(word.substr(0, word.size() - 1));
      all.push_back(last);
    } else if (utf8_length(word) > 1 && is_mark(first)) {
      all.push_back(first);
      all.push_back(word.substr(1));
    } else {
      all.push_back(word);
    }
  }
  return all;
}

constexpr int kCharacterOrder = 6;

// n-grams in the hypothesis, in the reference and in both.
struct OrderCounts {
  std::size_t hypothesis = 0, reference = 0, both = 0;

  void add(const NGrams& h, const NGrams& r, std::size_t h_total, std::size_t r_total) {
    hypothesis += r_total > 0 ? h_total : 0;
    reference += r_total;
    both += matches(h, r);
  }
};

std::size_t grams_in(std::size_t pieces, std::size_t n) { return pieces < n ? 0 : pieces - n + 1; }

double f_score(const std::vector<OrderCounts>& orders) {
  double precision = 0, recall = 0;
  int effective = 0;
  for (const OrderCounts& o : orders) {
    if (o.hypothesis == 0 || o.reference == 0) continue;
    precision += static_cast<double>(o.both) / static_cast<double>(o.hypothesis);
    recall += static_cast<double>(o.both) / static_cast<double>(o.reference);
    ++effective;
  }
  if (effective == 0 || precision + recall == 0) return 0;
  precision /= effective;
  recall /= effective;
  constexpr double kBeta2 = 4;  // recall counts twice
  return 100 * (1 + kBeta2) * precision * recall / (kBeta2 * precision + recall);
}

}  // namespace

Bleu corpus_bleu(std::span<const std::string> hypotheses, std::span<const std::string> references, bool lowercase) {
  std::array<std::size_t, 4> right{}, total{};
  Bleu bleu;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const std::string h_tokens = tokenize_13a(hypotheses[i], lowercase), r_tokens = tokenize_13a(references[i], lowercase);
    const std::string h_text = joined(words_of(h_tokens)), r_text = joined(words_of(r_tokens));
    const auto h = words_of(h_text), r = words_of(r_text);
    bleu.hypothesis_length += h.size();
    bleu.reference_length += r.size();
    for (std::size_t n = 1; n <= 4; ++n) {
      right[n - 1] += matches(n_grams(h, n), n_grams(r, n));
      total[n - 1] += grams_in(h.size(), n);
    }
  }
  const auto h = static_cast<double>(bleu.hypothesis_length), r = static_cast<double>(bleu.reference_length);
  bleu.brevity_penalty = h >= r ? 1 : h > 0 ? std::exp(1 - r / h) : 0;
  if (right == std::array<std::size_t, 4>{}) return bleu;
  double smooth = 1, logs = 0;
  bool ended = false;
  for (std::size_t n = 0; n < 4; ++n) {
    ended = ended || total[n] == 0;
    if (ended) {
      logs += -9999999999;  // what sacrebleu takes for log 0
      continue;
    }
    if (right[n] == 0) smooth *= 2;
    bleu.precisions[n] = right[n] == 0 ? 100 / (smooth * static_cast<double>(total[n])) : 100 * static_cast<double>(right[n]) / static_cast<double>(total[n]);
    logs += std::log(bleu.precisions[n]);
  }
  bleu.score = bleu.brevity_penalty * std::exp(logs / 4);
  return bleu;
}

double corpus_chrf(std::span<const std::string> hypotheses, std::span<const std::string> references, int word_order, bool lowercase) {
  std::vector<OrderCounts> orders(static_cast<std::size_t>(kCharacterOrder + word_order));
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const std::string h_text = lowercase ? python::lower(hypotheses[i]) : hypotheses[i], r_text = lowercase ? python::lower(references[i]) : references[i];
    std::string h_dense, r_dense;
    for (std::string_view word : words_of(h_text)) h_dense += word;
    for (std::string_view word : words_of(r_text)) r_dense += word;
    const auto h = characters_of(h_dense), r = characters_of(r_dense);
    for (std::size_t n = 1; n <= kCharacterOrder; ++n) orders[n - 1].add(n_grams(h, n), n_grams(r, n), grams_in(h.size(), n), grams_in(r.size(), n));
    if (word_order == 0) continue;
    const std::string h_words = joined(words_and_marks(h_text)), r_words = joined(words_and_marks(r_text));
    const auto hw = words_of(h_words), rw = words_of(r_words);
    for (std::size_t n = 1; n <= static_cast<std::size_t>(word_order); ++n) {
      orders[kCharacterOrder + n - 1].add(n_grams(hw, n), n_grams(rw, n), grams_in(hw.size(), n), grams_in(rw.size(), n));
    }
  }
  return f_score(orders);
}

}  // namespace polymath
