#include "train/data.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/printable.h"
#include "base/utf8.h"
#include "text/python_text.h"
#include "train/data_rows.h"

namespace polymath {
namespace {

struct FormatName {
  DataFormat format;
  const char* name;
};
constexpr std::array kFormats = {
    FormatName{DataFormat::kAuto, "auto"},         FormatName{DataFormat::kCsv, "csv"},           FormatName{DataFormat::kTsv, "tsv"},
    FormatName{DataFormat::kJsonl, "jsonl"},       FormatName{DataFormat::kJson, "json"},         FormatName{DataFormat::kConll, "conll"},
    FormatName{DataFormat::kConllu, "conllu"},     FormatName{DataFormat::kSquad, "squad"},       FormatName{DataFormat::kLines, "lines"},
    FormatName{DataFormat::kParagraphs, "paragraphs"}, FormatName{DataFormat::kDocument, "document"}, FormatName{DataFormat::kParallel, "parallel"},
    FormatName{DataFormat::kLabelled, "labelled"},
};

// What of a task decides how a file of no known name is read.
enum class Kind { kTexts, kLabelledTexts, kTokens, kQuestions, kPairs };

struct Task {
  Kind kind;
  std::vector<std::string> columns;
};

DataFormat guess(const DataText& text, Kind kind) {
  std::string extension = std::filesystem::path(text.path()).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string_view content = text.text();
  const std::size_t first = content.find_first_not_of(" \t\r\n");
  const char begin = first == std::string_view::npos ? '\0' : content[first];
  const auto json = [&] {
    if (begin == '[') return DataFormat::kJson;
    std::string_view head = content.substr(first, content.find('\n', first) - first);
    while (head.ends_with('\r') || head.ends_with(' ')) head.remove_suffix(1);
    // One object a line, or one object that is the file.
    const std::size_t next = content.find_first_not_of(" \t\r\n", std::min(content.size(), first + head.size()));
    if (head.ends_with('}') && next != std::string_view::npos && content[next] == '{') return DataFormat::kJsonl;
    if (kind == Kind::kQuestions && content.find("\"paragraphs\"") != std::string_view::npos) return DataFormat::kSquad;
    return head.ends_with('}') && next == std::string_view::npos && extension != ".json" ? DataFormat::kJsonl : DataFormat::kJson;
  };
  if (extension == ".csv") return DataFormat::kCsv;
  if (extension == ".tsv" || extension == ".tab") return DataFormat::kTsv;
  if (extension == ".jsonl" || extension == ".ndjson") return DataFormat::kJsonl;
  if (extension == ".json" && begin != '\0') return json();
  if (extension == ".conllu" || extension == ".conllup") return DataFormat::kConllu;
  if (extension == ".conll" || extension == ".bio" || extension == ".iob" || extension == ".iob2") return DataFormat::kConll;
  if (begin == '{') return json();
  switch (kind) {
    case Kind::kTexts: return DataFormat::kLines;
    case Kind::kTokens: return content.find("\t_\t") != std::string_view::npos ? DataFormat::kConllu : DataFormat::kConll;
    case Kind::kQuestions: return DataFormat::kSquad;
    case Kind::kPairs: return DataFormat::kParallel;
    case Kind::kLabelledTexts: return DataFormat::kLabelled;
  }
  return DataFormat::kLines;
}

std::unique_ptr<RowSource> open_rows(std::shared_ptr<const DataText> text, DataFormat format, const DataOptions& options, const Task& task) {
  switch (format) {
    case DataFormat::kCsv: return delimited_rows(std::move(text), ',', /*quotes=*/true, options, task.columns);
    case DataFormat::kTsv: return delimited_rows(std::move(text), '\t', /*quotes=*/false, options, task.columns);
    case DataFormat::kJsonl: return json_lines_rows(std::move(text), options.rows);
    case DataFormat::kJson: return json_rows(std::move(text), options.rows);
    case DataFormat::kConll: return conll_rows(std::move(text), /*universal=*/false, options);
    case DataFormat::kConllu: return conll_rows(std::move(text), /*universal=*/true, options);
    case DataFormat::kSquad: return squad_rows(std::move(text));
    case DataFormat::kParagraphs: return paragraph_rows(std::move(text));
    case DataFormat::kDocument: return document_rows(std::move(text));
    case DataFormat::kLabelled: return labelled_rows(std::move(text));
    default: return line_rows(std::move(text));
  }
}

// A row that cannot become an example.
struct BadRow {
  std::string problem;
};

std::string text_in(const Json& value, const char* column, bool gathered);

// Finds a task's columns in rows. Not thread safe.
class Columns {
 public:
  Columns(const DataOptions& options, const Task& task, DataFormat format) {
    const bool fixed = format == DataFormat::kConll || format == DataFormat::kConllu;  // the reader has mapped them
    for (const std::string& column : task.columns) {
      const auto mapped = options.columns.find(column);
      const bool own = mapped == options.columns.end() || fixed;
      names_[column] = own ? column_names(column) : std::vector<std::string>{mapped->second};
    }
    for (const auto& [column, name] : options.columns) {
      if (std::find(task.columns.begin(), task.columns.end(), column) == task.columns.end()) {
        std::string known;
        for (const std::string& c : task.columns) known += (known.empty() ? "" : ", ") + c;
        throw Error(ErrorCode::kInvalidArgument, "\"" + printable(column) + "\" is not a column of this task (its columns: " + known + ")", "--columns");
      }
    }
  }

