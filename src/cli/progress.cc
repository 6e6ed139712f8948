#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace polymath::cli {

Progress::Progress(std::size_t total, std::string unit, bool quiet)
    : total_(total), unit_(std::move(unit)), shown_(!quiet && total > 0 && ::isatty(STDERR_FILENO)) {}

void Progress::reach(std::size_t done) {
  done_ = done;
  const auto now = std::chrono::steady_clock::now();
  using std::chrono::milliseconds;
  if (!shown_ || now - start_ < milliseconds(500) || now - last_ < milliseconds(100)) return;
  last_ = now;
  constexpr std::size_t kWidth = 30;
  const std::size_t filled = done_ * kWidth / total_;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  char numbers[96];
  std::snprintf(numbers, sizeof numbers, " %zu/%zu %s, %.0f s left", done_, total_, unit_.c_str(),
                seconds / static_cast<double>(done_) * static_cast<double>(total_ - done_));
  std::cerr << "\r[" << std::string(filled, '#') << std::string(kWidth - filled, ' ') << "]" << numbers << "\033[K" << std::flush;
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) std::cerr << "\r\033[K" << std::flush;
  drawn_ = false;
}

}  // namespace polymath::cli
