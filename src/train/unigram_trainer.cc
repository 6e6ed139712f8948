#include "train/unigram_trainer.h"

#include <algorithm>
#include <limits>
#include <set>

#include "base/threads.h"
#include "base/utf8.h"
#include "nn/scalar_math.h"
#include "polymath/error.h"
#include "train/repeated_parts.h"

namespace polymath {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr std::size_t kSlices = 16;  // of the words, whose sums are added in order: threads change no bit
constexpr int kUnknown = -1, kPrefix = -2;

struct Piece {
  std::u32string text;
  double score;  // log probability
};

std::uint64_t next_hash(std::uint64_t hash, char32_t c) {
  hash = (hash ^ c) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 32;
}
constexpr std::uint64_t kHashOfNothing = 0x243F6A8885A308D3u;

// The pieces that begin at a place of a word, found by hashes of its parts. 64 bits tell all of them apart.
class PieceTable {
 public:
  explicit PieceTable(const std::vector<Piece>& pieces) {
    std::size_t letters = 0;
    for (const Piece& p : pieces) letters += p.text.size(), longest_ = std::max(longest_, p.text.size());
    std::size_t size = 1024;
    while (size < letters * 2) size *= 2;
    slots_.resize(size);
    mask_ = size - 1;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      std::uint64_t hash = kHashOfNothing;
      for (std::size_t n = 0; n < pieces[i].text.size(); ++n) {
        hash = next_hash(hash, pieces[i].text[n]);
        Slot& slot = slots_[place_of(hash)];
        slot.hash = hash;
        if (slot.id == kUnknown) slot.id = kPrefix;
        if (n + 1 == pieces[i].text.size()) slot.id = static_cast<int>(i);
      }
    }
  }

  // Calls found(length, piece) for the pieces that the text begins with, the shortest first.
  template <class Found>
  void for_each(std::u32string_view text, const Found& found) const {
    std::uint64_t hash = kHashOfNothing;
    for (std::size_t n = 0; n < text.size() && n < longest_; ++n) {
      hash = next_hash(hash, text[n]);
      const int id = slots_[place_of(hash)].id;
      if (id == kUnknown) return;
      if (id >= 0) found(n + 1, id);
    }
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    int id = kUnknown;
  };
  std::size_t place_of(std::uint64_t hash) const {
    std::size_t i = hash & mask_;
    while (slots_[i].id != kUnknown && slots_[i].hash != hash) i = (i + 1) & mask_;
    return i;
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0, longest_ = 0;
};

// All ways to cut a word.
class Lattice {
 public:
  struct Node {
    std::size_t begin, end;
    int id;  // kUnknown: a character that is no piece
    double weight;
  };

  // weights: of the pieces, and of a character that is none; without: a piece that must not be the whole word, or -1.
  void fill(std::u32string_view word, const PieceTable& table, const std::vector<double>& weights, double unknown, int without = -1) {
    nodes_.clear();
    length_ = word.size();
    for (std::size_t at = 0; at < word.size(); ++at) {
      bool single = false;
      table.for_each(word.substr(at), [&](std::size_t length, int id) {
        single |= length == 1;
        if (id != without || length != word.size()) nodes_.push_back({at, at + length, id, weights[static_cast<std::size_t>(id)]});
      });
      if (!single) nodes_.push_back({at, at + 1, kUnknown, unknown});
    }
  }

  // The weights being log probabilities: the best path's score, and its pieces in order.
  double viterbi(std::vector<int>& path) {
    alpha_.assign(length_ + 1, -std::numeric_limits<double>::infinity());
    best_.assign(length_ + 1, 0);
    alpha_[0] = 0;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Node& node = nodes_[i];
      const double score = alpha_[node.begin] + node.weight;
      if (!(score > alpha_[node.end])) continue;
      alpha_[node.end] = score;
      best_[node.end] = i;
    }
    path.clear();
    for (std::size_t at = length_; at > 0; at = nodes_[best_[at]].begin) path.push_back(nodes_[best_[at]].id);
    std::reverse(path.begin(), path.end());
    return alpha_[length_];
  }

