// The models of tokenizer.json: words to tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_json.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace polymath {

// A token of a word: the bytes [begin, end) of it. The text of a token is what `text` says.
struct ModelToken {
  std::int32_t id;
  std::uint32_t begin, end;
};

// Const use from many threads is safe.
class TokenizerModel {
 public:
  virtual ~TokenizerModel() = default;
  // Appends the tokens of a word (not empty, valid UTF-8).
  // Throws Error{kInvalidArgument} where the word has a part that is unknown and the model has no unknown token.
  virtual void tokenize(std::string_view word, std::vector<ModelToken>& out) const = 0;
  // The text of a token that tokenize gave for this word.
  virtual std::string text_of(const ModelToken& token, std::string_view word) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  virtual std::size_t vocabulary_size() const { return vocabulary_.size(); }
  virtual std::optional<std::string_view> id_to_token(std::int32_t id) const { return vocabulary_.token(id); }
  TokenizerModelKind kind() const { return kind_; }
  const std::string& continuing_subword_prefix() const { return prefix_; }
  const std::optional<std::string>& unk_token() const { return unk_token_; }

 protected:
  TokenizerModel(const spec::Model& model, std::shared_ptr<const void> storage, TokenizerModelKind kind);
  // The id of the unknown token, or an Error that says that there is none.
  std::int32_t require_unknown() const;

  Vocabulary vocabulary_;
  TokenizerModelKind kind_;
  std::string prefix_;
  std::optional<std::string> unk_token_;
  std::int32_t unk_id_ = -1;
};

// Throws Error{kBadFile} naming `where`, as for merges of tokens that are not in the vocabulary.
std::shared_ptr<const TokenizerModel> make_tokenizer_model(const spec::Model& model, std::shared_ptr<const void> storage, const std::string& where);

// One for each kind, in its own file.
std::shared_ptr<const TokenizerModel> make_wordpiece(const spec::Model& model, std::shared_ptr<const void> storage);
std::shared_ptr<const TokenizerModel> make_bpe(const spec::Model& model, std::shared_ptr<const void> storage, const std::string& where);
std::shared_ptr<const TokenizerModel> make_unigram(const spec::Model& model, std::shared_ptr<const void> storage);

}  // namespace polymath
