// Inputs that are no good, outputs that cannot be written, interruptions: one line that names what is wrong, no half-written file.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "support/program.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;
using test::run_program;
using test::scratch_path;

const std::string kGolden = std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/";
const std::string kNer = kGolden + "pipelines/ner-bert-cased";
const std::string kVocab = kGolden + "pipelines/qa-bert-vocab";  // vocab.txt, no tokenizer.json
const std::string kBase = kGolden + "forward/bert-Base";
const std::string kCase = kBase + "/case_0.in.safetensors";
const std::string kSentences = kGolden + "sentences/mean-normalize";

void expect_error(const test::ProgramResult& r, const std::string& mentions, const std::string& and_also = "") {
  EXPECT_EQ(r.exit_code, 1) << r.err;
  EXPECT_TRUE(r.err.starts_with("polymath: error: ")) << r.err;
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  EXPECT_NE(r.err.find(mentions), std::string::npos) << r.err;
  EXPECT_NE(r.err.find(and_also), std::string::npos) << r.err;
}

std::string written(const std::string& name, const std::string& content) {
  const std::string path = scratch_path(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// A new folder with the config of a checkpoint and nothing else.
std::string folder_with_config(const std::string& name) {
  const std::string folder = scratch_path(name);
  fs::create_directories(folder);
  fs::copy_file(kBase + "/config.json", folder + "/config.json", fs::copy_options::overwrite_existing);
  return folder;
}

TEST(Robust, EmptyAndBrokenInputsAreAnsweredOrRefused) {
  const std::string empty = written("empty", ""), zeros = written("zeros", std::string("a\0b\0\n\0\n", 7)), bad = written("bad", "\xff\xfe a \xc3\n\xed\xa0\x80\n");
  EXPECT_EQ(run_program({"tokenize", kNer, empty}).out, "");
  for (const std::string& file : {zeros, bad}) {
    const auto ids = run_program({"tokenize", kNer, file}), json = run_program({"tokenize", kNer, file, "--json"});
    EXPECT_EQ(ids.exit_code, 0) << ids.err;
    EXPECT_EQ(std::count(ids.out.begin(), ids.out.end(), '\n'), 2);
    EXPECT_EQ(std::count(json.out.begin(), json.out.end(), '\n'), 2);
    expect_error(run_program({"tokenize", kNer, file, "--json-in"}), file + " line 1", "not valid JSON");
    expect_error(run_program({"tokenize", kNer, file, "--decode"}), file + " line 1", "which is no token id");
    EXPECT_EQ(run_program({"search", "a", file, "--model", kSentences, "--no-cache"}).exit_code, 0);
    expect_error(run_program({"forward", kBase, file, "-o", scratch_path("out")}), file);
  }
  expect_error(run_program({"forward", kBase, empty, "-o", scratch_path("out")}), empty, "too short");
  expect_error(run_program({"bench", kSentences, "--lines", empty}), empty, "holds no lines");
  EXPECT_EQ(run_program({"run", "ner", "--model", kNer, "--lines"}, "").out, "");
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, ""), "body", "it ends too early");
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, std::string("{\"inputs\": \"a\0b\"}", 17)), "body", "not valid JSON");
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, "{\"inputs\": " + std::string(1 << 20, '[')), "body", "deeper than 64");
}

TEST(Robust, ALineKeepsItsPlaceWhereverItEnds) {
  // Around the size of the reader's buffer, with and without a line break at the end.
  for (const int length : {65534, 65535, 65536, 131071}) {
    const std::string line(static_cast<std::size_t>(length), 'a');
    const auto r = run_program({"tokenize", kNer}, line + "\nb\n\nc");
    EXPECT_EQ(std::count(r.out.begin(), r.out.end(), '\n'), 4) << length;
  }
}

TEST(Robust, WhatWasAnsweredBeforeAnErrorIsPrinted) {
  const auto r = run_program({"tokenize", kNer, "-", "--json-in"}, "\"a\"\n\"b\"\nc\n");
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(std::count(r.out.begin(), r.out.end(), '\n'), 2);
  EXPECT_NE(r.err.find("standard input line 3"), std::string::npos) << r.err;
}