  // The weights being probabilities: adds to expected[piece] how often it occurs in `count` such words. The probability of a
  // path's beginning is kept in range by whole powers of two, counted in shift_.
  void add_expected(double count, std::vector<double>& expected) {
    constexpr double kSmall = 0x1p-400, kLarge = 0x1p400;
    alpha_.assign(length_ + 1, 0);
    shift_.assign(length_ + 1, 0);
    alpha_[0] = 1;
    std::size_t next = 0;
    int shift = 0;
    for (std::size_t at = 0, reached = 0; at <= length_; ++at) {  // reached: the last place that a node before `at` leads to
      if (alpha_[at] < kSmall) {
        for (std::size_t later = at; later <= reached; ++later) alpha_[later] *= kLarge;
        ++shift;
      }
      shift_[at] = shift;
      for (; next < nodes_.size() && nodes_[next].begin == at; ++next) {
        alpha_[nodes_[next].end] += alpha_[at] * nodes_[next].weight;
        reached = std::max(reached, nodes_[next].end);
      }
    }
    // Back from the end: the probability that a piece ends at a place goes to the pieces that may end there.
    ends_.assign(length_ + 1, 0);
    ends_[length_] = 1;
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
      double share = ends_[node->end] * (alpha_[node->begin] * node->weight / alpha_[node->end]);
      for (int s = shift_[node->begin]; s < shift_[node->end]; ++s) share *= kLarge;
      ends_[node->begin] += share;
      if (node->id >= 0) expected[static_cast<std::size_t>(node->id)] += count * share;
    }
  }

 private:
  std::vector<Node> nodes_;  // by where they begin
  std::vector<double> alpha_, ends_;
  std::vector<int> shift_;
  std::vector<std::size_t> best_;  // the last node of the best path to each place
  std::size_t length_ = 0;
};

double digamma(double x) {  // asymptotic series (Abramowitz and Stegun 6.3.18), from 7 on
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  x -= 0.5;
  const double x2 = 1 / (x * x), x4 = x2 * x2;
  return result + scalar_log(x) + x2 / 24 - 7.0 / 960 * x4 + 31.0 / 8064 * x4 * x2 - 127.0 / 30720 * x4 * x4;
}

class UnigramTrainer {
 public:
  UnigramTrainer(const WordCounts& words, const UnigramOptions& options, const TrainingProgress& progress) : options_(options), progress_(progress) {
    alphabet_ = alphabet_of(words, options.alphabet_limit, U"");
    if (alphabet_.size() + options.special_tokens > options.vocab_size) {
      const std::string needed = std::to_string(alphabet_.size()) + " characters of the text and " + std::to_string(options.special_tokens) + " special tokens";
      throw Error(ErrorCode::kInvalidArgument, "is below the " + needed + " (--alphabet-limit N keeps the N most frequent characters)", "--vocab-size");
    }
    std::erase_if(alphabet_, [](const auto& entry) { return entry.first == 0; });  // repeated_parts ends texts with it
    std::set<char32_t> kept;
    for (const auto& [c, unused] : alphabet_) kept.insert(c);
    for (const auto& [word, count] : words) {  // characters that are not kept cut a word
      std::u32string part;
      const auto end = [&] {
        if (!part.empty()) words_.push_back(part), counts_.push_back(static_cast<double>(count));
        part.clear();
      };
      for (char32_t c : utf8_to_utf32(word)) {
        if (kept.contains(c)) part += c;
        else end();
      }
      end();
    }
  }

