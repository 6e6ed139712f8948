#include "train/merge_trainer.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <set>
#include <unordered_map>

#include "base/utf8.h"
#include "text/normalized_string.h"

namespace polymath {
namespace {

using Pair = std::uint64_t;  // two ids

Pair pair_of(std::uint32_t first, std::uint32_t second) { return std::uint64_t{first} << 32 | second; }
std::uint32_t first_of(Pair p) { return static_cast<std::uint32_t>(p >> 32); }
std::uint32_t second_of(Pair p) { return static_cast<std::uint32_t>(p); }

struct PairHash {
  std::size_t operator()(Pair p) const {
    p *= 0x9E3779B97F4A7C15u;
    return p ^ p >> 29;
  }
};

// A pair that may be merged, with the words that had it when it was pushed.
struct Candidate {
  std::int64_t count;
  Pair pair;
  std::vector<std::uint32_t> words;

  bool operator<(const Candidate& other) const { return count != other.count ? count < other.count : pair > other.pair; }
};

class MergeTrainer {
 public:
  MergeTrainer(const WordCounts& words, const MergeOptions& options, const TrainingProgress& progress) : options_(options), progress_(progress) {
    for (const std::string& token : options.special_tokens) add_token(token);
    read_words(words);
    count_pairs();
  }

  TrainedMerges run() {
    const std::size_t first = vocab_.size();
    while (vocab_.size() < options_.vocab_size && !queue_.empty()) {
      Candidate top = std::move(const_cast<Candidate&>(queue_.top()));  // popped at once
      queue_.pop();
      if (const std::int64_t now = counts_[top.pair]; top.count != now) {
        top.count = now;
        queue_.push(std::move(top));
        continue;
      }
      if (top.count < 1 || static_cast<std::uint64_t>(top.count) < options_.min_frequency) break;
      merge(top);
      if (progress_ && merges_.size() % 64 == 0 && options_.vocab_size > first) progress_("merges", vocab_.size() - first, options_.vocab_size - first);
    }
    return {std::move(vocab_), in_order()};
  }

 private:
  struct Word {
    std::size_t begin, length;  // in symbols_; it shrinks in its place
    std::int64_t count;
  };

  std::uint32_t add_token(const std::string& token) {
    const auto [found, fresh] = ids_.try_emplace(token, static_cast<std::uint32_t>(vocab_.size()));
    if (fresh) vocab_.push_back(token);
    return found->second;
  }

  // Words as ids of their characters; what is not in the alphabet is left out.
  void read_words(const WordCounts& words) {
    std::unordered_map<char32_t, std::uint32_t> first, later;
    for (const auto& [c, unused] : alphabet_of(words, options_.alphabet_limit, options_.initial_alphabet)) {
      std::string text;
      utf8_append(text, c);
      first[c] = add_token(text);
    }
    if (options_.prefix.empty()) {
      later = first;
    } else {
      std::set<char32_t> seen;
      for (const auto& [word, unused] : words) {
        CodePoints points(word);
        for (bool begins = true; !points.done(); begins = false) {
          const char32_t c = points.next();
          if (!begins && first.contains(c)) seen.insert(c);
        }
      }
      for (const char32_t c : seen) later[c] = add_token(options_.prefix + vocab_[first[c]]);
    }
    for (const auto& [word, count] : words) {
      const std::size_t begin = symbols_.size();
      CodePoints points(word);
      for (bool begins = true; !points.done(); begins = false) {
        const auto& of_place = begins ? first : later;
        if (const auto found = of_place.find(points.next()); found != of_place.end()) symbols_.push_back(found->second);
      }
      if (symbols_.size() - begin < 2) symbols_.resize(begin);  // nothing to merge
      else words_.push_back({begin, symbols_.size() - begin, static_cast<std::int64_t>(count)});
    }
  }

  void count_pairs() {
    for (std::uint32_t w = 0; w < words_.size(); ++w) {
      const Word& word = words_[w];
      for (std::size_t i = 1; i < word.length; ++i) change(pair_of(symbols_[word.begin + i - 1], symbols_[word.begin + i]), word.count, w);
    }
    push_new();
  }

