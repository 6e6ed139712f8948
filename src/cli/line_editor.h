// Lines typed by a person: editing and history on a terminal (libedit), plain lines elsewhere.
#pragma once

#include <optional>
#include <string>

namespace polymath::cli {

// One at a time: libedit keeps its state for the whole process.
class LineEditor {
 public:
  // history: a file that keeps the lines over runs; empty: none is kept.
  explicit LineEditor(std::string history);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;

  // The next line, without its end; nothing at the end of the input. Ctrl-C gives an empty line.
  std::optional<std::string> next(const std::string& prompt);
  bool is_terminal() const { return terminal_; }

 private:
  std::string history_;
  bool terminal_;
};

}  // namespace polymath::cli
