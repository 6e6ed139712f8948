// The tokenizers of folders without a tokenizer.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/tokenizer_json.h"
#include "text/pretrained_tokenizer.h"

namespace polymath {

// Null where the class is not one that Transformers has in Python only (or is not known here). The factory reads the
// folder's files and fills `settings.special` with the class's defaults; it throws Error naming the missing or broken file.
BackendFactory slow_backend(std::string_view tokenizer_class);

std::shared_ptr<const TokenizerBackend> make_marian_tokenizer(TokenizerSettings& settings);
std::shared_ptr<const TokenizerBackend> make_m2m100_tokenizer(TokenizerSettings& settings);

}  // namespace polymath
