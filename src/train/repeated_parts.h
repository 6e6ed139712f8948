// The parts that repeat within words: where a tokenizer's pieces come from.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace polymath {

// Every part of 2 to `longest` code points that occurs at least twice in the texts (not empty, without U+0000; each counts once), and is
// not always followed by one and the same character or text's end; with its occurrences. Those are the inner nodes of the texts' suffix tree.
std::vector<std::pair<std::u32string, std::uint32_t>> repeated_parts(const std::vector<std::u32string>& texts, std::size_t longest);

}  // namespace polymath