TEST(Robust, FoldersPipesLinksAndDevicesAreNotWaitedFor) {
  expect_error(run_program({"tokenize", kNer, "/tmp"}), "/tmp", "is a folder");
  expect_error(run_program({"forward", kBase, "/tmp", "-o", scratch_path("out")}), "/tmp", "is a folder");
  expect_error(run_program({"bench", kSentences, "--lines", "/tmp"}), "/tmp", "is a folder");
  expect_error(run_program({"tokenize", "/no/such"}), "/no/such", "no such file");
  expect_error(run_program({"search", "a", "/no/such", "--model", kSentences}), "/no/such", "no such file");
  struct Kind {
    const char* name;
    std::function<void(const std::string&)> make;
    const char* says;
  };
  const Kind kinds[] = {
      {"pipe", [](const std::string& path) { ::mkfifo(path.c_str(), 0600); }, "is a pipe"},
      {"folder", [](const std::string& path) { fs::create_directory(path); }, "is a folder"},
      {"dangling", [](const std::string& path) { fs::create_symlink("nowhere", path); }, "is a link to a file that is not there"},
      {"loop", [](const std::string& path) { fs::create_symlink(fs::path(path).filename(), path); }, "symbolic links"},
      {"device", [](const std::string& path) { fs::create_symlink("/dev/zero", path); }, "is a device"},
  };
  for (const Kind& kind : kinds) {
    const std::string folder = folder_with_config(std::string("kind-") + kind.name);
    kind.make(folder + "/model.safetensors");
    expect_error(run_program({"info", folder}), folder + "/model.safetensors", kind.says);
    kind.make(folder + "/tokenizer.json");
    expect_error(run_program({"tokenize", folder}), folder + "/tokenizer.json", kind.says);
    fs::remove(folder + "/config.json");
    kind.make(folder + "/config.json");
    expect_error(run_program({"info", folder}), folder + "/config.json", kind.says);
  }
}

TEST(Robust, OutputThatCannotBeWrittenIsAnError) {
  const std::string out = written("kept", "old");
  expect_error(run_program({"forward", kBase, kCase, "-o", "/dev/full"}), "/dev/full", "No space left");
  expect_error(run_program({"forward", kBase, kCase, "-o", "/no/such/x"}), "/no/such/x", "its folder is not there");
  expect_error(run_program({"forward", kBase, kCase, "-o", "/tmp"}), "/tmp", "is a folder");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  EXPECT_EQ(run_program({"forward", kBase, kCase, "-o", "/dev/null"}).exit_code, 0);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  // A link stays one, and what it points to is replaced.
  fs::create_symlink("kept", scratch_path("link"));
  EXPECT_EQ(run_program({"forward", kBase, kCase, "-o", scratch_path("link")}).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(scratch_path("link")));
  EXPECT_NE(read_text_file(out), "old");
  const std::vector<std::vector<std::string>> calls = {{"info", kNer, "--json"},
                                                       {"run", "ner", "--model", kNer, "Ada"},
                                                       {"run", "ner", "--model", kNer, "--json", "Ada"},
                                                       {"tokenize", kNer, std::string(POLYMATH_SOURCE_DIR) + "/README.md", "--json"},
                                                       {"search", "a", out, "--model", kSentences, "--no-cache"}};
  for (const auto& call : calls) {
    const auto r = run_program(call, "", {}, "/dev/full");
    expect_error(r, "standard output: cannot be written");
  }
  EXPECT_EQ(run_program({"run", "ner", "--model", kNer, "--lines"}, "{\"inputs\": \"Ada\"}\n", {}, "/dev/full").exit_code, 1);
}

