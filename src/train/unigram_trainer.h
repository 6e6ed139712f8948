// Trains a Unigram language model of pieces (Kudo 2018, arXiv:1804.10959), as PyPI `tokenizers` does after sentencepiece: expectation
// maximization over all ways to cut a word, then the pieces that matter least go, until as many are left as are wanted.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "train/merge_trainer.h"
#include "train/word_counts.h"

namespace polymath {

struct UnigramOptions {
  std::size_t vocab_size = 8000;  // special tokens included
  std::size_t special_tokens = 0;  // how many of these there will be
  std::size_t alphabet_limit = 0;  // most characters, the frequent ones; 0: all
  std::size_t seed_size = 1'000'000, longest_piece = 16;
  double shrinking_factor = 0.75;
};

// Pieces with their log probabilities, the likeliest first; every character that is kept is a piece. Throws Error{kInvalidArgument} where the
// characters alone are more than the vocabulary holds.
std::vector<std::pair<std::string, double>> train_unigram(const WordCounts& words, const UnigramOptions& options, const TrainingProgress& progress);

}  // namespace polymath
