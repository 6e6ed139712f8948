// Standard input or a file line by line, and a standard output that is noticed when it cannot be written.
#pragma once

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace polymath::cli {

// The lines of a file, or of standard input where the name is "-".
class Lines {
 public:
  explicit Lines(const std::string& name);  // throws Error naming a file that cannot be opened

  // False at the end. Throws Error where reading fails (a folder, a disk that goes away) or a line has more than 1 GiB.
  bool next(std::string& line);
  std::string where() const;  // "standard input line 3": the line that next() gave last

 private:
  std::string name_;
  std::ifstream file_;
  std::istream* in_ = nullptr;
  std::size_t number_ = 0;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 16);
};

std::string read_standard_input();  // throws Error where reading fails or there is more than 1 GiB

// Throws Error where what was written so far has not arrived: a full disk, a reader that is gone. Work whose results
// nobody gets ends there.
void flush_output();

}  // namespace polymath::cli
