#include "train/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/threads.h"
#include "base/utf8.h"
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
        Slot& slot = slot_of(hash);
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
      const int id = const_cast<PieceTable*>(this)->slot_of(hash).id;
      if (id == kUnknown) return;
      if (id >= 0) found(n + 1, id);
    }
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    int id = kUnknown;
  };
  Slot& slot_of(std::uint64_t hash) {
    std::size_t i = hash & mask_;
    while (slots_[i].id != kUnknown && slots_[i].hash != hash) i = (i + 1) & mask_;
    return slots_[i];
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0, longest_ = 0;
};

// All ways to cut a word.
struct Lattice {
  struct Node {
    std::size_t begin, end;
    int id;  // kUnknown: a character that is no piece
    double score;
  };
  std::vector<Node> nodes;  // by where they begin
  std::vector<double> alpha, beta;
  std::vector<int> best;    // the last node of the best path to each place

  // without: a piece that must not be the whole word, or -1.
  void fill(std::u32string_view word, const PieceTable& table, const std::vector<Piece>& pieces, double unknown_score, int without = -1) {
    nodes.clear();
    for (std::size_t at = 0; at < word.size(); ++at) {
      bool single = false;
      table.for_each(word.substr(at), [&](std::size_t length, int id) {
        single |= length == 1;
        if (id != without || length != word.size()) nodes.push_back({at, at + length, id, pieces[static_cast<std::size_t>(id)].score});
      });
      if (!single) nodes.push_back({at, at + 1, kUnknown, unknown_score});
    }
    length_ = word.size();
  }

  // The best path's score; -infinity where there is none. Its nodes go to `path`, in order.
  double viterbi(std::vector<int>& path) {
    alpha.assign(length_ + 1, -std::numeric_limits<double>::infinity());
    best.assign(length_ + 1, -1);
    alpha[0] = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Node& node = nodes[i];
      const double score = alpha[node.begin] + node.score;
      if (!(score > alpha[node.end])) continue;
      alpha[node.end] = score;
      best[node.end] = static_cast<int>(i);
    }
    path.clear();
    for (std::size_t at = length_; at > 0 && best[at] >= 0; at = nodes[static_cast<std::size_t>(best[at])].begin) path.push_back(best[at]);
    std::reverse(path.begin(), path.end());
    return alpha[length_];
  }

  // Adds to expected[piece] how often it occurs in `count` such words; returns the log likelihood of one.
  double add_expected(double count, std::vector<double>& expected) {
    alpha.assign(length_ + 1, -std::numeric_limits<double>::infinity());
    beta = alpha;
    alpha[0] = beta[length_] = 0;
    for (const Node& node : nodes) alpha[node.end] = log_sum(alpha[node.end], alpha[node.begin] + node.score);
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) beta[node->begin] = log_sum(beta[node->begin], node->score + beta[node->end]);
    for (const Node& node : nodes) {
      if (node.id >= 0) expected[static_cast<std::size_t>(node.id)] += count * std::exp(alpha[node.begin] + node.score + beta[node.end] - alpha[length_]);
    }
    return alpha[length_];
  }

 private:
  static double log_sum(double a, double b) {
    const double most = std::max(a, b), least = std::min(a, b);
    return most > least + 50 ? most : most + std::log(std::exp(least - most) + 1);
  }

  std::size_t length_ = 0;
};

double digamma(double x) {  // asymptotic series (Abramowitz and Stegun 6.3.18), from 7 on
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  x -= 0.5;
  const double x2 = 1 / (x * x), x4 = x2 * x2;
  return result + std::log(x) + x2 / 24 - 7.0 / 960 * x4 + 31.0 / 8064 * x4 * x2 - 127.0 / 30720 * x4 * x4;
}

