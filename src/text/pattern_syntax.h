// Regular expressions as Oniguruma (Ruby's syntax) reads them, rewritten for PCRE2.
#pragma once

#include <string>
#include <string_view>

namespace polymath {

// Throws Error{kBadFile or kUnsupported} naming `where`. What PCRE2 itself refuses is left to it.
std::string pcre_pattern(std::string_view pattern, const std::string& where);

}  // namespace polymath
