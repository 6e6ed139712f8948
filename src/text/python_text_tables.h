// The tables of python_text.cc, made by recipes/text/python_text_tables.py.
#pragma once

#include <cstddef>
#include <cstdint>

namespace polymath::python {

extern const std::uint32_t kFlagRuns[];
extern const std::size_t kFlagRunsSize;
extern const std::uint16_t kFlags[];
extern const std::size_t kFlagsSize;

// One-to-one mappings as first, last, step, difference; the others as code point, length, code points. Title holds
// what differs from Upper, Fold what differs from Lower.
extern const std::uint32_t kUpperRuns[], kUpperSpecial[], kLowerRuns[], kLowerSpecial[], kTitleRuns[], kTitleSpecial[], kFoldRuns[], kFoldSpecial[];
extern const std::size_t kUpperRunsSize, kUpperSpecialSize, kLowerRunsSize, kLowerSpecialSize, kTitleRunsSize, kTitleSpecialSize, kFoldRunsSize,
    kFoldSpecialSize;

}  // namespace polymath::python