TEST(Robust, ACacheThatCannotBeKeptDoesNotKeepAnswersAway) {
  const std::string text = written("text.md", "# One\n\nAda met Charles.\n"), file = written("no-folder", "");
  const std::vector<std::string> call = {"search", "Ada", text, "--model", kSentences, "--json"};
  const auto expected = run_program(call, "", {"XDG_CACHE_HOME=" + scratch_path("cache")});
  ASSERT_EQ(expected.exit_code, 0) << expected.err;
  const auto r = run_program(call, "", {"XDG_CACHE_HOME=" + file});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.out, expected.out);
  EXPECT_TRUE(r.err.starts_with("polymath: note: embeddings are not kept: ")) << r.err;
  // A damaged cache file is not believed.
  for (const std::string& cached : files_below(scratch_path("cache"))) {
    std::string bytes = read_text_file(cached);
    std::fill(bytes.begin(), bytes.end(), '\x41');
    std::ofstream(cached, std::ios::binary) << bytes;
  }
  EXPECT_EQ(run_program(call, "", {"XDG_CACHE_HOME=" + scratch_path("cache")}).out, expected.out);
}

TEST(Robust, AnInterruptedForwardLeavesTheOldFileOrTheNew) {
  const std::string folder = scratch_path("interrupted"), out = folder + "/out.safetensors";
  fs::create_directories(folder);
  ASSERT_EQ(run_program({"forward", kBase, kCase, "-o", out}).exit_code, 0);
  const std::string expected = read_text_file(out);
  for (int i = 0; i < 40; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl(POLYMATH_PROGRAM, POLYMATH_PROGRAM, "forward", kBase.c_str(), kCase.c_str(), "-o", out.c_str(), nullptr);
      ::_exit(127);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200 * i));
    ::kill(child, SIGINT);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(read_text_file(out), expected);
  }
}

TEST(Robust, FoldersWithoutATokenizerJsonAreTokenizedToo) {
  const auto json = run_program({"tokenize", kVocab, "-", "--json"}, "who met Ada?\n");
  ASSERT_EQ(json.exit_code, 0) << json.err;
  const Json e = parse_json(json.out, "out");
  EXPECT_EQ(e["ids"].size(), e["tokens"].size());
  EXPECT_EQ(e["ids"].size(), e["offsets"].size());
  EXPECT_EQ(e["tokens"].front(), "[CLS]");
  const auto plain = run_program({"tokenize", kVocab}, "who met Ada?\n");
  std::string ids;
  for (const Json& id : e["ids"]) ids += (ids.empty() ? "" : " ") + std::to_string(id.get<int>());
  EXPECT_EQ(plain.out, ids + "\n");
  EXPECT_EQ(run_program({"tokenize", kVocab, "-", "--decode"}, ids + "\n").out, run_program({"tokenize", kVocab, "-", "--decode"}, "[" + ids + "]\n").out);
  for (const char* folder : {"fill-camembert-spm", "ner-deberta-spm", "sentiment-albert-spm"}) {
    const auto r = run_program({"tokenize", kGolden + "pipelines/" + folder, "-", "--json"}, "Ada\n");
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_TRUE(parse_json(r.out, "out").contains("offsets"));
  }
  // A class that exists in Python only has no offsets.
  const std::string marian = scratch_path("marian");
  fs::create_directories(marian);
  for (const char* name : {"source.spm", "target.spm"}) {
    fs::copy_file(kGolden + "pipelines/fill-camembert-spm/sentencepiece.bpe.model", marian + "/" + name, fs::copy_options::overwrite_existing);
  }
  std::ofstream(marian + "/tokenizer_config.json") << R"({"tokenizer_class": "MarianTokenizer"})";
  std::ofstream(marian + "/vocab.json") << R"({"<unk>": 0, "</s>": 1, "<pad>": 2, ">>fra<<": 3})";
  const auto r = run_program({"tokenize", marian, "-", "--json"}, ">>fra<< Ada\n");
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_FALSE(parse_json(r.out, "out").contains("offsets"));
  EXPECT_EQ(parse_json(r.out, "out")["tokens"].front(), ">>fra<<");
  EXPECT_EQ(run_program({"tokenize", marian, "-", "--decode", "--keep-special"}, "3 1\n").out, ">>fra<<</s>\n");
  fs::remove(marian + "/target.spm");
  expect_error(run_program({"tokenize", marian}), marian, "there is no target.spm");
}

}  // namespace
}  // namespace polymath
