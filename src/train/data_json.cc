// JSON lines, JSON lists, and SQuAD: one row in memory at a time.
#include <algorithm>
#include <deque>

#include "base/printable.h"
#include "train/data_rows.h"

namespace polymath {
namespace {

// Finds where the values of a JSON text begin and end without reading them. Lines are counted on the way.
class JsonScanner {
 public:
  JsonScanner(std::string_view text, std::string path, std::size_t line = 1) : text_(text), path_(std::move(path)), line_(line) {}

  std::size_t line() const { return line_; }
  char peek() {  // the next character that is no white space; 0 at the end
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) {
      if (text_[at_] == '\n') ++line_;
      ++at_;
    }
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void expect(char c) {
    const char found = peek();
    if (found != c) fail(found ? "\"" + printable(text_.substr(at_, 1)) + "\" where \"" + c + "\" belongs" : std::string("it ends too early"));
    ++at_;
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  // The next value; its brackets and quotation marks match, all else is unchecked.
  std::string_view value() {
    peek();
    const std::size_t begin = at_, first_line = line_;
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') string();
      else if (c == '[' || c == '{') ++depth;
      else if (c == ']' || c == '}') --depth;
      else if (c == '\n') ++line_;
      if (depth < 0 || (depth == 0 && c == ',')) break;
      if (depth == 0 && (c == '"' || c == ']' || c == '}')) {
        ++at_;
        break;
      }
    }
    if (depth > 0) {
      line_ = first_line;
      fail("the value that begins here does not end");
    }
    std::string_view found = text_.substr(begin, at_ - begin);
    while (!found.empty() && std::string_view(" \t\r\n").find(found.back()) != std::string_view::npos) found.remove_suffix(1);
    return found;
  }
  [[noreturn]] void fail(const std::string& reason) const { throw Error(ErrorCode::kBadFile, "not valid JSON: " + reason, path_ + " line " + std::to_string(line_)); }

 private:
  void string() {  // from its first quotation mark to its last
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\n') fail("a string that does not end");
      if (text_[at_] == '\\') ++at_;
    }
    if (at_ >= text_.size()) fail("a string that does not end");
  }

  std::string_view text_;
  std::string path_;
  std::size_t at_ = 0, line_;
};

// The items of a JSON list one after the other. The scanner stands at its "[".
class ListItems {
 public:
  explicit ListItems(JsonScanner scanner) : scanner_(std::move(scanner)) { scanner_.expect('['); }
  bool next(std::string_view& item, std::size_t& line) {
    if (done_) return false;
    if (first_ ? scanner_.accept(']') : !scanner_.accept(',')) {
      if (!first_) scanner_.expect(']');
      done_ = true;
      return false;
    }
    first_ = false;
    scanner_.peek();
    line = scanner_.line();
    item = scanner_.value();
    if (item.empty()) scanner_.fail("a value is missing");
    return true;
  }
  JsonScanner& scanner() { return scanner_; }