  // Null: there is none. Where several names of one column are there, the first in column_names() is taken.
  const Json* find(const DataRow& row, const char* column) {
    for (const std::string& name : names_.at(column)) {
      if (const Json* value = at(row.values, name)) return value;
    }
    return nullptr;
  }

  const Json& need(const DataRow& row, const char* column) {
    if (const Json* value = find(row, column)) return *value;
    std::string has;
    if (row.values.is_object()) {
      for (const auto& [name, unused] : row.values.items()) has += (has.empty() ? "" : ", ") + printable(name, 40);
    } else if (row.values.is_array()) {
      has = "0 to " + std::to_string(row.values.size() - 1);
    } else {
      throw BadRow{std::string("must be an object or a list, not ") + json_kind(row.values)};
    }
    throw BadRow{"has no column \"" + printable(names_.at(column).front()) + "\"" +
                 (has.empty() ? "" : " (it has " + printable(has, 300) + "); name one by --columns " + column + "=NAME")};
  }

 private:
  // A path through lists gathers what it finds in their items.
  const Json* at(const Json& values, const std::string& name) {
    const auto dot = name.find('.');
    if (values.is_array()) {
      const auto index = index_of(whole_number(name.substr(0, dot)), values.size());
      if (!index) return nullptr;
      return dot == std::string::npos ? &values[*index] : at(values[*index], name.substr(dot + 1));
    }
    if (!values.is_object()) return nullptr;
    if (const auto found = values.find(name); found != values.end()) return found->is_null() ? nullptr : &*found;
    if (const auto index = index_of(whole_number(name), values.size())) return &*std::next(values.begin(), static_cast<std::ptrdiff_t>(*index));
    if (dot == std::string::npos) return nullptr;
    const auto inner = values.find(name.substr(0, dot));
    if (inner == values.end()) return nullptr;
    const std::string rest = name.substr(dot + 1);
    if (!inner->is_array() || whole_number(rest.substr(0, rest.find('.')))) return at(*inner, rest);
    Json gathered = Json::array();
    for (const Json& item : *inner) {
      if (const Json* value = at(item, rest)) gathered.push_back(*value);
    }
    gathered_.push_back(std::make_unique<Json>(std::move(gathered)));
    return gathered_.back().get();
  }

 public:
  void forget() { gathered_.clear(); }  // values found in earlier rows
  bool is_gathered(const Json& value) const {
    return std::any_of(gathered_.begin(), gathered_.end(), [&](const auto& g) { return g.get() == &value; });
  }
  std::string text(const DataRow& row, const char* column) {
    const Json& value = need(row, column);
    return text_in(value, column, is_gathered(value));
  }

 private:
  std::map<std::string, std::vector<std::string>> names_;  // of a task's column in the file
  std::vector<std::unique_ptr<Json>> gathered_;
};

// A text; those of a list with line breaks between them, or as they are where a path has gathered them.
std::string text_in(const Json& value, const char* column, bool gathered) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    std::string all;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (!value[i].is_string()) throw BadRow{std::string(column) + " must be a text, not a list with " + json_kind(value[i])};
      if (i > 0 && !gathered) all += '\n';
      all += value[i].get_ref<const std::string&>();
    }
    return all;
  }
  if (value.is_number_integer()) return value.dump();  // a text that happens to be a number
  throw BadRow{std::string(column) + " must be a text, not " + json_kind(value)};
}

std::string label_in(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return dump_json(value);
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  throw BadRow{std::string("label must be a text or a number, not ") + json_kind(value)};
}

std::vector<std::string> list_in(const Json& value, const char* column) {
  std::vector<std::string> all;
  if (value.is_string()) {  // words with spaces between them
    for (std::string_view word : python::split(value.get_ref<const std::string&>(), " ", -1)) {
      if (!word.empty()) all.emplace_back(word);
    }
    return all;
  }
  if (!value.is_array()) throw BadRow{std::string(column) + " must be a list, not " + json_kind(value)};
  for (const Json& item : value) {
    if (item.is_string()) all.push_back(item.get<std::string>());
    else if (item.is_number_integer()) all.push_back(item.dump());
    else throw BadRow{std::string(column) + " must be a list of texts, but holds " + json_kind(item)};
  }
  return all;
}

