// The readers of training and evaluation data: what each format gives, and what is refused with which line.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/json.h"
#include "polymath/error.h"
#include "support/program.h"
#include "train/data.h"

namespace polymath {
namespace {

std::string file_with(const std::string& name, const std::string& content) {
  const std::string path = test::scratch_path(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

DataOptions with_columns(const std::string& columns) {
  DataOptions options;
  options.columns = parse_assignments(columns, "--columns");
  return options;
}

// Examples as one line each: "text|pair|label", "token/tag token/tag", "source => target".
std::vector<std::string> texts(const std::vector<std::string>& files, const DataOptions& options = {}, Labels labels = Labels::kNeeded) {
  std::vector<std::string> all;
  read_texts(files, options, labels, [&](TextExample&& e) { all.push_back(e.text + (e.text_pair ? "|" + *e.text_pair : "") + (e.label ? "|" + *e.label : "")); });
  return all;
}

std::vector<std::string> tokens(const std::string& file, const DataOptions& options = {}) {
  std::vector<std::string> all;
  read_tokens({file}, options, [&](TokensExample&& e) {
    std::string line;
    for (std::size_t i = 0; i < e.tokens.size(); ++i) line += (i ? " " : "") + e.tokens[i] + "/" + e.tags[i];
    all.push_back(line);
  });
  return all;
}

std::vector<std::string> pairs(const std::vector<std::string>& files, const DataOptions& options = {}) {
  std::vector<std::string> all;
  read_pairs(files, options, [&](PairExample&& e) { all.push_back(e.source + " => " + e.target); });
  return all;
}

std::vector<std::string> questions(const std::string& file, const DataOptions& options = {}) {
  std::vector<std::string> all;
  read_questions({file}, options, [&](QuestionExample&& e) {
    std::string line = e.question + "|" + e.context;
    for (const auto& a : e.answers) line += "|" + a.text + (a.start ? "@" + std::to_string(*a.start) : "");
    all.push_back(line);
  });
  return all;
}

// What is refused says so with these words; "" if it is accepted.
template <class Read>
std::string refusal(const Read& read) {
  try {
    read();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

using Lines = std::vector<std::string>;

TEST(Data, CsvQuotesAndLineBreaks) {
  EXPECT_EQ(texts({file_with("a.csv", "text,label\r\n\"a, \"\"b\"\"\nc\",x\r\n\n d ,\"y\"\n\"e\"f,z")}), (Lines{"a, \"b\"\nc|x", " d |y", "ef|z"}));
  EXPECT_EQ(texts({file_with("a.csv", "\xEF\xBB\xBFlabel,sentence\n1,a\"b\"\n")}), (Lines{"a\"b\"|1"}));  // BOM, another name, quotes inside
  EXPECT_EQ(texts({file_with("a.csv", "x,1\ny,2")}, with_columns("text=0,label=1")), (Lines{"x|1", "y|2"}));
  EXPECT_EQ(texts({file_with("a.csv", "sent,cat\nx,1")}, with_columns("text=sent,label=-1")), (Lines{"x|1"}));
  EXPECT_EQ(texts({file_with("a.csv", "a,b\nx,1")}, [] {
              DataOptions o = with_columns("text=0,label=1");
              o.header = true;
              return o;
            }()),
            (Lines{"x|1"}));
}

TEST(Data, CsvRefusesByLine) {
  const auto why = [](const std::string& content, const std::string& columns = "") {
    return refusal([&] { texts({file_with("bad.csv", content)}, with_columns(columns)); });
  };
  EXPECT_NE(why("text,label\nx,1\ny\n").find("bad.csv line 3: has 1 field, not 2 as the header"), std::string::npos);
  EXPECT_NE(why("text,label\n\"a\nb\",1\nx,1,2\n").find("line 4: has 3 fields"), std::string::npos);
  EXPECT_NE(why("text,label\nx,1\n\"y,2\nz,3\n").find("line 3: has a quotation mark that is never closed"), std::string::npos);
  EXPECT_NE(why("text,label\nx\xFF,1\n").find("line 2: is not valid UTF-8"), std::string::npos);
  EXPECT_NE(why("a,b\nx,1\n").find("line 1: has no column \"text\" (it has 0 to 1)"), std::string::npos);
  EXPECT_NE(why("text,b\nx,1\n").find("has no column \"label\" (it has text, b); name one by --columns label=NAME"), std::string::npos);
  EXPECT_NE(why("text,text\nx,1\n").find("\"text\" twice"), std::string::npos);
  EXPECT_NE(why("text,label\nx,\n").find("line 2: has an empty label"), std::string::npos);
  EXPECT_NE(why("").find("holds no rows"), std::string::npos);
  EXPECT_NE(why("text,label\n").find("holds no rows"), std::string::npos);
  EXPECT_NE(why("text,label\nx,1\n", "tags=1").find("\"tags\" is not a column of this task"), std::string::npos);
  EXPECT_NE(why("text,label\nx,1\n", "text").find("--columns"), std::string::npos);
}

TEST(Data, SkipsBadRowsWithACount) {
  const std::string file = file_with("some.csv", "text,label\nx,1\ny\n\"z,3\nw,4\n");
  DataOptions options;
  options.skip_bad = true;
  std::vector<std::string> kept;
  std::vector<std::size_t> lines;
  const DataReport report = read_texts({file}, options, Labels::kNeeded, [&](TextExample&& e) {
    kept.push_back(e.text);
    lines.push_back(e.place.line);
  });
  EXPECT_EQ(kept, (Lines{"x", "w"}));
  EXPECT_EQ(lines, (std::vector<std::size_t>{2, 5}));
  EXPECT_EQ(report.examples, 2u);
  EXPECT_EQ(report.skipped, 2u);
  EXPECT_NE(report.first_skipped.find("some.csv line 3"), std::string::npos);
  EXPECT_NE(refusal([&] { texts({file_with("all.csv", "text,label\ny\n")}, options); }).find("no row can be used; the first: "), std::string::npos);
  options.limit = 1;
  EXPECT_EQ(texts({file}, options), (Lines{"x|1"}));
}

TEST(Data, TsvTakesQuotesAsTheyAre) {
  EXPECT_EQ(texts({file_with("a.tsv", "4.5\t\"He said \"x\"\ty\r\n1\ta\t b\n")}, with_columns("label=0,text=1,text_pair=2")),
            (Lines{"\"He said \"x\"|y|4.5", "a| b|1"}));
  EXPECT_EQ(texts({file_with("a.tsv", "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\ta\tb\n")}), (Lines{"a|b|1"}));
  EXPECT_NE(refusal([] { texts({file_with("bad.tsv", "text\tlabel\na\tb\tc\n")}); }).find("line 2: has 3 fields"), std::string::npos);
}

TEST(Data, JsonLinesAndLists) {
  const std::string lines = "{\"text\": \"a\\n\", \"label\": 1}\n\n{\"label\": 2.5, \"sentence\": \"b\", \"text_pair\": null}\r\n{\"label\": false, \"text\": \"c\", \"text_pair\": \"d\"}";
  const Lines expected = {"a\n|1", "b|2.5", "c|d|false"};
  EXPECT_EQ(texts({file_with("a.jsonl", lines)}), expected);
  EXPECT_EQ(texts({file_with("a.json", lines)}), expected);       // lines all the same
  EXPECT_EQ(texts({file_with("unnamed", lines)}), expected);
  EXPECT_EQ(texts({file_with("a.json", "[ {\"text\": \"}]\\\"\", \"label\": \"x\"} ,\n {\"text\":\"b\",\"label\":\"y\"}]\n")}), (Lines{"}]\"|x", "b|y"}));
  EXPECT_EQ(texts({file_with("a.json", "{\"version\": 2, \"data\": [[\"t\", \"u\"]]}")}, with_columns("text=0,label=1")), (Lines{"t|u"}));
  const std::string splits = file_with("splits.json", "{\"val\": [[\"a\", \"x\"]], \"train\": [[\"b\", \"y\"], [\"c\", \"z\"]]}");
  DataOptions options = with_columns("text=0,label=1");
  EXPECT_NE(refusal([&] { texts({splits}, options); }).find("--rows (val, train"), std::string::npos);
  options.rows = "train";
  EXPECT_EQ(texts({splits}, options), (Lines{"b|y", "c|z"}));
  options.rows = "*";
  EXPECT_EQ(texts({splits}, options), (Lines{"a|x", "b|y", "c|z"}));
}

TEST(Data, JsonPathsReachInside) {
  DataOptions options = with_columns("text=data.text,label=@key");
  options.rows = "*";
  EXPECT_EQ(texts({file_with("snips.json", R"({"Play": [{"data": [{"text": "play "}, {"text": "jazz", "entity": "genre"}]}], "Rate": [{"data": [{"text": "five"}]}]})")}, options),
            (Lines{"play jazz|Play", "five|Rate"}));
  EXPECT_EQ(texts({file_with("a.json", R"([{"in": {"text": "a"}, "labels": [{"slot": "s"}, {"slot": "t"}]}])")}, with_columns("text=in.text,label=labels.1.slot")), (Lines{"a|t"}));
}

TEST(Data, JsonListsInLines) {
  const std::string file = file_with("talks.jsonl", "{\"turns\": [{\"text\": \"hi\", \"frames\": [{\"intent\": \"greet\"}]}, {\"text\": \"bye\", \"frames\": []}]}\n{\"turn\": 1}\n");
  DataOptions options = with_columns("label=frames.0.intent");
  options.rows = "turns";
  EXPECT_NE(refusal([&] { texts({file}, options); }).find("line 1: has no column \"frames.0.intent\""), std::string::npos);
  options.skip_bad = true;
  EXPECT_EQ(texts({file}, options), (Lines{"hi|greet"}));
  options = with_columns("");
  options.rows = "turns";
  EXPECT_NE(refusal([&] { texts({file}, options, Labels::kUnused); }).find("line 2: has no list \"turns\", which --rows names"), std::string::npos);
  EXPECT_EQ(texts({file_with("talk.jsonl", "{\"turns\": [\"hi\", \"bye\"]}")}, with_columns("text=turns"), Labels::kUnused), (Lines{"hi\nbye"}));
}

TEST(Data, PipesAreReadOnce) {
  const std::string pipe = test::scratch_path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe) << "text,label\na,1\n"; });
  DataOptions options;
  options.format = DataFormat::kCsv;
  EXPECT_EQ(texts({pipe}, options), (Lines{"a|1"}));
  writer.join();
}

TEST(Data, JsonRefusesByLine) {
  const auto why = [](const std::string& name, const std::string& content) { return refusal([&] { texts({file_with(name, content)}); }); };
  EXPECT_NE(why("bad.jsonl", "{\"text\": \"a\", \"label\": 1}\n{\"text\": }\n").find("bad.jsonl line 2: not valid JSON"), std::string::npos);
  EXPECT_NE(why("bad.jsonl", "{\"text\": [1], \"label\": 1}\n").find("line 1: text must be a text, not a list with a number"), std::string::npos);
  EXPECT_NE(why("bad.jsonl", "{\"text\": \"a\", \"label\": {}}\n").find("label must be a text or a number, not an object"), std::string::npos);
  EXPECT_NE(why("bad.jsonl", "7\n").find("must be an object or a list, not a number"), std::string::npos);
  EXPECT_NE(why("bad.json", "[{\"text\": \"a\", \"label\": 1},\n{\"text\": \"b\"").find("line 2: not valid JSON"), std::string::npos);
  EXPECT_NE(why("bad.json", "[{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\"}]").find("line 2: not valid JSON"), std::string::npos);
  EXPECT_NE(why("bad.json", "[{\"text\": \"a\", \"label\": tru}]").find("line 1: not valid JSON"), std::string::npos);
  EXPECT_NE(why("bad.json", "[{\"text\": \"a\", \"label\": 1}] x").find("there is more after its end"), std::string::npos);
  EXPECT_NE(why("bad.json", "{\"a\": 1}").find("no list of rows"), std::string::npos);
  EXPECT_NE(why("bad.json", "[" + std::string(100000, '[') + std::string(100000, ']') + "]").find("nested deeper"), std::string::npos);
  EXPECT_NE(why("bad.json", "[1,]").find("line 1"), std::string::npos);
  EXPECT_NE(why("bad.json", "[\"a").find("a string that does not end"), std::string::npos);
  EXPECT_NE(refusal([] { texts({"/nowhere.csv"}); }).find("/nowhere.csv: no such file"), std::string::npos);
  EXPECT_NE(refusal([] { texts({std::filesystem::temp_directory_path().string()}); }).find("folder"), std::string::npos);
}

TEST(Data, Conll) {
  EXPECT_EQ(tokens(file_with("a.conll", "-DOCSTART- -X- O O\n\nAda NNP B-NP I-PER\nran VBD B-VP O\n\n\n# x = y\n#tag NN B-NP O\n# = B-NP O\n")), (Lines{"Ada/I-PER ran/O", "#tag/O #/O"}));
  EXPECT_EQ(tokens(file_with("a.conll", "O\tAda\nO\tb c\n\nO\t\n"), with_columns("tokens=1,tags=0")), (Lines{"Ada/O b c/O", "/O"}));
  EXPECT_EQ(tokens(file_with("a.conllup", "# global.columns = FORM UPOS NER\nAda\tPROPN\tB-PER\n"), with_columns("tokens=form,tags=ner")), (Lines{"Ada/B-PER"}));
  EXPECT_EQ(tokens(file_with("a.jsonl", "{\"tokens\": [\"a\", \"b\"], \"ner_tags\": [0, 1]}\n")), (Lines{"a/0 b/1"}));
  EXPECT_EQ(tokens(file_with("a.csv", "words,tags\na  b,X Y\n")), (Lines{"a/X b/Y"}));
  const auto why = [](const std::string& content, const std::string& columns = "") {
    return refusal([&] { tokens(file_with("bad.conll", content), with_columns(columns)); });
  };
  EXPECT_NE(why("a O\n\nb\n").find("line 3: at line 3: a token without a tag"), std::string::npos) << why("a O\n\nb\n");
  EXPECT_NE(why("a\tO\nb\t\n").find("at line 2: an empty tag"), std::string::npos);
  EXPECT_NE(why("a O\n", "tags=3").find("no column 3"), std::string::npos);
  EXPECT_NE(why("a O\n", "tags=ner").find("has no column \"ner\""), std::string::npos);
  EXPECT_NE(why("a\xC0 O\n").find("not valid UTF-8"), std::string::npos);
  EXPECT_NE(refusal([] { tokens(file_with("bad.jsonl", "{\"tokens\": [\"a\"], \"tags\": [\"x\", \"y\"]}")); }).find("has 1 tokens but 2 tags"), std::string::npos);
}

TEST(Data, ConlluSkipsWhatIsNoWord) {
  const std::string text = "# text = vámonos\n1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_\n1\tvamos\tir\tVERB\tVB\t_\t0\troot\t_\t_\n2\tnos\tnosotros\tPRON\tPP\t_\t1\tobj\t_\t_\n2.1\tx\tx\tVERB\tVB\t_\t_\t_\t_\t_\n\n";
  EXPECT_EQ(tokens(file_with("a.conllu", text)), (Lines{"vamos/VERB nos/PRON"}));
  EXPECT_EQ(tokens(file_with("a.conllu", text), with_columns("tags=xpos,tokens=lemma")), (Lines{"ir/VB nosotros/PP"}));
  EXPECT_NE(refusal([] { tokens(file_with("bad.conllu", "1\ta\tb\n")); }).find("3 columns, not 10"), std::string::npos);
}

TEST(Data, Squad) {
  const std::string v2 = R"({"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": "é Ada ran.", "qas": [
    {"id": "1", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 2}, {"text": "é Ada", "answer_start": 0}], "is_impossible": false},
    {"id": "2", "question": "Where?", "answers": [], "plausible_answers": [{"text": "Ada", "answer_start": 2}], "is_impossible": true}]}]}]})";
  EXPECT_EQ(questions(file_with("a.json", v2)), (Lines{"Who?|é Ada ran.|Ada@2|é Ada@0", "Where?|é Ada ran."}));
  EXPECT_EQ(questions(file_with("a.jsonl", R"({"id": "1", "question": "Who?", "context": "Ada", "answers": {"text": ["Ada"], "answer_start": [0]}})")), (Lines{"Who?|Ada|Ada@0"}));
  EXPECT_EQ(questions(file_with("a.csv", "question,context,answers\nWho?,Ada ran,Ada\n")), (Lines{"Who?|Ada ran|Ada"}));
  const auto why = [](const std::string& content) { return refusal([&] { questions(file_with("bad.json", content)); }); };
  EXPECT_NE(why(R"({"data": [{"paragraphs": [{"context": "abc", "qas": [{"id": "q7", "question": "x", "answers": [{"text": "a", "answer_start": 4}]}]}]}]})")
                .find("line 1: question q7: answer_start 4 is outside the context of 3 characters"), std::string::npos);
  EXPECT_NE(why("{\"data\":\n[{\"paragraphs\": 1}]}").find("line 2: the article has no list \"paragraphs\""), std::string::npos);
  EXPECT_NE(why(R"({"data": [{"paragraphs": [{"qas": []}]}]})").find("paragraph 0 has no context"), std::string::npos);
  EXPECT_NE(why(R"({"paragraphs": []})").find("no list \"data\""), std::string::npos);
  EXPECT_NE(why(R"({"data": [{"paragraphs": [{"context": "abc", "qas": [{"question": "x"}]}]}]})").find("has no column \"answers\""), std::string::npos);
}

