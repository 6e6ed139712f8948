#include "support/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

extern char** environ;

namespace polymath::test {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string scratch_path(const std::string& name) {
  const auto folder = std::filesystem::temp_directory_path() / ("polymath_test_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  return (folder / name).string();
}

ProgramResult run_program(const std::vector<std::string>& arguments, const std::string& input, const std::vector<std::string>& environment,
                          const std::string& output) {
  const std::string in = scratch_path("stdin"), out = output.empty() ? scratch_path("stdout") : output, err = scratch_path("stderr");
  std::ofstream(in, std::ios::binary) << input;

  std::vector<std::string> words = {POLYMATH_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = environment;
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  for (char** e = environ; *e; ++e) envp.push_back(*e);
  envp.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ProgramResult result;
  pid_t child = 0;
  const int failed = posix_spawn(&child, POLYMATH_PROGRAM, &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed) {
    result.err = "cannot start " POLYMATH_PROGRAM;
    return result;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (output.empty()) result.out = read_file(out);
  result.err = read_file(err);
  return result;
}

}  // namespace polymath::test
