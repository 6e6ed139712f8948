// The tables that recipes/text/unicode_tables.py makes; unicode.h reads them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace polymath::unicode {

extern const std::uint32_t kRuns[];        // first code point of a run << 8 | index into kRecords
extern const std::size_t kRunsSize;
extern const std::uint32_t kRecords[];     // unsettled << 24 | general category << 16 | grapheme class << 8 | flags
extern const std::size_t kRecordsSize;
extern const std::uint32_t kScriptRuns[];  // first code point of a run << 8 | script class
extern const std::size_t kScriptRunsSize;
extern const std::uint32_t kLowerRuns[];   // first, last, step, difference
extern const std::size_t kLowerRunsSize;

}  // namespace polymath::unicode
