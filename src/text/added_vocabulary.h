// Tokens that were added beside a model's vocabulary, and finding them in a text.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "text/normalizer.h"
#include "text/pieces.h"
#include "text/tokenizer.h"
#include "text/tokenizer_model.h"
#include "text/vocabulary.h"

namespace polymath {

// Finds the leftmost, and there the longest, of several strings.
class StringFinder {
 public:
  // An empty text is left out; of several equal ones the first counts.
  explicit StringFinder(std::vector<std::pair<std::string, std::int32_t>> texts);
  bool empty() const { return texts_.size() == 0; }
  struct Found {
    std::size_t begin, end;
    std::int32_t id;
  };
  std::optional<Found> find(std::string_view text, std::size_t from) const;

 private:
  Vocabulary texts_;
  std::vector<std::uint32_t> lengths_[256];  // by first byte, shortest first
};

// Built once; const use from many threads is safe.
class AddedVocabulary {
 public:
  // Gives each token an id (the model's, where it has the token) as the crate does. `normalizer` may be null.
  void add(const std::vector<AddedToken>& tokens, const TokenizerModel& model, const Normalizer* normalizer);

  // The text as pieces, with the added tokens found (unless they are special and `split_special`) and the rest normalized.
  void extract(std::string_view text, const Normalizer* normalizer, bool split_special, Pieces& out) const;

  std::optional<std::int32_t> find(const std::string& token) const;
  const AddedToken* token(std::int32_t id) const;
  // The token as decoding sees it: normalized, where it is found in normalized text.
  const std::string* decoded(std::int32_t id) const;
  void decode_as_written() { as_written_ = true; }
  bool is_special(const std::string& token) const { return special_.contains(token); }
  const std::map<std::int32_t, AddedToken>& tokens() const { return tokens_; }
  const std::unordered_map<std::string, std::int32_t>& ids() const { return ids_; }

 private:
  void split(NormalizedString&& s, const StringFinder* finder, bool split_special, std::vector<std::pair<NormalizedString, std::int32_t>>& out) const;

  std::unordered_map<std::string, std::int32_t> ids_;
  std::map<std::int32_t, AddedToken> tokens_;
  std::unordered_map<std::int32_t, std::string> normalized_;
  bool as_written_ = false;
  std::unordered_set<std::string> special_;
  std::shared_ptr<const StringFinder> plain_, in_normalized_;  // null before the first tokens
};

}  // namespace polymath