TEST(Data, PlainTextAndLabels) {
  const std::string file = file_with("a.txt", "one\r\ntwo\n\n \nthree\n");
  DataOptions options;
  EXPECT_EQ(texts({file}, options, Labels::kUnused), (Lines{"one", "two", "three"}));
  options.format = DataFormat::kParagraphs;
  EXPECT_EQ(texts({file}, options, Labels::kUnused), (Lines{"one\ntwo", "three"}));
  options.format = DataFormat::kDocument;
  EXPECT_EQ(texts({file, file}, options, Labels::kUnused).size(), 2u);
  EXPECT_EQ(texts({file_with("stsa.dev", "1 a fine film .\n0  dull\xC2\x85 x\n")}), (Lines{"a fine film .|1", "dull\xC2\x85 x|0"}));
  EXPECT_EQ(texts({file_with("fast.txt", "__label__good a b\n")}), (Lines{"a b|good"}));
  EXPECT_NE(refusal([] { texts({file_with("bad.dev", "1 a\nword\n")}); }).find("line 2: has no label and text"), std::string::npos);
}

TEST(Data, ParallelText) {
  const std::string en = file_with("t.en", "one\n\nthree"), de = file_with("t.de", "eins\n\ndrei\n");
  EXPECT_EQ(pairs({en, de}), (Lines{"one => eins", " => ", "three => drei"}));
  EXPECT_EQ(pairs({file_with("t.tsv", "a\tb\n")}, with_columns("source=0,target=1")), (Lines{"a => b"}));
  EXPECT_EQ(pairs({file_with("t.jsonl", R"({"translation": {"en": "a", "de": "b"}})")}, with_columns("source=translation.en,target=translation.de")), (Lines{"a => b"}));
  EXPECT_EQ(pairs({file_with("t.jsonl", R"({"text": "a", "summary": "b"})")}), (Lines{"a => b"}));
  EXPECT_NE(refusal([&] { pairs({en}); }).find("name both"), std::string::npos);
  EXPECT_NE(refusal([&] { pairs({en, file_with("short.de", "eins\n")}); }).find("short.de: ends after line 1, before "), std::string::npos);
}

TEST(Data, FormatsHaveNames) {
  EXPECT_EQ(data_format_named("conllu"), DataFormat::kConllu);
  EXPECT_STREQ(name_of(DataFormat::kParallel), "parallel");
  EXPECT_NE(refusal([] { data_format_named("xml"); }).find("known: auto, csv"), std::string::npos);
}

}  // namespace
}  // namespace polymath
