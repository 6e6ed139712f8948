#include "text/translation.h"

#include "base/printable.h"
#include "polymath/error.h"

namespace polymath {
namespace {

enum class Place { kBefore, kBehind };  // of the source's language token

bool is_m2m100(const PretrainedTokenizer& tokenizer) { return tokenizer.settings().tokenizer_class == "M2M100Tokenizer"; }

Place place_of(const PretrainedTokenizer& tokenizer) {
  const std::string& name = tokenizer.settings().tokenizer_class;
  if (name == "MBartTokenizer") return Place::kBehind;
  const auto legacy = tokenizer.settings().tokenizer_config.find("legacy_behaviour");
  const bool is_legacy = legacy != tokenizer.settings().tokenizer_config.end() && *legacy == true;
  return name == "NllbTokenizer" && is_legacy ? Place::kBehind : Place::kBefore;
}

std::int32_t language_id(const PretrainedTokenizer& tokenizer, const std::string& language, const char* field) {
  const bool m2m100 = is_m2m100(tokenizer);
  const std::string token = m2m100 ? "__" + language + "__" : language;
  const auto id = m2m100 ? tokenizer.backend().token_to_id(token) : tokenizer.token_to_id(token);
  if (!id) throw Error(ErrorCode::kInvalidArgument, "\"" + printable(language) + "\" is not a language of this tokenizer", field);
  return *id;
}

}  // namespace

bool takes_languages(const PretrainedTokenizer& tokenizer) {
  const std::string& name = tokenizer.settings().tokenizer_class;
  return name == "MBartTokenizer" || name == "MBart50Tokenizer" || name == "NllbTokenizer" || name == "M2M100Tokenizer";
}

TranslationTokens translation_tokens(const PretrainedTokenizer& tokenizer, const std::string& src_lang, const std::string& tgt_lang) {
  const std::int32_t source = language_id(tokenizer, src_lang, "src_lang");
  TranslationTokens tokens{.target = language_id(tokenizer, tgt_lang, "tgt_lang")};
  if (const auto eos = tokenizer.eos_id()) tokens.suffix.push_back(*eos);
  if (place_of(tokenizer) == Place::kBefore) tokens.prefix.push_back(source);
  else tokens.suffix.push_back(source);
  return tokens;
}

}  // namespace polymath
