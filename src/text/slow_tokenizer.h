// What Transformers' tokenizers that exist in Python only have in common (PreTrainedTokenizer).
// Source: tokenization_utils.py and prepare_for_model in tokenization_utils_base.py of Transformers 4.57.6.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/prefix_trie.h"
#include "text/pretrained_tokenizer.h"

namespace polymath {

// Added tokens are cut out of the text first; a class tokenizes what is between them.
class SlowTokenizer : public TokenizerBackend {
 public:
  Encoding encode(const TextInput& text, const TextInput* pair, const EncodeOptions& options) const override;
  std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const override;
  int vocab_size(bool with_added_tokens) const override;
  std::optional<std::int32_t> token_to_id(std::string_view token) const override;
  std::optional<std::string> id_to_token(std::int32_t id) const override;
  int num_special_tokens_to_add(bool pair) const override;

 protected:
  // `settings.special` is filled with the class's defaults before.
  explicit SlowTokenizer(const TokenizerSettings& settings);
  // To be called at the end of a class's constructor: adds the special tokens, with new ids where the vocabulary has none.
  void add_special_tokens();

  // The class's own part: its vocabulary without added tokens ...
  virtual std::vector<std::string> tokenize(std::string_view text) const = 0;
  virtual std::optional<std::int32_t> find(std::string_view token) const = 0;
  virtual std::optional<std::string> find(std::int32_t id) const = 0;
  virtual std::optional<std::int32_t> find_in_vocabulary(std::string_view token) const { return find(token); }  // get_vocab
  virtual int size() const = 0;
  // ... and what stands around one or two sequences.
  virtual std::vector<std::int32_t> prefix() const = 0;
  virtual std::vector<std::int32_t> suffix() const = 0;
  virtual bool marks_special(std::int32_t) const { return false; }  // in special_tokens_mask, among the text's own ids

  bool is_special(std::string_view token) const { return special_tokens_.contains(std::string(token)); }
  std::int32_t id_of(std::string_view token) const;  // the unknown token's where there is none
  const std::vector<std::string>& special_tokens() const { return special_order_; }

  SpecialTokens special_;

 private:
  std::vector<std::int32_t> ids_of(const TextInput& input) const;
  void append_tokens(std::string_view text, std::vector<std::string>& tokens) const;
  void add(std::int32_t id, AddedToken token);

  std::map<std::int32_t, AddedToken> added_;                    // _added_tokens_decoder
  std::unordered_map<std::string, std::int32_t> added_ids_;     // _added_tokens_encoder
  PrefixTrie trie_;
  std::vector<std::string> special_order_;                      // all_special_tokens
  std::set<std::string> special_tokens_;
};

// The tokens that a folder adds, by id: added_tokens_decoder of tokenizer_config.json, or added_tokens.json.
std::map<std::int32_t, AddedToken> read_added_tokens(const TokenizerSettings& settings);

std::string python_strip(std::string_view text);  // str.strip

// The tokens of SpecialTokens in Transformers' order (SPECIAL_TOKENS_ATTRIBUTES), each once.
std::vector<std::string> all_special_tokens(const SpecialTokens& special);

}  // namespace polymath