  std::vector<std::pair<std::string, double>> run() {
    if (words_.empty()) throw Error(ErrorCode::kBadFile, "the text holds no words", "--data");
    make_seeds();
    // tokenizers counts the unknown piece among them: sizes are one larger there, and shrink by that.
    const std::size_t wanted = options_.vocab_size * 11 / 10 - 1, seeds = pieces_.size();
    // Pieces shrink by a factor each round: so many rounds are to come.
    const double shrinks = scalar_log(static_cast<double>(wanted) / static_cast<double>(seeds)) / scalar_log(options_.shrinking_factor);
    const std::size_t rounds = static_cast<std::size_t>(std::max(0.0, shrinks)) + 1;
    for (std::size_t round = 1;; ++round) {
      for (int i = 0; i < 2; ++i) maximize(expected());
      if (progress_) progress_("pieces", std::min(round, rounds), rounds);
      if (pieces_.size() <= wanted) break;
      const std::size_t before = pieces_.size();
      prune(std::max(wanted, static_cast<std::size_t>(static_cast<double>(before + 1) * options_.shrinking_factor) - 1));
      if (pieces_.size() == before) break;  // nothing can go any more
    }
    return finished();
  }

 private:
  void make_seeds() {
    std::vector<std::pair<double, std::u32string>> characters, parts;
    for (const auto& [c, count] : alphabet_) characters.push_back({static_cast<double>(count), std::u32string(1, c)});
    for (auto& [part, count] : repeated_parts(words_, options_.longest_piece)) {
      const double characters_in_all = static_cast<double>(count) * static_cast<double>(part.size());
      parts.push_back({characters_in_all, std::move(part)});
    }
    std::sort(characters.begin(), characters.end(), std::greater<>());
    std::sort(parts.begin(), parts.end(), std::greater<>());
    parts.resize(std::min(parts.size(), options_.seed_size - std::min(options_.seed_size, characters.size())));
    double sum = 0;
    for (const auto* list : {&characters, &parts}) {
      for (const auto& [score, unused] : *list) sum += score;
    }
    for (auto* list : {&characters, &parts}) {
      for (auto& [score, text] : *list) pieces_.push_back({std::move(text), scalar_log(score) - scalar_log(sum)});
    }
  }

  double unknown_score() const { return lowest() - kUnknownPenalty; }
  std::vector<double> scores() const {
    std::vector<double> all;
    for (const Piece& p : pieces_) all.push_back(p.score);
    return all;
  }
  double lowest() const {
    double least = 0;
    for (const Piece& p : pieces_) least = std::min(least, p.score);
    return least;
  }

  // Calls work(lattice, word, sums) for every word; the sums of the slices are added up.
  template <class Work>
  std::vector<double> sum_over_words(const PieceTable& table, const std::vector<double>& weights, double unknown, const Work& work) const {
    std::vector<std::vector<double>> sums(kSlices);
    ThreadPool::global().parallel_for(kSlices, [&](std::size_t slice) {
      sums[slice].resize(pieces_.size());
      Lattice lattice;
      // Neighbours in the order of texts look up the same places of the table.
      for (std::size_t w = words_.size() * slice / kSlices; w < words_.size() * (slice + 1) / kSlices; ++w) {
        lattice.fill(words_[w], table, weights, unknown);
        work(lattice, w, sums[slice]);
      }
    });
    for (std::size_t slice = 1; slice < kSlices; ++slice) {
      for (std::size_t i = 0; i < pieces_.size(); ++i) sums[0][i] += sums[slice][i];
    }
    return std::move(sums[0]);
  }

  std::vector<double> expected() const {
    std::vector<double> probabilities = scores();
    for (double& p : probabilities) p = scalar_exp(p);
    return sum_over_words(PieceTable(pieces_), probabilities, scalar_exp(unknown_score()),
                          [&](Lattice& lattice, std::size_t w, std::vector<double>& sums) { lattice.add_expected(counts_[w], sums); });
  }

