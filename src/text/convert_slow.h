// Tokenizers of folders without a tokenizer.json: the older files, as the parts of one.
//
// Transformers builds its fast tokenizers from the slow ones' files in convert_slow_tokenizer.py; this is the same for the
// classes that it knows by name. Source: that file and the classes' __init__, of 4.57.6.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_json.h"
#include "text/pretrained_tokenizer.h"

namespace polymath {

// Nothing where the class is not known or has no fast form. Otherwise the folder's vocab.txt, vocab.json and merges.txt, or
// sentencepiece model. `settings.special` holds the class's defaults. Throws Error naming the missing or broken file.
std::optional<TokenizerSpec> convert_slow_tokenizer(const TokenizerSettings& settings);

// The default of a slow class for "pad_token" and the like, where it is another than that of the fast class.
const char* slow_default(std::string_view tokenizer_class, std::string_view token_name, const char* of_fast_class);
// Whether a slow class's default for "mask_token" and the like is matched in the normalized text.
bool slow_default_is_normalized(std::string_view tokenizer_class, std::string_view token_name);

// What a class appends to additional_special_tokens; `given` is null where the folder names none.
std::vector<std::string> class_additional_tokens(std::string_view tokenizer_class, const Json& tokenizer_config,
                                                 const std::vector<std::string>* given);

// mBART, mBART-50, NLLB: what stands around a text in the source language, whatever the files say; nothing for other
// classes. Throws Error naming src_lang where `id` does not find it.
std::optional<spec::PostProcessor> language_template(const TokenizerSettings& settings,
                                                     const std::function<std::optional<std::int32_t>(const std::string&)>& id);

}  // namespace polymath
