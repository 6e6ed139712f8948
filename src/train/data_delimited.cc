// CSV as RFC 4180 and Python's csv module read it, and TSV, whose fields hold neither tabs nor line breaks.
#include <algorithm>

#include "base/printable.h"
#include "base/utf8.h"
#include "train/data_rows.h"

namespace polymath {
namespace {

class DelimitedRows final : public RowSource {
 public:
  DelimitedRows(std::shared_ptr<const DataText> text, char delimiter, bool quotes, const DataOptions& options, const std::vector<std::string>& needed)
      : text_(std::move(text)), rest_(text_->text()), delimiter_(delimiter), quotes_(quotes) {
    std::vector<std::string> fields;
    const std::string_view begin = rest_;
    const std::size_t line = line_;
    std::string problem;
    if (!read(fields, problem)) return;
    if (options.header.value_or(looks_like_header(fields, options, needed))) {
      if (!problem.empty()) throw Error(ErrorCode::kBadFile, "the header " + problem, text_->path() + " line " + std::to_string(row_line_));
      names_ = fields;
      width_ = fields.size();
      for (auto name = names_.begin(); name != names_.end(); ++name) {
        if (std::find(names_.begin(), name, *name) != name && !name->empty()) {
          throw Error(ErrorCode::kBadFile, "the header names the column \"" + printable(*name) + "\" twice", text_->path() + " line " + std::to_string(row_line_));
        }
      }
    } else {
      rest_ = begin;
      line_ = line;
    }
  }

  bool next(DataRow& row) override {
    row = {};
    std::vector<std::string> fields;
    if (!read(fields, row.problem)) return false;
    row.line = row_line_;
    if (!row.problem.empty()) return true;
    if (width_ == 0) width_ = fields.size();
    if (fields.size() != width_) {
      row.problem = "has " + std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") + ", not " + std::to_string(width_) +
                    (names_.empty() ? " as the rows before" : " as the header");
      return true;
    }
    if (names_.empty()) {
      row.values = Json(std::move(fields));
      return true;
    }
    row.values = Json::object();
    auto& object = row.values.get_ref<Json::object_t&>();
    for (std::size_t i = 0; i < width_; ++i) object.Container::emplace_back(names_[i], std::move(fields[i]));
    return true;
  }

 private:
  // A first row that names a column that is needed; with numbers alone for columns there is none.
  static bool looks_like_header(const std::vector<std::string>& fields, const DataOptions& options, const std::vector<std::string>& needed) {
    for (const std::string& column : needed) {
      std::vector<std::string> names = column_names(column);
      if (const auto mapped = options.columns.find(column); mapped != options.columns.end()) {
        if (whole_number(mapped->second)) continue;
        names = {mapped->second};
      }
      for (const std::string& name : names) {
        if (std::find(fields.begin(), fields.end(), name) != fields.end()) return true;
      }
    }
    return false;
  }

  // The fields of the next row that is not empty; false at the end.
  bool read(std::vector<std::string>& fields, std::string& problem) {
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.starts_with("\r\n"))) {
      rest_.remove_prefix(rest_.front() == '\n' ? 1 : 2);
      ++line_;
    }
    if (rest_.empty()) return false;
    row_line_ = line_;
    const std::size_t length = row_length(fields, problem);
    const std::string_view row = rest_.substr(0, length);
    line_ += static_cast<std::size_t>(std::count(row.begin(), row.end(), '\n'));
    rest_.remove_prefix(length);
    if (problem.empty() && !utf8_valid(row)) problem = "is not valid UTF-8";
    return true;
  }

  // Bytes of the row at the beginning of `rest_`, its line break included. A quotation mark that is never closed makes a bad row of
  // its first line alone.
  std::size_t row_length(std::vector<std::string>& fields, std::string& problem) {
    enum { kFieldBegins, kPlain, kQuoted, kQuoteInQuoted } state = kFieldBegins;
    fields.assign(1, "");
    std::size_t i = 0;
    for (; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (state == kQuoted) {
        if (c == '"') state = kQuoteInQuoted;
        else fields.back() += c;
        continue;
      }
      if (quotes_ && c == '"' && state != kPlain) {
        if (state == kQuoteInQuoted) fields.back() += c;
        state = kQuoted;
      } else if (c == delimiter_) {
        fields.emplace_back();
        state = kFieldBegins;
      } else if (c == '\n' || (c == '\r' && i + 1 < rest_.size() && rest_[i + 1] == '\n') || (c == '\r' && i + 1 == rest_.size())) {
        return std::min(i + (c == '\n' ? 1 : 2), rest_.size());
      } else {
        fields.back() += c;
        state = kPlain;
      }
    }
    if (state != kQuoted) return i;
    problem = "has a quotation mark that is never closed";
    return std::min(rest_.find('\n'), rest_.size() - 1) + 1;
  }

  std::shared_ptr<const DataText> text_;
  std::string_view rest_;
  char delimiter_;
  bool quotes_;
  std::size_t line_ = 1, row_line_ = 1, width_ = 0;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<RowSource> delimited_rows(std::shared_ptr<const DataText> text, char delimiter, bool quotes, const DataOptions& options,
                                          const std::vector<std::string>& needed) {
  return std::make_unique<DelimitedRows>(std::move(text), delimiter, quotes, options, needed);
}

}  // namespace polymath