  // A sparse prior in place of plain maximization: digamma takes rare pieces down further.
  void maximize(const std::vector<double>& expected) {
    std::vector<Piece> kept;
    double sum = 0;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (expected[i] < 0.5) continue;
      kept.push_back({std::move(pieces_[i].text), expected[i]});
      sum += expected[i];
    }
    const double log_sum = digamma(sum);
    for (Piece& p : kept) p.score = digamma(p.score) - log_sum;
    pieces_ = std::move(kept);
  }

  // Keeps the pieces without which the words would be least likely.
  void prune(std::size_t size) {
    const PieceTable table(pieces_);
    const double unknown = unknown_score();
    const std::vector<double> weights = scores();
    // How a piece would be cut without it; empty: it is a character, or it is never the best for itself.
    std::vector<std::vector<int>> instead(pieces_.size());
    ThreadPool::global().parallel_for(kSlices, [&](std::size_t slice) {
      Lattice lattice;
      std::vector<int> path;
      for (std::size_t i = slice; i < pieces_.size(); i += kSlices) {
        if (pieces_[i].text.size() == 1) continue;
        lattice.fill(pieces_[i].text, table, weights, unknown, static_cast<int>(i));
        if (lattice.viterbi(path) <= pieces_[i].score) instead[i] = path;
      }
    });
    const std::vector<double> frequency = sum_over_words(table, weights, unknown, [&](Lattice& lattice, std::size_t w, std::vector<double>& sums) {
      std::vector<int> path;
      lattice.viterbi(path);
      for (int id : path) {
        if (id >= 0) sums[static_cast<std::size_t>(id)] += counts_[w];
      }
    });
    double sum = 0, words = 0;
    for (double f : frequency) sum += f;
    for (double count : counts_) words += count;
    std::vector<Piece> kept;
    std::vector<std::pair<double, std::size_t>> candidates;  // what the likelihood loses
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (frequency[i] == 0 && pieces_[i].text.size() > 1) continue;
      if (instead[i].empty()) {
        kept.push_back(pieces_[i]);
        continue;
      }
      // Its occurrences become occurrences of those that stand for it. How many those are should be instead[i].size() - 1;
      // sentencepiece and tokenizers take the number of all pieces, which favours frequent ones, and so it is done here.
      const double log_all = scalar_log(sum + frequency[i] * static_cast<double>(pieces_.size()));
      double log_instead = 0;
      for (int id : instead[i]) log_instead += scalar_log((id >= 0 ? frequency[static_cast<std::size_t>(id)] : 0) + frequency[i]) - log_all;
      candidates.push_back({frequency[i] / words * (scalar_log(frequency[i]) - scalar_log(sum) - log_instead), i});
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [unused, i] : candidates) {
      if (kept.size() >= size) break;
      kept.push_back(std::move(pieces_[i]));
    }
    pieces_ = std::move(kept);
  }

  // All characters, also those that were lost; then the pieces as they stand.
  std::vector<std::pair<std::string, double>> finished() const {
    std::vector<std::pair<std::string, double>> all;
    std::set<char32_t> missing;
    for (const auto& [c, unused] : alphabet_) missing.insert(c);
    for (const Piece& p : pieces_) {
      if (p.text.size() > 1) continue;
      missing.erase(p.text[0]);
      all.push_back({utf32_to_utf8(p.text), p.score});
    }
    double least = lowest();
    for (const char32_t c : missing) {
      all.push_back({utf32_to_utf8({&c, 1}), least});
      least += 0.0001;  // as sentencepiece does: no two are equal
    }
    for (const Piece& p : pieces_) {
      if (all.size() + options_.special_tokens >= options_.vocab_size) break;
      if (p.text.size() > 1) all.push_back({utf32_to_utf8(p.text), p.score});
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
    return all;
  }

  const UnigramOptions& options_;
  const TrainingProgress& progress_;
  std::vector<std::pair<char32_t, std::uint64_t>> alphabet_;
  std::vector<std::u32string> words_;
  std::vector<double> counts_;
  std::vector<Piece> pieces_;
};

}  // namespace

std::vector<std::pair<std::string, double>> train_unigram(const WordCounts& words, const UnigramOptions& options, const TrainingProgress& progress) {
  return UnigramTrainer(words, options, progress).run();
}

}  // namespace polymath
