// Runs the built program as a user would.
#pragma once

#include <string>
#include <vector>

namespace polymath::test {

struct ProgramResult {
  int exit_code = -1;  // -1: ended by a signal
  std::string out, err;
};

// Runs build/polymath with these arguments and this standard input; `environment` holds NAME=VALUE to add. Standard output goes
// into the result, or to a file that is named.
ProgramResult run_program(const std::vector<std::string>& arguments, const std::string& input = "",
                          const std::vector<std::string>& environment = {}, const std::string& output = "");

// A path for a scratch file of this test process.
std::string scratch_path(const std::string& name);

}  // namespace polymath::test