TextExample text_example(Columns& columns, const DataRow& row, LabelColumn labels) {
  TextExample e;
  e.text = columns.text(row, "text");
  if (const Json* pair = columns.find(row, "text_pair")) e.text_pair = text_in(*pair, "text_pair", columns.is_gathered(*pair));
  if (labels == LabelColumn::kNeeded) {
    e.label = label_in(columns.need(row, "label"));
    if (e.label->empty()) throw BadRow{"has an empty label"};
  }
  if (labels == LabelColumn::kUsed) {
    if (const Json* label = columns.find(row, "label")) e.label = label_in(*label);
  }
  return e;
}

TokensExample tokens_example(Columns& columns, const DataRow& row) {
  TokensExample e;
  e.tokens = list_in(columns.need(row, "tokens"), "tokens");
  e.tags = list_in(columns.need(row, "tags"), "tags");
  if (e.tokens.size() != e.tags.size()) {
    throw BadRow{"has " + std::to_string(e.tokens.size()) + " tokens but " + std::to_string(e.tags.size()) + " tags"};
  }
  return e;
}

// [{"text", "answer_start"}] as SQuAD has it, {"text": [], "answer_start": []} as its copies on the Hub do, or texts alone.
std::vector<QuestionExample::Answer> answers_in(const Json& value, std::size_t context_length) {
  std::vector<QuestionExample::Answer> answers;
  const auto add = [&](const Json& text, const Json* start) {
    if (!text.is_string()) throw BadRow{std::string("an answer's text must be a string, not ") + json_kind(text)};
    QuestionExample::Answer a{.text = text.get<std::string>(), .start = {}};
    if (start && !start->is_null()) {
      if (!start->is_number_integer()) throw BadRow{std::string("answer_start must be a whole number, not ") + json_kind(*start)};
      if (start->is_number_unsigned() ? start->get<std::uint64_t>() > context_length : true) {
        throw BadRow{"answer_start " + start->dump() + " is outside the context of " + std::to_string(context_length) + " characters"};
      }
      a.start = start->get<std::int64_t>();
    }
    answers.push_back(std::move(a));
  };
  if (value.is_object()) {
    const auto texts = value.find("text"), starts = value.find("answer_start");
    const bool with_starts = starts != value.end() && starts->is_array();
    if (texts == value.end() || !texts->is_array() || (with_starts && starts->size() != texts->size())) {
      throw BadRow{"answers must be a list, or lists \"text\" and \"answer_start\" of equal length"};
    }
    for (std::size_t i = 0; i < texts->size(); ++i) add((*texts)[i], with_starts ? &(*starts)[i] : nullptr);
    return answers;
  }
  if (value.is_string()) {
    add(value, nullptr);
    return answers;
  }
  if (!value.is_array()) throw BadRow{std::string("answers must be a list, not ") + json_kind(value)};
  for (const Json& item : value) {
    if (item.is_string()) {
      add(item, nullptr);
      continue;
    }
    if (!item.is_object() || !item.contains("text")) throw BadRow{"an answer must be a text or an object with the field text"};
    const auto start = item.find("answer_start");
    add(item["text"], start == item.end() ? nullptr : &*start);
  }
  return answers;
}

QuestionExample question_example(Columns& columns, const DataRow& row) {
  QuestionExample e;
  if (const auto id = row.values.find("id"); id != row.values.end() && id->is_string()) e.id = id->get<std::string>();
  try {
    e.question = columns.text(row, "question");
    e.context = columns.text(row, "context");
    if (e.question.empty()) throw BadRow{"has an empty question"};
    if (e.context.empty()) throw BadRow{"has an empty context"};
    e.answers = answers_in(columns.need(row, "answers"), utf8_length(e.context));
  } catch (const BadRow& bad) {
    throw BadRow{e.id.empty() ? bad.problem : "question " + printable(e.id, 60) + ": " + bad.problem};
  }
  // A question that has no answer may still list plausible ones, under another name.
  if (const auto impossible = row.values.find("is_impossible"); impossible != row.values.end() && *impossible == true) e.answers.clear();
  return e;
}

PairExample pair_example(Columns& columns, const DataRow& row) {
  return {.place = {}, .source = columns.text(row, "source"), .target = columns.text(row, "target")};
}

