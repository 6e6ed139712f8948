// A tokenizer.json, read and run: text to ids and back, as PyPI `tokenizers` 0.23 does.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/encoding.h"

namespace polymath {

// One sequence to encode: a text, or words that were split before (is_split_into_words).
// A view: what it points to must outlive the call.
struct TextInput {
  TextInput(std::string_view text) : text(text) {}
  TextInput(const char* text) : text(text) {}
  TextInput(const std::string& text) : text(text) {}
  TextInput(std::span<const std::string> words) : words(words), split(true) {}
  TextInput(const std::vector<std::string>& words) : words(words), split(true) {}

  std::string_view text;  // invalid UTF-8 is read as U+FFFD
  std::span<const std::string> words;
  bool split = false;
};

struct EncodeOptions {
  bool add_special_tokens = true;
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
  bool split_special_tokens = false;  // special tokens in the text are text
};

enum class TokenizerModelKind { kWordPiece, kBpe, kUnigram, kWordLevel };

struct AddedToken {
  std::string content;
  bool single_word = false, lstrip = false, rstrip = false, normalized = true, special = false;
};

struct TokenizerSpec;  // formats/tokenizer_json.h
namespace spec {
struct Normalizer;
struct PostProcessor;
}

// = tokenizers.Tokenizer. Copies share what is immutable. Const use from many threads is safe.
class Tokenizer {
 public:
  // The truncation and padding sections are ignored: both are per-call options here.
  // Throws Error{kBadFile, kNotFound or kIo} that names the file and the field at fault.
  static Tokenizer from_file(const std::string& path);
  static Tokenizer from_json(std::string_view json, const std::string& where = "tokenizer.json");
  static Tokenizer from_spec(TokenizerSpec spec);

  Encoding encode(const TextInput& text, bool add_special_tokens = true) const;
  Encoding encode(const TextInput& text, const TextInput& pair, bool add_special_tokens = true) const;
  // `pair` may be null. Throws Error{kInvalidArgument} where the truncation cannot be met.
  Encoding encode(const TextInput& text, const TextInput* pair, const EncodeOptions& options) const;

  // The ids of encode(text), appended to `out`: much faster, for no tokens and offsets are made.
  void encode_ids(std::string_view text, bool add_special_tokens, std::vector<std::int32_t>& out) const;

  // Ids that mean nothing are left out.
  std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens = true) const;
  std::string convert_tokens_to_string(const std::vector<std::string>& tokens) const;  // the decoder alone

  int vocab_size(bool with_added_tokens = true) const;
  std::optional<std::int32_t> token_to_id(std::string_view token) const;
  std::optional<std::string> id_to_token(std::int32_t id) const;

  TokenizerModelKind model_kind() const;
  std::string continuing_subword_prefix() const;  // "" where the model has none
  std::optional<std::string> unk_token() const;   // the model's own
  int num_special_tokens_to_add(bool pair) const;
  std::vector<std::pair<std::int32_t, AddedToken>> added_tokens() const;  // by id
  bool is_special(std::int32_t id) const;  // an added token that decode may skip

  // As Tokenizer.add_tokens / add_special_tokens: tokens that are there already only change their flags.
  Tokenizer with_added_tokens(const std::vector<AddedToken>& tokens) const;

  // Since 0.23 an added token with `normalized` decodes to its normalized form; before, and so in Transformers 4.57.6,
  // to its content.
  Tokenizer decoding_added_tokens_as_written() const;
  Tokenizer with_post_processor(const spec::PostProcessor& part) const;
  // Added tokens stay as the normalizer before has normalized them.
  Tokenizer with_normalizer(const spec::Normalizer& part) const;

 private:
  struct Parts;
  explicit Tokenizer(std::shared_ptr<const Parts> parts);
  std::shared_ptr<const Parts> parts_;
};

}  // namespace polymath
