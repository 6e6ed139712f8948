// A progress bar on standard error, for a person: only on a terminal, only for work that lasts.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace polymath::cli {

class Progress {
 public:
  Progress(std::size_t total, std::string unit, bool quiet);
  ~Progress() { clear(); }

  void advance() { reach(done_ + 1); }
  void reach(std::size_t done);  // so many steps are done
  void clear();  // takes the bar off the line, before something else is printed

 private:
  std::size_t total_, done_ = 0;
  std::string unit_;
  bool shown_, drawn_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), last_{};
};

}  // namespace polymath::cli
