// A data file of any format is refused with an Error, or gives examples of valid UTF-8. The input's first line is
// "KIND FORMAT [COLUMNS [ROWS]]", KIND one of texts, unlabelled, tokens, questions, pairs; the file follows. Bad rows are skipped.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "polymath/error.h"
#include "train/data.h"

namespace {

using namespace polymath;

void expect_text(const std::string& text) {
  if (!utf8_valid(text)) __builtin_trap();
}

void read(const std::string& kind, const std::vector<std::string>& files, const DataOptions& options) {
  if (kind == "tokens") {
    read_tokens(files, options, [](TokensExample&& e) {
      if (e.tokens.size() != e.tags.size()) __builtin_trap();
      for (const std::string& token : e.tokens) expect_text(token);
    });
  } else if (kind == "questions") {
    read_questions(files, options, [](QuestionExample&& e) {
      expect_text(e.context);
      for (const auto& a : e.answers) {
        if (a.start && *a.start > static_cast<std::int64_t>(utf8_length(e.context))) __builtin_trap();
      }
    });
  } else if (kind == "pairs") {
    read_pairs(files, options, [](PairExample&& e) { expect_text(e.source), expect_text(e.target); });
  } else {
    read_texts(files, options, kind == "unlabelled" ? Labels::kUnused : Labels::kNeeded, [](TextExample&& e) { expect_text(e.text), expect_text(e.label.value_or("")); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fs = std::filesystem;
  static const fs::path kFile = (fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / ("polymath_data_fuzz_" + std::to_string(::getpid()));
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(all.find('\n'), all.size());
  std::istringstream first{std::string(all.substr(0, end))};
  std::string kind, format, columns, rows;
  first >> kind >> format >> columns >> rows;
  std::ofstream(kFile, std::ios::binary) << all.substr(std::min(end + 1, all.size()));
  try {
    DataOptions options;
    options.skip_bad = true;
    options.format = data_format_named(format);
    options.columns = parse_assignments(columns == "-" ? "" : columns, "--columns");
    options.rows = rows;
    const std::vector<std::string> files(options.format == DataFormat::kParallel ? 2 : 1, kFile.string());
    read(kind, files, options);
  } catch (const Error&) {
  }
  fs::remove(kFile);
  return 0;
}
