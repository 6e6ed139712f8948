// What the tokenizers of multilingual translation models do for a pair of languages (_build_translation_inputs).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/pretrained_tokenizer.h"

namespace polymath {

// Whether the tokenizer's class takes languages: mBART, mBART-50, NLLB, M2M100.
bool takes_languages(const PretrainedTokenizer& tokenizer);

// The tokens around a source, and the one that a translation begins with (forced_bos_token_id).
struct TranslationTokens {
  std::vector<std::int32_t> prefix, suffix;
  std::int32_t target = 0;
};

// Throws Error naming src_lang or tgt_lang where the class does not know one. (Most take an unknown one for unk_token.)
TranslationTokens translation_tokens(const PretrainedTokenizer& tokenizer, const std::string& src_lang, const std::string& tgt_lang);

}  // namespace polymath
