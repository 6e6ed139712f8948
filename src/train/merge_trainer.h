// Trains byte-pair merges (Sennrich et al. 2016): BPE, and WordPiece as PyPI `tokenizers` trains it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "train/word_counts.h"

namespace polymath {

// Called now and then with what is being done.
using TrainingProgress = std::function<void(const char* step, std::size_t done, std::size_t total)>;

struct MergeOptions {
  std::size_t vocab_size = 30000;
  std::uint64_t min_frequency = 0;          // of a pair that is merged
  std::size_t alphabet_limit = 0;           // most characters, the frequent ones; 0: all
  std::vector<std::string> special_tokens;  // the first ids
  std::u32string initial_alphabet;          // characters that are in whether or not the words have them
  std::string prefix;                       // of a token that does not begin its word: "##"
};

struct TrainedMerges {
  std::vector<std::string> vocab;                              // by id: special tokens, characters, then what was merged
  std::vector<std::pair<std::uint32_t, std::uint32_t>> merges;  // ids, in the order in which they hold
};

// The most frequent pair is merged, of equals the one with the smallest ids, until the vocabulary is full. Characters have ids in the
// order of their code points, those with the prefix behind those without.
TrainedMerges train_merges(const WordCounts& words, const MergeOptions& options, const TrainingProgress& progress);

// The characters of words with their counts, at most `limit` (0: all), those of `always` first of all.
std::vector<std::pair<char32_t, std::uint64_t>> alphabet_of(const WordCounts& words, std::size_t limit, const std::u32string& always);

}  // namespace polymath