class UnigramTrainer {
 public:
  UnigramTrainer(const WordCounts& words, const UnigramOptions& options, const TrainingProgress& progress) : options_(options), progress_(progress) {
    alphabet_ = alphabet_of(words, options.alphabet_limit, U"");
    if (alphabet_.size() + options.special_tokens > options.vocab_size) {
      const std::string needed = std::to_string(alphabet_.size()) + " characters of the text and " + std::to_string(options.special_tokens) + " special tokens";
      throw Error(ErrorCode::kInvalidArgument, "is below the " + needed + " (--alphabet-limit N keeps the N most frequent characters)", "--vocab-size");
    }
    std::set<char32_t> kept;
    for (const auto& [c, unused] : alphabet_) kept.insert(c);
    for (const auto& [word, count] : words) {  // characters that are not kept cut a word
      std::u32string part;
      const auto end = [&] {
        if (!part.empty()) words_.push_back(part), counts_.push_back(static_cast<double>(count));
        part.clear();
      };
      for (char32_t c : utf8_to_utf32(word)) {
        if (c != 0 && kept.contains(c)) part += c;
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
    const double shrinks = std::log(static_cast<double>(wanted) / static_cast<double>(seeds)) / std::log(options_.shrinking_factor);
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
    for (const auto& [c, count] : alphabet_) {
      if (c != 0) characters.push_back({static_cast<double>(count), std::u32string(1, c)});
    }
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
      for (auto& [score, text] : *list) pieces_.push_back({std::move(text), std::log(score) - std::log(sum)});
    }
  }

  double unknown_score() const { return lowest() - kUnknownPenalty; }
  double lowest() const {
    double least = 0;
    for (const Piece& p : pieces_) least = std::min(least, p.score);
    return least;
  }

  // Calls work(lattice, word, sums) for every word; the sums of the slices are added up.
  template <class Work>
  std::vector<double> sum_over_words(const Work& work) const {
    const PieceTable table(pieces_);
    const double unknown = unknown_score();
    std::vector<std::vector<double>> sums(kSlices);
    ThreadPool::global().parallel_for(kSlices, [&](std::size_t slice) {
      sums[slice].resize(pieces_.size());
      Lattice lattice;
      for (std::size_t w = slice; w < words_.size(); w += kSlices) {
        lattice.fill(words_[w], table, pieces_, unknown);
        work(lattice, w, sums[slice]);
      }
    });
    for (std::size_t slice = 1; slice < kSlices; ++slice) {
      for (std::size_t i = 0; i < pieces_.size(); ++i) sums[0][i] += sums[slice][i];
    }
    return std::move(sums[0]);
  }

  std::vector<double> expected() const {
    return sum_over_words([&](Lattice& lattice, std::size_t w, std::vector<double>& sums) { lattice.add_expected(counts_[w], sums); });
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
    // How a piece would be cut without it; empty: it cannot be, or it is never the best for itself.
    std::vector<std::vector<int>> instead(pieces_.size());
    std::vector<char> keep(pieces_.size(), 1);
    ThreadPool::global().parallel_for(kSlices, [&](std::size_t slice) {
      Lattice lattice;
      std::vector<int> path;
      for (std::size_t i = slice; i < pieces_.size(); i += kSlices) {
        if (pieces_[i].text.size() == 1) continue;
        lattice.fill(pieces_[i].text, table, pieces_, unknown, static_cast<int>(i));
        if (lattice.viterbi(path) > pieces_[i].score) keep[i] = 0;
        else for (int node : path) instead[i].push_back(lattice.nodes[static_cast<std::size_t>(node)].id);
      }
    });
    const std::vector<double> frequency = sum_over_words([&](Lattice& lattice, std::size_t w, std::vector<double>& sums) {
      std::vector<int> path;
      lattice.viterbi(path);
      for (int node : path) {
        if (const int id = lattice.nodes[static_cast<std::size_t>(node)].id; id >= 0) sums[static_cast<std::size_t>(id)] += counts_[w];
      }
    });
    double sum = 0, words = 0;
    for (double f : frequency) sum += f;
    for (double count : counts_) words += count;
    std::vector<Piece> kept;
    std::vector<std::pair<double, std::size_t>> candidates;  // what the likelihood loses
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (frequency[i] == 0 && !keep[i]) continue;
      if (instead[i].empty()) {
        kept.push_back(pieces_[i]);
        continue;
      }
      if (frequency[i] == 0) continue;
      // Its occurrences become occurrences of those that stand for it. How many those are should be instead[i].size() - 1;
      // sentencepiece and tokenizers take the number of all pieces, which favours frequent ones, and so it is done here.
      const double log_all = std::log(sum + frequency[i] * static_cast<double>(pieces_.size()));
      double log_instead = 0;
      for (int id : instead[i]) log_instead += std::log((id >= 0 ? frequency[static_cast<std::size_t>(id)] : 0) + frequency[i]) - log_all;
      candidates.push_back({frequency[i] / words * (std::log(frequency[i]) - std::log(sum) - log_instead), i});
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
    std::set<std::u32string> missing, in;
    for (const auto& [c, unused] : alphabet_) {
      if (c != 0) missing.insert(std::u32string(1, c));
    }
    for (const Piece& p : pieces_) {
      if (!missing.erase(p.text)) continue;
      in.insert(p.text);
      all.push_back({utf32_to_utf8(p.text), p.score});
    }
    double least = lowest();
    for (const std::u32string& c : missing) {
      all.push_back({utf32_to_utf8(c), least});
      least += 0.0001;  // as sentencepiece does: no two are equal
    }
    for (const Piece& p : pieces_) {
      if (all.size() + options_.special_tokens >= options_.vocab_size) break;
      if (!in.contains(p.text)) all.push_back({utf32_to_utf8(p.text), p.score});
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
