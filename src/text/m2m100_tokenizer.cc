// M2M100Tokenizer (facebook/m2m100_*): one sentencepiece model, vocab.json, and a token per language behind it.
#include "base/file.h"
#include "base/printable.h"
#include "formats/vocab_files.h"
#include "text/sentencepiece.h"
#include "text/slow_tokenizer.h"
#include "text/slow_tokenizers.h"
#include "text/vocabulary.h"

namespace polymath {
namespace {

// fairseq's language codes, in the order of their ids.
constexpr const char* kM2m100[] = {
    "af", "am", "ar", "ast", "az", "ba", "be", "bg", "bn", "br", "bs", "ca", "ceb", "cs", "cy", "da", "de", "el", "en", "es", "et", "fa", "ff", "fi", "fr",
    "fy", "ga", "gd", "gl", "gu", "ha", "he", "hi", "hr", "ht", "hu", "hy", "id", "ig", "ilo", "is", "it", "ja", "jv", "ka", "kk", "km", "kn", "ko", "lb",
    "lg", "ln", "lo", "lt", "lv", "mg", "mk", "ml", "mn", "mr", "ms", "my", "ne", "nl", "no", "ns", "oc", "or", "pa", "pl", "ps", "pt", "ro", "ru", "sd",
    "si", "sk", "sl", "so", "sq", "sr", "ss", "su", "sv", "sw", "ta", "th", "tl", "tn", "tr", "uk", "ur", "uz", "vi", "wo", "xh", "yi", "yo", "zh", "zu"};
constexpr const char* kWmt21[] = {"en", "ha", "is", "ja", "cs", "ru", "zh", "de"};

class M2M100Tokenizer final : public SlowTokenizer {
 public:
  explicit M2M100Tokenizer(const TokenizerSettings& settings)
      : SlowTokenizer(settings), model_(SentencePiece::load(join_path(settings.folder, "sentencepiece.bpe.model"))) {
    const VocabFile file = read_vocab_json(join_path(settings.folder, "vocab.json"));
    vocabulary_ = Vocabulary(file.tokens, file.storage);
    const auto text = [&](const char* field, const char* missing) {
      const auto found = settings.tokenizer_config.find(field);
      return found != settings.tokenizer_config.end() && found->is_string() ? found->get<std::string>() : std::string(missing);
    };
    const std::string codes = text("language_codes", "m2m100"), source = text("src_lang", "en");
    const std::string config = join_path(settings.folder, "tokenizer_config.json");
    if (codes != "m2m100" && codes != "wmt21") throw Error(ErrorCode::kBadFile, "\"" + printable(codes) + "\" is not known (known: m2m100, wmt21)", config + ": language_codes");
    const auto add = [&](const char* code) { languages_.push_back("__" + std::string(code) + "__"); };
    if (codes == "m2m100") for (const char* code : kM2m100) add(code);
    else for (const char* code : kWmt21) add(code);
    language_ = language_id("__" + source + "__");
    if (language_ < 0) throw Error(ErrorCode::kBadFile, "\"" + printable(source) + "\" is not a language of this tokenizer", config + ": src_lang");
    if (vocabulary_.find(*special_.unk_token) < 0) throw Error(ErrorCode::kBadFile, "has no token " + *special_.unk_token, join_path(settings.folder, "vocab.json"));
    add_special_tokens();
  }

  std::string convert_tokens_to_string(const std::vector<std::string>& tokens) const override {
    std::string out;
    std::vector<std::string> pieces;
    for (const std::string& token : tokens) {
      if (is_special(token)) {
        out += model_.decode(pieces) + token;
        pieces.clear();
      } else pieces.push_back(token);
    }
    return python_strip(out + model_.decode(pieces));
  }

 protected:
  std::vector<std::string> tokenize(std::string_view text) const override {
    std::vector<std::string> tokens;
    for (SentencePieceToken& token : model_.encode(text)) tokens.push_back(std::move(token.piece));
    return tokens;
  }
  // The languages come first here, but the vocabulary's size counts without them.
  std::optional<std::int32_t> find(std::string_view token) const override {
    const std::int32_t language = language_id(token);
    return language >= 0 ? std::optional(language) : find_in_vocabulary(token);
  }
  std::optional<std::string> find(std::int32_t id) const override {
    const std::int64_t language = static_cast<std::int64_t>(id) - size();
    if (language >= 0 && language < static_cast<std::int64_t>(languages_.size())) return languages_[static_cast<std::size_t>(language)];
    const auto token = vocabulary_.token(id);
    return token ? std::optional(std::string(*token)) : std::nullopt;
  }
  std::optional<std::int32_t> find_in_vocabulary(std::string_view token) const override {
    const std::int32_t id = vocabulary_.find(token);
    return id < 0 ? std::nullopt : std::optional(id);
  }
  int size() const override { return static_cast<int>(vocabulary_.size()); }
  std::vector<std::int32_t> prefix() const override { return {language_}; }
  std::vector<std::int32_t> suffix() const override { return {id_of(*special_.eos_token)}; }

 private:
  std::int32_t language_id(std::string_view token) const {
    for (std::size_t i = 0; i < languages_.size(); ++i) {
      if (languages_[i] == token) return static_cast<std::int32_t>(vocabulary_.size() + i);
    }
    return -1;
  }

  SentencePiece model_;
  Vocabulary vocabulary_;
  std::vector<std::string> languages_;  // their tokens; the ids follow the vocabulary's
  std::int32_t language_ = 0;           // of the source
};

}  // namespace

std::shared_ptr<const TokenizerBackend> make_m2m100_tokenizer(TokenizerSettings& settings) {
  require_files(settings, {"sentencepiece.bpe.model", "vocab.json"});
  SpecialTokens& s = settings.special;
  if (!s.bos_token) s.bos_token = "<s>";
  if (!s.eos_token) s.eos_token = "</s>";
  if (!s.sep_token) s.sep_token = "</s>";
  if (!s.pad_token) s.pad_token = "<pad>";
  if (!s.unk_token) s.unk_token = "<unk>";
  settings.model_input_names = {"input_ids", "attention_mask"};
  return std::make_shared<M2M100Tokenizer>(settings);
}

}  // namespace polymath