// Reads all files; make(columns, row) gives an example or throws BadRow.
template <class Example, class Make>
DataReport read_all(const std::vector<std::string>& files, const DataOptions& options, const Task& task, const Make& make,
                    const std::function<void(Example&&)>& take) {
  if (files.empty()) throw Error(ErrorCode::kInvalidArgument, "no file is named", "--data");
  DataReport report;
  const auto skip = [&](const DataPlace& place, const std::string& problem) {
    if (!options.skip_bad) throw Error(ErrorCode::kBadFile, printable(problem, 400) + " (--skip-bad leaves such rows out)", describe(place, files));
    if (report.skipped++ == 0) report.first_skipped = describe(place, files) + ": " + printable(problem, 400);
  };
  for (std::size_t f = 0; f < files.size(); ++f) {
    DataPlace place{.file = static_cast<std::uint32_t>(f), .line = 0};
    auto text = std::make_shared<const DataText>(files[f]);
    const DataFormat format = options.format == DataFormat::kAuto ? guess(*text, task.kind) : options.format;
    std::unique_ptr<RowSource> rows;
    if (format == DataFormat::kParallel) {
      if (files.size() % 2 != 0) throw Error(ErrorCode::kInvalidArgument, "parallel text is in two files, the sources and the targets: name both", files[f]);
      rows = parallel_rows(text, std::make_shared<const DataText>(files[++f]));
    } else {
      rows = open_rows(text, format, options, task);
    }
    Columns columns(options, task, format);
    for (DataRow row; rows->next(row); columns.forget()) {
      place.line = row.line;
      if (!row.problem.empty()) {
        skip(place, row.problem);
        continue;
      }
      Example example;
      try {
        example = make(columns, row);
      } catch (const BadRow& bad) {
        skip(place, bad.problem);
        continue;
      }
      example.place = place;
      ++report.examples;
      take(std::move(example));
      if (options.limit > 0 && report.examples >= options.limit) return report;
    }
  }
  if (report.examples == 0) {
    throw Error(ErrorCode::kBadFile, report.skipped > 0 ? "no row can be used; the first: " + report.first_skipped : std::string("holds no rows"), files.front());
  }
  return report;
}

}  // namespace

DataFormat data_format_named(const std::string& name) {
  std::string known;
  for (const FormatName& f : kFormats) {
    if (name == f.name) return f.format;
    known += (known.empty() ? "" : ", ") + std::string(f.name);
  }
  throw Error(ErrorCode::kInvalidArgument, "\"" + printable(name) + "\" is not a known format (known: " + known + ")", "--format");
}

const char* name_of(DataFormat format) {
  return std::find_if(kFormats.begin(), kFormats.end(), [&](const FormatName& f) { return f.format == format; })->name;
}

std::map<std::string, std::string> parse_assignments(const std::string& text, const std::string& option) {
  std::map<std::string, std::string> all;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const auto equals = part.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == part.size()) {
      throw Error(ErrorCode::kInvalidArgument, "\"" + printable(part) + "\" is not of the form NAME=VALUE", option);
    }
    if (!all.emplace(part.substr(0, equals), part.substr(equals + 1)).second) {
      throw Error(ErrorCode::kInvalidArgument, "names \"" + printable(part.substr(0, equals)) + "\" twice", option);
    }
    begin = end + 1;
  }
  return all;
}

std::string describe(const DataPlace& place, const std::vector<std::string>& files) { return files.at(place.file) + " line " + std::to_string(place.line); }

DataReport read_texts(const std::vector<std::string>& files, const DataOptions& options, LabelColumn labels, const std::function<void(TextExample&&)>& take) {
  Task task{Kind::kTexts, {"text", "text_pair"}};
  if (labels == LabelColumn::kNeeded) task = {Kind::kLabelledTexts, {"text", "text_pair", "label"}};
  if (labels == LabelColumn::kUsed) task = {Kind::kTexts, {"text", "text_pair", "label"}};
  return read_all<TextExample>(files, options, task, [&](Columns& columns, const DataRow& row) { return text_example(columns, row, labels); }, take);
}

DataReport read_tokens(const std::vector<std::string>& files, const DataOptions& options, const std::function<void(TokensExample&&)>& take) {
  return read_all<TokensExample>(files, options, {Kind::kTokens, {"tokens", "tags"}}, tokens_example, take);
}

DataReport read_questions(const std::vector<std::string>& files, const DataOptions& options, const std::function<void(QuestionExample&&)>& take) {
  return read_all<QuestionExample>(files, options, {Kind::kQuestions, {"question", "context", "answers"}}, question_example, take);
}

DataReport read_pairs(const std::vector<std::string>& files, const DataOptions& options, const std::function<void(PairExample&&)>& take) {
  return read_all<PairExample>(files, options, {Kind::kPairs, {"source", "target"}}, pair_example, take);
}

}  // namespace polymath
