// MarianTokenizer (Helsinki-NLP/opus-mt-*): two sentencepiece models cut the text, vocab.json numbers the pieces.
#include <memory>
#include <mutex>

#include "base/file.h"
#include "formats/vocab_files.h"
#include "text/decoder.h"
#include "text/sentencepiece.h"
#include "text/slow_tokenizer.h"
#include "text/slow_tokenizers.h"
#include "text/vocabulary.h"

namespace polymath {
namespace {

Vocabulary load_vocabulary(const std::string& path) {
  const VocabFile file = read_vocab_json(path);
  return Vocabulary(file.tokens, file.storage);
}

class MarianTokenizer final : public SlowTokenizer {
 public:
  // of_targets: what it encodes is in the target's language.
  explicit MarianTokenizer(const TokenizerSettings& settings, bool of_targets = false)
      : SlowTokenizer(settings),
        settings_(settings),
        source_(SentencePiece::load(join_path(settings.folder, of_targets ? "target.spm" : "source.spm"))),
        target_(SentencePiece::load(join_path(settings.folder, "target.spm"))),
        vocabulary_(load_vocabulary(join_path(settings.folder, "vocab.json"))) {
    const auto separate = settings.tokenizer_config.find("separate_vocabs");
    separate_vocabs_ = separate != settings.tokenizer_config.end() && separate->is_boolean() && separate->get<bool>();
    if (separate_vocabs_) target_vocabulary_ = load_vocabulary(join_path(settings.folder, "target_vocab.json"));
    if (separate_vocabs_ && of_targets) vocabulary_ = target_vocabulary_;
    for (const auto& token : {special_.unk_token, special_.pad_token}) {
      if (vocabulary_.find(*token) < 0) throw Error(ErrorCode::kBadFile, "has no token " + *token, join_path(settings.folder, "vocab.json"));
    }
    add_special_tokens();
  }

  Encoding encode_target(const TextInput& text, const EncodeOptions& options) const override {
    std::call_once(once_, [&] { of_targets_ = std::make_unique<MarianTokenizer>(settings_, /*of_targets=*/true); });
    return of_targets_->encode(text, nullptr, options);
  }

  std::string convert_tokens_to_string(const std::vector<std::string>& tokens) const override {
    std::string out;
    std::vector<std::string> pieces;
    for (const std::string& token : tokens) {
      if (is_special(token)) {
        out += target_.decode(pieces) + token + " ";
        pieces.clear();
      } else pieces.push_back(token);
    }
    out += target_.decode(pieces);
    replace_all(out, "\xE2\x96\x81", " ");
    return python_strip(out);
  }

 protected:
  // A language code such as >>fra<< before the text is a token of its own.
  std::vector<std::string> tokenize(std::string_view text) const override {
    std::vector<std::string> tokens;
    if (text.starts_with(">>")) {
      if (const std::size_t end = text.find("<<"); end != std::string_view::npos) {
        tokens.emplace_back(text.substr(0, end + 2));
        text.remove_prefix(end + 2);
      }
    }
    for (SentencePieceToken& token : source_.encode(text)) tokens.push_back(std::move(token.piece));
    return tokens;
  }
  std::optional<std::int32_t> find(std::string_view token) const override {
    const std::int32_t id = vocabulary_.find(token);
    return id < 0 ? std::nullopt : std::optional(id);
  }
  std::optional<std::string> find(std::int32_t id) const override {
    const auto token = (separate_vocabs_ ? target_vocabulary_ : vocabulary_).token(id);
    return token ? std::optional(std::string(*token)) : std::nullopt;
  }
  int size() const override { return static_cast<int>(vocabulary_.size()); }
  std::vector<std::int32_t> prefix() const override { return {}; }
  std::vector<std::int32_t> suffix() const override { return {id_of(*special_.eos_token)}; }
  bool marks_special(std::int32_t id) const override {
    const auto token = id_to_token(id);
    return token && is_special(*token) && *token != special_.unk_token;
  }

 private:
  TokenizerSettings settings_;
  SentencePiece source_, target_;
  Vocabulary vocabulary_, target_vocabulary_;
  bool separate_vocabs_ = false;
  mutable std::once_flag once_;
  mutable std::unique_ptr<MarianTokenizer> of_targets_;  // made when training asks for it
};

}  // namespace

std::shared_ptr<const TokenizerBackend> make_marian_tokenizer(TokenizerSettings& settings) {
  require_files(settings, {"source.spm", "target.spm", "vocab.json"});
  if (!settings.special.unk_token) settings.special.unk_token = "<unk>";
  if (!settings.special.eos_token) settings.special.eos_token = "</s>";
  if (!settings.special.pad_token) settings.special.pad_token = "<pad>";
  settings.model_input_names = {"input_ids", "attention_mask"};
  return std::make_shared<MarianTokenizer>(settings);
}

}  // namespace polymath
