// What Transformers' AutoTokenizer.from_pretrained(folder) makes of a checkpoint's tokenizer files.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace polymath {

// How text becomes ids. FastBackend wraps tokenizer.json; tokenizers that Transformers has only in Python
// implement this. Const use from many threads is safe.
class TokenizerBackend {
 public:
  virtual ~TokenizerBackend() = default;
  virtual Encoding encode(const TextInput& text, const TextInput* pair, const EncodeOptions& options) const = 0;
  // A text that a model is to write (text_target); another vocabulary's where the class has two.
  virtual Encoding encode_target(const TextInput& text, const EncodeOptions& options) const { return encode(text, nullptr, options); }
  virtual std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const = 0;
  virtual std::string convert_tokens_to_string(const std::vector<std::string>& tokens) const = 0;
  virtual int vocab_size(bool with_added_tokens) const = 0;
  virtual std::optional<std::int32_t> token_to_id(std::string_view token) const = 0;
  virtual std::optional<std::string> id_to_token(std::int32_t id) const = 0;
  virtual int num_special_tokens_to_add(bool pair) const = 0;
  virtual std::string continuing_subword_prefix() const { return {}; }
  virtual const Tokenizer* fast() const { return nullptr; }  // null: a slow tokenizer (is_fast is False)
};

// The special tokens by their Transformers names; absent where the folder names none.
struct SpecialTokens {
  std::optional<std::string> bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token;
  std::vector<std::string> additional_special_tokens;
};

// The JSON files of a folder that describe its tokenizer, and the settings that result from them.
struct TokenizerSettings {
  std::string folder;
  std::string tokenizer_class;  // as tokenizer_config.json names it, or by model_type; without "Fast"
  Json tokenizer_config = Json::object();  // {} where there is no file
  Json special_tokens_map = Json::object();
  Json added_tokens = Json::object();      // added_tokens.json: token -> id
  SpecialTokens special;
  double model_max_length = 1e30;
  Side padding_side = Side::kRight, truncation_side = Side::kRight;
  std::vector<std::string> model_input_names = {"input_ids", "token_type_ids", "attention_mask"};
  bool clean_up_tokenization_spaces = false;
  bool split_special_tokens = false;
  bool refuses_words = false;  // a byte-level class without add_prefix_space takes no text in words
  std::int32_t pad_token_type_id = 0;
};

// Throws Error{kNotFound} that says what a tokenizer of this class is made of, where one of these files is missing.
void require_files(const TokenizerSettings& settings, std::initializer_list<const char*> names);

// The settings alone, for what needs no tokenizer. Throws Error{kBadFile} for a file that is wrong; missing files mean the defaults.
TokenizerSettings read_tokenizer_settings(const std::string& folder);

class PretrainedTokenizer {
 public:
  // Throws Error{kNotFound} where the folder holds no tokenizer, else as Tokenizer::from_file.
  static PretrainedTokenizer load(const std::string& folder);
  PretrainedTokenizer(TokenizerSettings settings, std::shared_ptr<const TokenizerBackend> backend);

  const TokenizerSettings& settings() const { return settings_; }
  const TokenizerBackend& backend() const { return *backend_; }
  bool is_fast() const { return backend_->fast() != nullptr; }

  Encoding encode(const TextInput& text, const EncodeOptions& options = {}) const { return backend_->encode(text, nullptr, options); }
  Encoding encode(const TextInput& text, const TextInput& pair, const EncodeOptions& options = {}) const {
    return backend_->encode(text, &pair, options);
  }
  // clean_up absent: what the folder says.
  std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens = false,
                     std::optional<bool> clean_up = std::nullopt) const;
  std::string convert_tokens_to_string(const std::vector<std::string>& tokens) const { return backend_->convert_tokens_to_string(tokens); }

  int vocab_size(bool with_added_tokens = true) const { return backend_->vocab_size(with_added_tokens); }
  // A token that is not there gives the id of unk_token, or nothing where there is none (convert_tokens_to_ids).
  std::optional<std::int32_t> token_to_id(std::string_view token) const;
  std::optional<std::string> id_to_token(std::int32_t id) const { return backend_->id_to_token(id); }
  int num_special_tokens_to_add(bool pair) const { return backend_->num_special_tokens_to_add(pair); }

  // Ids of the special tokens; absent where the folder names none.
  std::optional<std::int32_t> bos_id() const { return id_of(settings_.special.bos_token); }
  std::optional<std::int32_t> eos_id() const { return id_of(settings_.special.eos_token); }
  std::optional<std::int32_t> unk_id() const { return id_of(settings_.special.unk_token); }
  std::optional<std::int32_t> sep_id() const { return id_of(settings_.special.sep_token); }
  std::optional<std::int32_t> pad_id() const { return id_of(settings_.special.pad_token); }
  std::optional<std::int32_t> cls_id() const { return id_of(settings_.special.cls_token); }
  std::optional<std::int32_t> mask_id() const { return id_of(settings_.special.mask_token); }
  const std::vector<std::int32_t>& all_special_ids() const { return all_special_ids_; }

  double model_max_length() const { return settings_.model_max_length; }
  // The padding that the folder's settings describe; length and multiple are left open.
  Padding padding() const;

 private:
  std::optional<std::int32_t> id_of(const std::optional<std::string>& token) const;

  TokenizerSettings settings_;
  std::shared_ptr<const TokenizerBackend> backend_;
  std::vector<std::int32_t> all_special_ids_;
};

// Makes the backend of a class that Transformers has only as a slow tokenizer (text/slow_tokenizers.cc).
using BackendFactory = std::shared_ptr<const TokenizerBackend> (*)(TokenizerSettings& settings);

// " ." -> "." and the like, as PreTrainedTokenizerBase.clean_up_tokenization.
std::string clean_up_tokenization(std::string text);

}  // namespace polymath
