// How ops split their work over the pool.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/threads.h"

namespace polymath {

// Splits `count` items into tasks of about `grain` items and runs body(begin, end) on the pool.
template <class Body>
void parallel_ranges(std::int64_t count, std::int64_t grain, const Body& body) {
  const std::int64_t tasks = (count + grain - 1) / grain;
  ThreadPool::global().parallel_for(static_cast<std::size_t>(std::max<std::int64_t>(tasks, 0)), [&](std::size_t task) {
    const auto begin = static_cast<std::int64_t>(task) * grain;
    body(begin, std::min(count, begin + grain));
  });
}

// Rows per task for work of about d operations a row: enough to outweigh starting a task.
inline std::int64_t row_grain(std::int64_t d) { return std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(d, 1)); }

}  // namespace polymath
