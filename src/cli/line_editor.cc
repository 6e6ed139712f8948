#include "cli/line_editor.h"

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <unistd.h>

#include <editline/readline.h>

namespace polymath::cli {
namespace {

constexpr int kLinesKept = 1000;

volatile std::sig_atomic_t cancelled = 0;

}  // namespace

LineEditor::LineEditor(std::string history) : history_(std::move(history)), terminal_(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
  if (!terminal_) return;
  std::setlocale(LC_CTYPE, "");  // so that characters beyond ASCII are edited whole
  using_history();
  stifle_history(kLinesKept);
  if (!history_.empty()) read_history(history_.c_str());
}

LineEditor::~LineEditor() {
  if (terminal_ && !history_.empty()) write_history(history_.c_str());
}

std::optional<std::string> LineEditor::next(const std::string& prompt) {
  if (!terminal_) {
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
  }
  cancelled = 0;
  struct sigaction action = {}, before = {};
  action.sa_handler = [](int) { cancelled = 1; };  // ends the reading, since nothing restarts it
  sigaction(SIGINT, &action, &before);
  char* typed = readline(prompt.c_str());
  sigaction(SIGINT, &before, nullptr);
  if (cancelled) {
    std::free(typed);
    std::cout << std::endl;
    return std::string();
  }
  if (!typed) return std::nullopt;
  std::string line = typed;
  std::free(typed);
  if (!line.empty()) add_history(line.c_str());
  return line;
}

}  // namespace polymath::cli
