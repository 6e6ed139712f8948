// Training and evaluation data: files of many formats, read into the examples of a kind of task.
//
// Goals: every format as it is found in the wild; memory for one row at a time beside what the caller keeps; a bad row is named
// by file and line, and can be skipped. Non-goals: downloading, compressed files, shuffling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace polymath {

enum class DataFormat {
  kAuto,        // by the file's name, else by its beginning
  kCsv,         // RFC 4180: quotes, line breaks inside them
  kTsv,         // tabs; a quotation mark is a character like any other
  kJsonl,       // one JSON value a line
  kJson,        // one JSON value that holds a list of rows (DataOptions::rows says where)
  kConll,       // a token and its columns a line, an empty line between sentences
  kConllu,      // the same with ten named columns: universaldependencies.org/format
  kSquad,       // SQuAD 1.1 and 2.0
  kLines,       // plain text, a text a line
  kParagraphs,  // plain text, a text between empty lines
  kDocument,    // plain text, a text a file
  kParallel,    // two files: sources and targets, a line each
  kLabelled,    // a label, white space, the text: a line each
};

// By the name that --format takes; throws Error listing the names.
DataFormat data_format_named(const std::string& name);
const char* name_of(DataFormat format);

struct DataOptions {
  DataFormat format = DataFormat::kAuto;
  // A task's column -> the file's: a name, a number counted from 0 (negative: from the end), or in JSON a path, a.b.c.
  std::map<std::string, std::string> columns;
  std::optional<bool> header;  // whether CSV and TSV begin with the names of their columns; absent: guessed
  std::string rows;            // path of the list of rows in JSON; * is every field
  bool skip_bad = false;
  std::size_t limit = 0;       // examples; 0: all
};

// "text=sentence,label=0" as a map. Throws Error naming the option and what is wrong.
std::map<std::string, std::string> parse_assignments(const std::string& text, const std::string& option);

// Where an example comes from: for messages.
struct DataPlace {
  std::uint32_t file = 0;  // its index
  std::size_t line = 0;    // counted from 1
};

// Classification, regression, sentence similarity, language models.
struct TextExample {
  DataPlace place;
  std::string text;
  std::optional<std::string> text_pair, label;  // a number as it is written
};

struct TokensExample {
  DataPlace place;
  std::vector<std::string> tokens, tags;  // as many tags as tokens
};

struct QuestionExample {
  struct Answer {
    std::string text;
    std::optional<std::int64_t> start;  // code points of the context
  };
  DataPlace place;
  std::string id, question, context;
  std::vector<Answer> answers;  // none: the context does not say
};

struct PairExample {
  DataPlace place;
  std::string source, target;
};

// What of a task's columns has to be there.
enum class LabelColumn { kNeeded, kUsed, kUnused };  // kUsed: where it is there

struct DataReport {
  std::size_t examples = 0, skipped = 0;
  std::string first_skipped;  // why, naming file and line
};

// Calls `take` for each example of the files, in order. Throws Error{kBadFile, kInvalidArgument, kNotFound or kIo} naming file and
// line (or the column that is not there); with skip_bad, bad rows only count.
DataReport read_texts(const std::vector<std::string>& files, const DataOptions& options, LabelColumn labels, const std::function<void(TextExample&&)>& take);
DataReport read_tokens(const std::vector<std::string>& files, const DataOptions& options, const std::function<void(TokensExample&&)>& take);
DataReport read_questions(const std::vector<std::string>& files, const DataOptions& options, const std::function<void(QuestionExample&&)>& take);
DataReport read_pairs(const std::vector<std::string>& files, const DataOptions& options, const std::function<void(PairExample&&)>& take);

// "FILE line N".
std::string describe(const DataPlace& place, const std::vector<std::string>& files);

}  // namespace polymath
