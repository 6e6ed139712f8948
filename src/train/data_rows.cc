#include "train/data_rows.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>

namespace polymath {

DataText::DataText(const std::string& path) : path_(path) {
  std::error_code unknown;
  if (std::filesystem::is_regular_file(path, unknown)) {
    mapped_ = std::make_unique<MappedFile>(path);
    text_ = as_text(mapped_->bytes());
  } else {
    read_ = read_named_input(path);  // a pipe, opened once: who writes to it must not see it closed before
    text_ = read_;
  }
  if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
}

bool LineCursor::next(std::string_view& line) {
  if (at_ >= text_.size()) return false;
  const std::size_t end = std::min(text_.find('\n', at_), text_.size());
  line = text_.substr(at_, end - at_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  at_ = end + 1;
  ++number_;
  return true;
}

bool LineCursor::next_filled(std::string_view& line) {
  while (next(line)) {
    if (!is_blank(line)) return true;
  }
  return false;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

const std::vector<std::string>& column_names(const std::string& column) {
  static const std::map<std::string, std::vector<std::string>> kNames = {
      {"text", {"text", "sentence", "sentence1", "sentence_A", "premise", "question1", "review", "content", "#1 String"}},
      {"text_pair", {"text_pair", "sentence2", "sentence_B", "hypothesis", "question2", "#2 String"}},
      {"label", {"label", "category", "intent", "sentiment", "score", "Quality"}},
      {"tokens", {"tokens", "words", "form"}},
      {"tags", {"tags", "ner_tags", "pos_tags", "labels", "upos"}},
      {"question", {"question"}},
      {"context", {"context"}},
      {"answers", {"answers"}},
      {"source", {"source", "text", "document", "article", "dialogue", "input"}},
      {"target", {"target", "summary", "highlights", "output"}},
  };
  return kNames.at(column);
}

std::optional<std::size_t> index_of(std::optional<std::int64_t> number, std::size_t count) {
  const auto end = static_cast<std::int64_t>(count);
  if (!number || *number >= end || *number < -end) return std::nullopt;
  return static_cast<std::size_t>(*number < 0 ? end + *number : *number);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::optional<double> finite_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace polymath