 private:
  JsonScanner scanner_;
  bool first_ = true, done_ = false;
};

// A field of the object that a file is.
struct Member {
  std::string name;
  std::string_view value;
  std::size_t line;
};

std::vector<Member> members_of(JsonScanner& scanner) {
  std::vector<Member> members;
  scanner.expect('{');
  if (scanner.accept('}')) return members;
  do {
    if (scanner.peek() != '"') scanner.expect('"');
    Member m{.name = {}, .value = {}, .line = scanner.line()};
    const std::string_view name = scanner.value();
    try {
      m.name = parse_json(name, "name").get<std::string>();
    } catch (const Error&) {
      scanner.fail("the name of a field cannot be read");
    }
    scanner.expect(':');
    scanner.peek();
    m.line = scanner.line();
    m.value = scanner.value();
    members.push_back(std::move(m));
  } while (scanner.accept(','));
  scanner.expect('}');
  return members;
}

void expect_end(JsonScanner& scanner) {
  if (scanner.peek() != '\0') scanner.fail("there is more after its end (JSON lines are another format: --format jsonl)");
}

// A value, or why it is none.
Json read_value(std::string_view text, std::string& problem) {
  try {
    return parse_json(text, "row");
  } catch (const Error& e) {
    problem = e.reason;
    return nullptr;
  }
}

// The list that a field of an object is; null: there is none.
Json* list_of(Json& object, const std::string& name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

// A row a line, or (rows) those of a list in each line's object.
class JsonLineRows final : public RowSource {
 public:
  JsonLineRows(std::shared_ptr<const DataText> text, const std::string& rows) : text_(std::move(text)), lines_(text_->text()), rows_(rows) {}

  bool next(DataRow& row) override {
    while (ready_.empty()) {
      std::string_view line;
      if (!lines_.next_filled(line)) return false;
      DataRow whole{.line = lines_.number(), .problem = {}, .values = {}};
      whole.values = read_value(line, whole.problem);
      if (!whole.problem.empty() || rows_.empty()) ready_.push_back(std::move(whole));
      else add_list(whole);
    }
    row = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }

 private:
  void add_list(DataRow& whole) {
    Json* list = list_of(whole.values, rows_);
    if (!list) {
      ready_.push_back({.line = whole.line, .problem = "has no list \"" + rows_ + "\", which --rows names", .values = nullptr});
      return;
    }
    for (Json& item : *list) ready_.push_back({.line = whole.line, .problem = {}, .values = std::move(item)});
  }

  std::shared_ptr<const DataText> text_;
  LineCursor lines_;
  std::string rows_;
  std::deque<DataRow> ready_;
};

class JsonRows final : public RowSource {
 public:
  JsonRows(std::shared_ptr<const DataText> text, const std::string& rows) : text_(std::move(text)) {
    JsonScanner scanner(text_->text(), text_->path());
    if (scanner.peek() == '[') {
      if (!rows.empty()) throw Error(ErrorCode::kInvalidArgument, "is a list of rows already: --rows names a list in an object", text_->path());
      lists_.push_back({"", text_->text(), 1});
      ends_ = true;
      return;
    }
    if (scanner.peek() != '{') scanner.fail("it is neither a list of rows nor an object that holds one");
    std::vector<Member> lists = members_of(scanner);
    expect_end(scanner);
    std::erase_if(lists, [](const Member& m) { return !m.value.starts_with('['); });
    std::string known;
    for (const Member& m : lists) {
      if (known.size() < 200) known += (known.empty() ? "" : ", ") + printable(m.name, 40);
      if (rows == "*" || m.name == rows || (rows.empty() && lists.size() == 1)) lists_.push_back(m);
    }
    if (lists_.empty()) {
      throw Error(ErrorCode::kInvalidArgument, lists.empty() ? "is an object that holds no list of rows"
                                                             : "is an object with several lists of rows: choose one by --rows (" + known + "; * for all)", text_->path());
    }
  }

  bool next(DataRow& row) override {
    while (true) {
      row = {};
      if (!items_) {
        if (lists_.empty()) return false;
        key_ = lists_.front().name;
        items_ = std::make_unique<ListItems>(JsonScanner(lists_.front().value, text_->path(), lists_.front().line));
        lists_.pop_front();
      }
      std::string_view item;
      if (items_->next(item, row.line)) {
        row.values = read_value(item, row.problem);
        if (row.values.is_object() && !key_.empty()) row.values["@key"] = key_;
        return true;
      }
      if (ends_) expect_end(items_->scanner());
      items_.reset();
    }
  }

 private:
  std::shared_ptr<const DataText> text_;
  std::deque<Member> lists_;
  bool ends_ = false;  // the list is the whole file
  std::string key_;
  std::unique_ptr<ListItems> items_;
};

// {"data": [{"paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text", "answer_start"}], "is_impossible"}]}]}]}
class SquadRows final : public RowSource {
 public:
  explicit SquadRows(std::shared_ptr<const DataText> text) : text_(std::move(text)) {
    JsonScanner scanner(text_->text(), text_->path());
    for (const Member& m : members_of(scanner)) {
      if (m.name == "data" && m.value.starts_with('[')) articles_ = std::make_unique<ListItems>(JsonScanner(m.value, text_->path(), m.line));
    }
    expect_end(scanner);
    if (!articles_) throw Error(ErrorCode::kBadFile, "has no list \"data\" of articles, as SQuAD has", text_->path());
  }

  bool next(DataRow& row) override {
    while (ready_.empty()) {
      std::string_view item;
      DataRow article;
      if (!articles_->next(item, article.line)) return false;
      article.values = read_value(item, article.problem);
      if (article.problem.empty()) add(article);
      else ready_.push_back(std::move(article));
    }
    row = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }

 private:
  void add(DataRow& article) {
    const auto bad = [&](const std::string& problem) { ready_.push_back({.line = article.line, .problem = problem, .values = nullptr}); };
    Json* paragraphs = list_of(article.values, "paragraphs");
    if (!paragraphs) return bad("the article has no list \"paragraphs\"");
    for (std::size_t p = 0; p < paragraphs->size(); ++p) {
      Json& paragraph = (*paragraphs)[p];
      const Json* questions = list_of(paragraph, "qas");
      if (!questions || !paragraph.contains("context")) {
        bad("paragraph " + std::to_string(p) + " has no context with a list \"qas\"");
        continue;
      }
      for (const Json& question : *questions) {
        Json values = question.is_object() ? question : Json::object();
        values["context"] = paragraph["context"];
        ready_.push_back({.line = article.line, .problem = {}, .values = std::move(values)});
      }
    }
  }

  std::shared_ptr<const DataText> text_;
  std::unique_ptr<ListItems> articles_;
  std::deque<DataRow> ready_;
};

}  // namespace

std::unique_ptr<RowSource> json_lines_rows(std::shared_ptr<const DataText> text, const std::string& rows) {
  return std::make_unique<JsonLineRows>(std::move(text), rows);
}
std::unique_ptr<RowSource> json_rows(std::shared_ptr<const DataText> text, const std::string& rows) { return std::make_unique<JsonRows>(std::move(text), rows); }
std::unique_ptr<RowSource> squad_rows(std::shared_ptr<const DataText> text) { return std::make_unique<SquadRows>(std::move(text)); }

}  // namespace polymath