  // A pair occurs more or less often than before; where more, in word `w`.
  void change(Pair pair, std::int64_t count, std::uint32_t w) {
    counts_[pair] += count;
    if (count < 0) return;
    auto& words = new_[pair];
    if (words.empty() || words.back() != w) words.push_back(w);
  }

  void push_new() {
    for (auto& [pair, words] : new_) {
      if (const std::int64_t count = counts_[pair]; count > 0) queue_.push({count, pair, std::move(words)});
    }
    new_.clear();
  }

  void merge(const Candidate& top) {
    const std::uint32_t first = first_of(top.pair), second = second_of(top.pair);
    std::string_view tail = vocab_[second];
    if (tail.starts_with(options_.prefix)) tail.remove_prefix(options_.prefix.size());
    const std::uint32_t merged = add_token(vocab_[first] + std::string(tail));
    merges_.push_back(top.pair);
    for (const std::uint32_t w : top.words) merge_in(words_[w], w, first, second, merged);
    push_new();
  }

  void merge_in(Word& word, std::uint32_t w, std::uint32_t first, std::uint32_t second, std::uint32_t merged);

  // Where a pair was merged twice (its token can be made in several ways) the later time counts.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> in_order() const {
    std::unordered_map<Pair, std::size_t, PairHash> last;
    for (std::size_t i = 0; i < merges_.size(); ++i) last[merges_[i]] = i;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> ordered;
    for (std::size_t i = 0; i < merges_.size(); ++i) {
      if (last[merges_[i]] == i) ordered.push_back({first_of(merges_[i]), second_of(merges_[i])});
    }
    return ordered;
  }

  const MergeOptions& options_;
  const TrainingProgress& progress_;
  std::vector<std::string> vocab_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  std::vector<std::uint32_t> symbols_;
  std::vector<Word> words_;
  std::unordered_map<Pair, std::int64_t, PairHash> counts_;
  std::unordered_map<Pair, std::vector<std::uint32_t>, PairHash> new_;
  std::priority_queue<Candidate> queue_;
  std::vector<Pair> merges_;
};

// From the left; the pairs that come and go are counted as they stand at that moment.
void MergeTrainer::merge_in(Word& word, std::uint32_t w, std::uint32_t first, std::uint32_t second, std::uint32_t merged) {
  std::uint32_t* symbols = symbols_.data() + word.begin;
  std::size_t out = 0;
  for (std::size_t i = 0; i < word.length; ++i) {
    if (symbols[i] != first || i + 1 >= word.length || symbols[i + 1] != second) {
      symbols[out++] = symbols[i];
      continue;
    }
    if (out > 0) {
      change(pair_of(symbols[out - 1], first), -word.count, w);
      change(pair_of(symbols[out - 1], merged), word.count, w);
    }
    ++i;
    if (i + 1 < word.length) {
      change(pair_of(second, symbols[i + 1]), -word.count, w);
      change(pair_of(merged, symbols[i + 1]), word.count, w);
    }
    symbols[out++] = merged;
  }
  word.length = out;
}

}  // namespace

std::vector<std::pair<char32_t, std::uint64_t>> alphabet_of(const WordCounts& words, std::size_t limit, const std::u32string& always) {
  std::unordered_map<char32_t, std::uint64_t> counts;
  for (const auto& [word, count] : words) {
    for (CodePoints points(word); !points.done();) counts[points.next()] += count;
  }
  for (char32_t c : always) counts[c] = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::pair<char32_t, std::uint64_t>> alphabet(counts.begin(), counts.end());
  if (limit > 0 && alphabet.size() > limit) {
    std::sort(alphabet.begin(), alphabet.end(), [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
    alphabet.resize(limit);
  }
  std::sort(alphabet.begin(), alphabet.end());
  return alphabet;
}

TrainedMerges train_merges(const WordCounts& words, const MergeOptions& options, const TrainingProgress& progress) {
  return MergeTrainer(words, options, progress).run();
}

}  // namespace polymath
