// Segmentation as the sentencepiece library does it: text to pieces and back, unigram and BPE models.
//
// This is what Transformers' slow tokenizers call. The fast ones (tokenizer.json) run text/unigram and text/bpe instead, which
// differ in details: normalization by graphemes, scores in double.
// Source: Kudo 2018 (arXiv:1804.10959) for unigram, Sennrich 2016 (arXiv:1508.07909) for BPE; the details were measured against PyPI sentencepiece.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/sentencepiece_model.h"
#include "text/prefix_trie.h"

namespace polymath {

struct SentencePieceToken {
  std::string piece;
  int id = 0;
};

// Immutable; const use from many threads is safe.
class SentencePiece {
 public:
  // Throws Error{kBadFile, kNotFound, kIo; kUnsupported for word and char models}.
  static SentencePiece load(const std::string& path);
  explicit SentencePiece(SentencePieceModel model, const std::string& where = "sentencepiece model");
  SentencePiece(SentencePiece&&) = default;
  SentencePiece(const SentencePiece&) = delete;  // its tables point into its model

  // Invalid bytes are read as U+FFFD. Neighbouring unknown characters make one piece, or byte pieces if the model has them.
  std::vector<SentencePieceToken> encode(std::string_view text) const;
  std::string normalize(std::string_view text) const;

  std::string decode(const std::vector<std::string>& pieces) const;

  int size() const { return static_cast<int>(model_.pieces.size()); }
  int piece_to_id(std::string_view piece) const;  // the unknown piece's id where there is none
  const SentencePieceModel& model() const { return model_; }

 private:
  struct Segment {
    std::string_view piece;
    int id;
  };
  void normalize_prefix(std::string_view text, std::string_view& replacement, std::size_t& consumed) const;
  std::vector<Segment> unigram(std::string_view normalized) const;
  std::vector<Segment> bpe(std::string_view normalized) const;
  bool is(int id, PieceType type) const { return model_.pieces[static_cast<std::size_t>(id)].type == type; }

  SentencePieceModel model_;
  NormalizationRules charsmap_, denormalizer_;
  std::unordered_map<std::string_view, int> normal_, reserved_;  // as sentencepiece keeps them; reserved ones are found first
  PrefixTrie trie_, user_defined_;
  float min_score_ = 0;  // of the normal pieces
};

}  // namespace polymath
