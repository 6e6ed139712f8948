// Rows of data files, before they become examples. Internal to the data readers.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "train/data.h"

namespace polymath {

struct DataRow {
  std::size_t line = 0;  // where it begins, counted from 1
  std::string problem;   // not empty: a bad row, and why
  Json values;           // an object of named columns, or an array of numbered ones
};

// The rows of one file (of two, where they are parallel), one after the other. Not thread safe.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // False at the end. After a bad row the next call goes on behind it. Throws Error where the file cannot be read further.
  virtual bool next(DataRow& row) = 0;
};

// A file's text: mapped where it is a regular file, else (a pipe) read whole.
class DataText {
 public:
  explicit DataText(const std::string& path);
  std::string_view text() const { return text_; }  // without a byte order mark
  const std::string& path() const { return path_; }

 private:
  std::string path_, read_;
  std::unique_ptr<MappedFile> mapped_;
  std::string_view text_;
};

// Lines of a text, without "\n" or "\r\n"; a file that does not end in one has a last line all the same.
class LineCursor {
 public:
  explicit LineCursor(std::string_view text) : text_(text) {}
  bool next(std::string_view& line);
  bool next_filled(std::string_view& line);       // the next that is not blank
  std::size_t number() const { return number_; }  // of the line that next() gave last
  std::size_t position() const { return at_; }    // where the next line begins

 private:
  std::string_view text_;
  std::size_t at_ = 0, number_ = 0;
};

// Nothing but spaces, tabs and carriage returns.
bool is_blank(std::string_view line);

// needed: the task's columns, by which a header is told from a row.
std::unique_ptr<RowSource> delimited_rows(std::shared_ptr<const DataText> text, char delimiter, bool quotes, const DataOptions& options,
                                          const std::vector<std::string>& needed);
std::unique_ptr<RowSource> json_lines_rows(std::shared_ptr<const DataText> text, const std::string& rows);
std::unique_ptr<RowSource> json_rows(std::shared_ptr<const DataText> text, const std::string& rows);
std::unique_ptr<RowSource> squad_rows(std::shared_ptr<const DataText> text);
std::unique_ptr<RowSource> conll_rows(std::shared_ptr<const DataText> text, bool universal, const DataOptions& options);
std::unique_ptr<RowSource> line_rows(std::shared_ptr<const DataText> text);
std::unique_ptr<RowSource> paragraph_rows(std::shared_ptr<const DataText> text);
std::unique_ptr<RowSource> document_rows(std::shared_ptr<const DataText> text);
std::unique_ptr<RowSource> labelled_rows(std::shared_ptr<const DataText> text);
std::unique_ptr<RowSource> parallel_rows(std::shared_ptr<const DataText> source, std::shared_ptr<const DataText> target);

// The other names under which published data sets keep a task's column ("text": sentence, review, ...); the column's own name is
// the first.
const std::vector<std::string>& column_names(const std::string& column);

// The index among `count` of what is counted from 0, or from the end (negative); nothing where there is none.
std::optional<std::size_t> index_of(std::optional<std::int64_t> number, std::size_t count);

// A whole number as `text` writes it, which must be all of it.
std::optional<std::int64_t> whole_number(std::string_view text);
// A finite number likewise.
std::optional<double> finite_number(const std::string& text);

}  // namespace polymath
