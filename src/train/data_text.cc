// Plain text, and lines that hold more than a text.
#include "base/utf8.h"
#include "train/data_rows.h"

namespace polymath {
namespace {

constexpr const char* kNotUtf8 = "is not valid UTF-8";

void set_text(DataRow& row, std::string_view text) {
  if (utf8_valid(text)) row.values = {{"text", text}};
  else row.problem = kNotUtf8;
}

class LineRows final : public RowSource {
 public:
  explicit LineRows(std::shared_ptr<const DataText> text) : text_(std::move(text)), lines_(text_->text()) {}

  bool next(DataRow& row) override {
    row = {};
    std::string_view line;
    if (!lines_.next_filled(line)) return false;
    row.line = lines_.number();
    set_text(row, line);
    return true;
  }

 private:
  std::shared_ptr<const DataText> text_;
  LineCursor lines_;
};

// Texts between empty lines; their own line breaks stay.
class ParagraphRows final : public RowSource {
 public:
  explicit ParagraphRows(std::shared_ptr<const DataText> text) : text_(std::move(text)), lines_(text_->text()) {}

  bool next(DataRow& row) override {
    row = {};
    std::string paragraph;
    for (std::string_view line; lines_.next(line);) {
      if (is_blank(line)) {
        if (!paragraph.empty()) break;
        continue;
      }
      if (paragraph.empty()) row.line = lines_.number();
      else paragraph += '\n';
      paragraph += line;
    }
    if (paragraph.empty()) return false;
    set_text(row, paragraph);
    return true;
  }

 private:
  std::shared_ptr<const DataText> text_;
  LineCursor lines_;
};

class DocumentRows final : public RowSource {
 public:
  explicit DocumentRows(std::shared_ptr<const DataText> text) : text_(std::move(text)) {}

  bool next(DataRow& row) override {
    if (done_ || text_->text().empty()) return false;
    done_ = true;
    row = {.line = 1};
    set_text(row, text_->text());
    return true;
  }

 private:
  std::shared_ptr<const DataText> text_;
  bool done_ = false;
};

class LabelledRows final : public RowSource {
 public:
  explicit LabelledRows(std::shared_ptr<const DataText> text) : text_(std::move(text)), lines_(text_->text()) {}

  bool next(DataRow& row) override {
    row = {};
    std::string_view line;
    if (!lines_.next_filled(line)) return false;
    row.line = lines_.number();
    constexpr std::string_view kFastText = "__label__";
    if (line.starts_with(kFastText)) line.remove_prefix(kFastText.size());
    const std::size_t end = line.find_first_of(" \t");
    if (!utf8_valid(line)) row.problem = kNotUtf8;
    else if (end == 0 || end == std::string_view::npos) row.problem = "has no label and text with white space between them";
    else row.values = {{"label", line.substr(0, end)}, {"text", line.substr(std::min(line.find_first_not_of(" \t", end), line.size()))}};
    return true;
  }

 private:
  std::shared_ptr<const DataText> text_;
  LineCursor lines_;
};

// Line n of one file belongs to line n of the other, empty lines included.
class ParallelRows final : public RowSource {
 public:
  ParallelRows(std::shared_ptr<const DataText> source, std::shared_ptr<const DataText> target)
      : source_(std::move(source)), target_(std::move(target)), sources_(source_->text()), targets_(target_->text()) {}

  bool next(DataRow& row) override {
    row = {};
    std::string_view source, target;
    const bool one = sources_.next(source), two = targets_.next(target);
    if (one != two) {
      const DataText& ended = one ? *target_ : *source_;
      throw Error(ErrorCode::kBadFile, "ends after line " + std::to_string((one ? targets_ : sources_).number()) + ", before " + (one ? *source_ : *target_).path() +
                                           " does: parallel files have a line for each other's", ended.path());
    }
    if (!one) return false;
    row.line = sources_.number();
    if (!utf8_valid(source)) row.problem = kNotUtf8;
    else if (!utf8_valid(target)) row.problem = "its line in " + target_->path() + " " + kNotUtf8;
    else row.values = {{"source", source}, {"target", target}};
    return true;
  }

 private:
  std::shared_ptr<const DataText> source_, target_;
  LineCursor sources_, targets_;
};

}  // namespace

std::unique_ptr<RowSource> line_rows(std::shared_ptr<const DataText> text) { return std::make_unique<LineRows>(std::move(text)); }
std::unique_ptr<RowSource> paragraph_rows(std::shared_ptr<const DataText> text) { return std::make_unique<ParagraphRows>(std::move(text)); }
std::unique_ptr<RowSource> document_rows(std::shared_ptr<const DataText> text) { return std::make_unique<DocumentRows>(std::move(text)); }
std::unique_ptr<RowSource> labelled_rows(std::shared_ptr<const DataText> text) { return std::make_unique<LabelledRows>(std::move(text)); }
std::unique_ptr<RowSource> parallel_rows(std::shared_ptr<const DataText> source, std::shared_ptr<const DataText> target) {
  return std::make_unique<ParallelRows>(std::move(source), std::move(target));
}

}  // namespace polymath
