// Texts that are longer than a model reads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace polymath {

// The text in parts that have at most `limit` tokens each, as few as that takes, cut between sentences where possible, else between
// words, else between characters. count: the tokens of a text.
std::vector<std::string> parts_within(std::string_view text, std::size_t limit, const std::function<std::size_t(std::string_view)>& count);

}  // namespace polymath
