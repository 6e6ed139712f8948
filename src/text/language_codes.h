// The language tokens of translation models.
#pragma once

#include <span>

namespace polymath {

std::span<const char* const> mbart_languages();    // "ar_AR", "cs_CZ", ...
std::span<const char* const> mbart50_languages();
std::span<const char* const> nllb_languages();     // "ace_Arab", ...

}  // namespace polymath
