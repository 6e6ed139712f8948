// Column files: CoNLL (a token and its columns a line, an empty line between sentences) and CoNLL-U.
#include <algorithm>

#include "base/printable.h"
#include "base/utf8.h"
#include "text/python_text.h"
#include "train/data_rows.h"

namespace polymath {
namespace {

using Fields = std::vector<std::string_view>;

// By tabs where the line has any, else by runs of spaces.
Fields fields_of(std::string_view line) {
  if (line.find('\t') != std::string_view::npos) return python::split(line, "\t", -1);
  Fields fields = python::split(line, " ", -1);
  std::erase(fields, "");
  return fields;
}

class ConllRows final : public RowSource {
 public:
  ConllRows(std::shared_ptr<const DataText> text, bool universal, const DataOptions& options)
      : text_(std::move(text)), lines_(text_->text()), universal_(universal) {
    if (universal) names_ = {"id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc"};
    const auto mapped = [&](const char* column, const std::string& missing) {
      const auto found = options.columns.find(column);
      return found == options.columns.end() ? missing : found->second;
    };
    token_ = mapped("tokens", universal ? "form" : "0");
    tag_ = mapped("tags", universal ? "upos" : "-1");
  }

  bool next(DataRow& row) override {
    row = {};
    Json tokens = Json::array(), tags = Json::array();
    for (std::string_view line; lines_.next(line);) {
      if (line.find_first_not_of(" \r") == std::string_view::npos) {
        if (row.line > 0) break;
        continue;
      }
      if (is_document_mark(line) || is_comment(line)) continue;
      if (row.line == 0) row.line = lines_.number();
      if (row.problem.empty()) add(line, tokens, tags, row.problem);
    }
    if (row.line == 0) return false;
    row.values = {{"tokens", std::move(tokens)}, {"tags", std::move(tags)}};
    return true;
  }

 private:
  static bool is_document_mark(std::string_view line) { return line.starts_with("-DOCSTART-"); }

  // In CoNLL a "#" begins a comment only where nothing but "# global.columns =" or "# name = value" follows: tokens begin with it too.
  bool is_comment(std::string_view line) {
    if (!line.starts_with("#")) return false;
    constexpr std::string_view kColumns = "# global.columns =";
    if (line.starts_with(kColumns)) {
      names_.clear();
      for (std::string_view name : fields_of(line.substr(kColumns.size()))) {
        names_.emplace_back(name);
        std::transform(names_.back().begin(), names_.back().end(), names_.back().begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      }
      return true;
    }
    if (universal_) return true;
    const std::size_t name = line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.", 2);
    return line.starts_with("# ") && name != std::string_view::npos && name > 2 && line.substr(name).starts_with(" = ");
  }

  void add(std::string_view line, Json& tokens, Json& tags, std::string& problem) {
    const std::string here = "at line " + std::to_string(lines_.number()) + ": ";
    if (!utf8_valid(line)) return void(problem = here + "not valid UTF-8");
    const Fields fields = fields_of(line);
    if (universal_) {
      if (fields.size() != names_.size()) {
        return void(problem = here + std::to_string(fields.size()) + " columns, not " + std::to_string(names_.size()));
      }
      // "3-4" is a token of several words that follow, "5.1" a word that the text does not show.
      if (fields[0].find_first_of("-.") != std::string_view::npos) return;
    }
    const auto token = column(token_, fields), tag = column(tag_, fields);
    if (!token || !tag) {
      const std::string& name = token ? tag_ : token_;
      return void(problem = here + (fields.size() == 1 ? "a token without a tag" : "no column " + printable(name)));
    }
    if (token == tag) return void(problem = here + "a token without a tag");
    if (fields[*tag].empty()) return void(problem = here + "an empty tag");
    tokens.push_back(fields[*token]);
    tags.push_back(fields[*tag]);
  }

  // The index of a column that is named or counted; nothing where there is none.
  std::optional<std::size_t> column(const std::string& name, const Fields& fields) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found != names_.end()) return index_of(found - names_.begin(), fields.size());
    const auto number = whole_number(name);
    if (!number) {
      throw Error(ErrorCode::kInvalidArgument, "has no column \"" + printable(name) + "\": its columns are counted from 0 (or from the end: -1)", text_->path());
    }
    return index_of(number, fields.size());
  }

  std::shared_ptr<const DataText> text_;
  LineCursor lines_;
  bool universal_;
  std::vector<std::string> names_;
  std::string token_, tag_;
};

}  // namespace

std::unique_ptr<RowSource> conll_rows(std::shared_ptr<const DataText> text, bool universal, const DataOptions& options) {
  return std::make_unique<ConllRows>(std::move(text), universal, options);
}

}  // namespace polymath
