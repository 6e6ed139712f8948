// New tokenizers from text: tokenizer.json and tokenizer_config.json, as PyPI `tokenizers` and Transformers load them.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "train/merge_trainer.h"

namespace polymath {

enum class TokenizerKind { kWordPiece, kBpe, kUnigram };

TokenizerKind tokenizer_kind_named(const std::string& name);  // wordpiece, bpe, unigram; throws Error listing them

struct TokenizerOptions {
  TokenizerKind kind = TokenizerKind::kWordPiece;
  std::size_t vocab_size = 30000;
  std::uint64_t min_frequency = 2;          // of a merge; Unigram has none
  std::size_t alphabet_limit = 0;           // most characters; 0: all; byte-level BPE has its 256
  bool lowercase = false;
  std::vector<std::string> special_tokens;  // beside those of the kind
  std::size_t model_max_length = 512;
};

struct TrainedTokenizer {
  Json tokenizer, config;  // the two files
  std::size_t vocab_size = 0, merges = 0;
  std::size_t words = 0;   // different ones
};

// Counts the words of texts, then trains. Not thread safe; uses all threads by itself.
class TokenizerTrainer {
 public:
  explicit TokenizerTrainer(const TokenizerOptions& options);

  void add(std::string text) { words_.add(std::move(text)); }
  std::uint64_t bytes() const { return words_.bytes(); }
  TrainedTokenizer train(const TrainingProgress& progress);

 private:
  TokenizerOptions options_;
  std::vector<std::string> special_tokens_;
  Json tokenizer_;  // all but the vocabulary
  WordCounter words_;
};

// Writes both files into a folder, which is created. Throws Error{kIo}.
void save_tokenizer(const TrainedTokenizer& tokenizer, const std::string& folder);

}  // namespace polymath
