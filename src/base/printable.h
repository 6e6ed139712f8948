// Untrusted text inside an error's one line.
#pragma once

#include <string>
#include <string_view>

namespace polymath {

// `text` without line breaks, other control characters or invalid UTF-8 (shown as \n, \x1b, ...), and cut with "..."
// after about `most` bytes.
std::string printable(std::string_view text, std::size_t most = 160);

}  // namespace polymath
