// The command line's contract: exit codes, one clear line per error, JSON and nothing else with --json.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "support/program.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;
using test::run_program;

const std::string kGolden = std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/";
const std::string kNer = kGolden + "pipelines/ner-bert-cased";

// One line on standard error, "polymath: error: ...", nothing on standard output, this exit code.
void expect_error(const test::ProgramResult& r, const std::string& mentions, int code = 1) {
  EXPECT_EQ(r.exit_code, code) << r.err;
  EXPECT_EQ(r.out, "");
  EXPECT_TRUE(r.err.starts_with("polymath: error: ")) << r.err;
  if (code == 1) {
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  }
  EXPECT_NE(r.err.find(mentions), std::string::npos) << r.err;
}

TEST(Cli, HelpTeachesAndUsageErrorsExitTwo) {
  const auto help = run_program({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* verb : {"run", "forward", "search", "info", "bench", "tokenize", "template"}) EXPECT_NE(help.out.find(verb), std::string::npos) << verb;
  EXPECT_NE(run_program({"run", "--help"}).out.find("question-answering"), std::string::npos);
  EXPECT_EQ(run_program({"--version"}).exit_code, 0);
  expect_error(run_program({}), "", 2);
  expect_error(run_program({"walk"}), "\"walk\" is not a command", 2);
  expect_error(run_program({"run"}), "TASK", 2);
  expect_error(run_program({"run", "ner", "--model", kNer, "--threads", "0", "x"}), "threads", 2);
  expect_error(run_program({"run", "ner", "--model", kNer, "--dtype", "f8", "x"}), "dtype", 2);
  expect_error(run_program({"forward", kNer}), "", 2);
}

TEST(Cli, ErrorsNameWhatIsWrong) {
  expect_error(run_program({"run", "juggling", "--model", kNer, "x"}), "fill-mask");
  expect_error(run_program({"run", "translation", "x"}), "--model");
  expect_error(run_program({"run", "ner", "--model", "/no/such/folder", "x"}), "/no/such/folder");
  expect_error(run_program({"run", "fill-mask", "--model", kNer, "x [MASK]"}), "BertForTokenClassification");
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, "not json"), "body");
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, "{}"), "inputs");
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, "[1]"), "body");
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, R"({"inputs": "x", "colour": 1})"), "colour");
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, R"({"inputs": "x", "parameters": {"colour": 1}})"), "colour");
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, R"({"inputs": 5})"), "inputs");
  expect_error(run_program({"info", "/no/such/folder"}), "/no/such/folder");
  expect_error(run_program({"forward", kGolden + "forward/bert-Base", "/no/in.safetensors", "-o", "/tmp/x"}), "/no/in.safetensors");
}

TEST(Cli, TakesShippedModelsByNameAndByTask) {
  const std::string folder = test::scratch_path("models");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::vector<std::string> here = {"POLYMATH_MODELS=" + folder};
  expect_error(run_program({"run", "ner", "--model", "my-tagger", "Ada"}, "", here), "my-tagger");
  std::filesystem::create_directory_symlink(kNer, folder + "/my-tagger");
  std::filesystem::create_directory_symlink(kNer, folder + "/minilm-ner");
  const auto expected = run_program({"run", "ner", "--model", kNer, "Ada met Charles.", "--json"});
  ASSERT_EQ(expected.exit_code, 0);
  EXPECT_EQ(run_program({"run", "ner", "--model", "my-tagger", "Ada met Charles.", "--json"}, "", here).out, expected.out);
  EXPECT_EQ(run_program({"run", "ner", "Ada met Charles.", "--json"}, "", here).out, expected.out);
  const auto list = run_program({"models"}, "", here);
  EXPECT_NE(list.out.find("my-tagger"), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("default of token-classification"), std::string::npos) << list.out;
  EXPECT_EQ(Json::parse(run_program({"models", "--json"}, "", here).out).is_array(), true);
}

TEST(Cli, ForwardAsksForTheTargetThatAClassDoesNotDerive) {
  const auto forward = [](const std::string& checkpoint, const std::string& in) {
    return run_program({"forward", kGolden + "forward/" + checkpoint, kGolden + "forward/" + in + "/case_0.in.safetensors", "-o", test::scratch_path("out")});
  };
  EXPECT_EQ(forward("bart-Base", "bert-Base").exit_code, 0);
  for (const char* name : {"marian-Base", "m2m_100-Base", "pegasus-Base", "t5-Base", "t5-ConditionalGeneration"}) {
    expect_error(forward(name, "bert-Base"), "decoder_input_ids");
  }
  expect_error(forward("bart-SequenceClassification", "bart-Base"), "eos token 2");
}

TEST(Cli, TemplateRendersAConversation) {
  const std::string folder = test::scratch_path("template");
  fs::create_directories(folder);
  std::ofstream(folder + "/tokenizer_config.json") << R"({"bos_token": {"content": "<s>", "__type": "AddedToken"}, "chat_template": "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}>{{ mood }}{% endif %}"})";
  const std::string hello = R"({"messages": [{"role": "user", "content": "Žluť 😀\n"}])";
  const auto r = run_program({"template", folder, "-"}, hello + "}");
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.out, "<s>[user]Žluť 😀\n");
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(run_program({"template", folder}, hello + R"(, "add_generation_prompt": true, "mood": 7, "bos_token": ""})").out, "[user]Žluť 😀\n>7");
  EXPECT_EQ(run_program({"template", folder, "-"}, hello + R"(, "continue_final_message": true})").out, "<s>[user]Žluť 😀\n");
  EXPECT_EQ(run_program({"template", folder, "-"}, hello + R"(, "chat_template": "{{ messages|length }}", "tokenize": false})").out, "1");
  const std::string file = folder + "/own.jinja";
  std::ofstream(file) << "a\n{{ messages[0].content }}{{ bos_token }}\n{% if tools %}{{ raise_exception('no tools here') }}{% endif %}";
  EXPECT_EQ(run_program({"template", file, "-"}, hello + "}").out, "a\nŽluť 😀\n\n");
  expect_error(run_program({"template", file, "-"}, hello + R"(, "tools": [{}]})"), "own.jinja line 3: no tools here");
  std::ofstream(file) << "a\n{% for x in y %}\n{% endif %}";
  expect_error(run_program({"template", file, "-"}, hello + "}"), "own.jinja line 3: Encountered unknown tag 'endif'.");
}

TEST(Cli, TemplateSaysWhatIsWrong) {
  const std::string folder = test::scratch_path("template-errors");
  fs::create_directories(folder);
  expect_error(run_program({"template", "/no/such/folder", "-"}, "{}"), "/no/such/folder");
  expect_error(run_program({"template", folder, "-"}, "{}"), "no chat template");
  expect_error(run_program({"template", kNer, "-"}, R"({"messages": []})"), "no chat template");
  std::ofstream(folder + "/chat_template.jinja") << "{% for m in messages %}{{ m.content.x.y }}{% endfor %}";
  expect_error(run_program({"template", folder, "-"}, "nope"), "standard input");
  expect_error(run_program({"template", folder, "-"}, "[]"), "standard input");
  expect_error(run_program({"template", folder, "-"}, "{}"), "messages");
  expect_error(run_program({"template", folder, "-"}, R"({"messages": []})"), "messages");
  expect_error(run_program({"template", folder, "-"}, R"({"messages": "hi"})"), "messages");
  expect_error(run_program({"template", folder, "-"}, R"({"messages": [{"content": "x"}], "tools": {}})"), "tools");
  expect_error(run_program({"template", folder, "-"}, R"({"messages": [{"content": "x"}], "add_generation_prompt": 1})"), "add_generation_prompt");
  expect_error(run_program({"template", folder, "-"}, R"({"messages": [{"content": "x"}], "chat_template": 1})"), "chat_template");
  expect_error(run_program({"template", folder, "-"}, R"({"messages": [{"content": "x"}], "tokenize": true})"), "tokenize");
  expect_error(run_program({"template", folder, "-"}, R"({"messages": [{"content": "x"}], "padding": true})"), "padding");
  expect_error(run_program({"template", folder, "-"}, R"({"messages": [{"content": "x"}]})"), "chat_template.jinja line 1: 'str object' has no attribute 'x'");
  expect_error(run_program({"template", folder, "x"}, "{}"), "x", 2);
  std::ofstream(folder + "/tokenizer_config.json") << R"({"chat_template": 5})";
  fs::remove(folder + "/chat_template.jinja");
  expect_error(run_program({"template", folder, "-"}, "{}"), "chat_template: must be a text");
}

TEST(Cli, UnknownArchitecturesListTheKnown) {
  const std::string folder = test::scratch_path("unknown");
  fs::create_directories(folder);
  std::ofstream(folder + "/config.json") << R"({"model_type": "retnet", "architectures": ["RetNetModel"]})";
  expect_error(run_program({"info", folder}), "deberta-v2");
  std::ofstream(folder + "/config.json") << R"({"model_type": "bert", "architectures": ["BertForJuggling"]})";
  expect_error(run_program({"info", folder}), "BertForJuggling");
}

TEST(Cli, ABodyGivesJsonAndNothingElse) {
  const auto r = run_program({"run", "ner", "--model", kNer, "--json", "-"}, R"({"inputs": "Ada met Charles in London."})");
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.err, "");
  EXPECT_TRUE(parse_json(r.out, "out").is_array());
  const auto by_flags = run_program({"run", "ner", "--model", kNer, "--json", "Ada met Charles in London.", "--aggregation_strategy", "simple"});
  const auto by_body = run_program({"run", "ner", "--model", kNer, "--json", "-"},
                                   R"({"inputs": "Ada met Charles in London.", "parameters": {"aggregation_strategy": "simple"}})");
  EXPECT_EQ(by_flags.out, by_body.out);
  EXPECT_NE(by_flags.out, r.out);
}

TEST(Cli, ABadLineDoesNotStopTheOthers) {
  const auto r = run_program({"run", "ner", "--model", kNer, "--lines"}, "{\"inputs\": \"Ada\"}\nnonsense\n{\"inputs\": 5}\n{\"inputs\": \"Ada\"}\n");
  EXPECT_EQ(r.exit_code, 1);
  std::istringstream lines(r.out);
  std::vector<Json> results;
  for (std::string line; std::getline(lines, line);) results.push_back(parse_json(line, "line"));
  ASSERT_EQ(results.size(), 4u);
  EXPECT_TRUE(results[0].is_array());
  EXPECT_TRUE(results[1].contains("error"));
  EXPECT_TRUE(results[2].contains("error"));
  EXPECT_EQ(results[0], results[3]);
}

TEST(Cli, ThreadsAndInstructionSetsDoNotChangeAnAnswer) {
  const std::vector<std::string> call = {"run", "ner", "--model", kNer, "--json", "Ada met Charles in London."};
  const auto expected = run_program(call).out;
  for (const char* threads : {"1", "2", "3", "4"}) {
    auto with = call;
    with.insert(with.end(), {"--threads", threads});
    EXPECT_EQ(run_program(with).out, expected);
  }
  for (const char* isa : {"portable", "avx2", "avx512"}) EXPECT_EQ(run_program(call, "", {std::string("POLYMATH_ISA=") + isa}).out, expected) << isa;
}

TEST(Cli, HugeAndBrokenTextsAreAnsweredOrRefused) {
  std::string huge = "{\"inputs\": \"";
  while (huge.size() < (std::size_t{50} << 20)) huge += "Ada met Charles in London. ";
  huge += "\"}";
  const auto r = run_program({"run", "ner", "--model", kNer, "--json", "-"}, huge);  // cut at model_max_length, as there
  EXPECT_EQ(r.exit_code, 0) << r.err.substr(0, 300);
  expect_error(run_program({"run", "ner", "--model", kNer, "--json", "-"}, "{\"inputs\": \"\xff\xfe\"}"), "body");
  EXPECT_EQ(run_program({"run", "ner", "--model", kNer, "--json", "\xff\xfe"}).exit_code, 0);
  EXPECT_EQ(run_program({"run", "ner", "--model", kNer, "--json", "-"}, R"({"inputs": "a\u0000b"})").exit_code, 0);
}

TEST(Cli, InfoAndBenchGiveJson) {
  const auto info = run_program({"info", kNer, "--json"});
  ASSERT_EQ(info.exit_code, 0) << info.err;
  const Json i = parse_json(info.out, "info");
  EXPECT_EQ(i["model_type"], "bert");
  EXPECT_GT(i["parameters"].get<std::int64_t>(), 0);
  EXPECT_EQ(run_program({"bench", kGolden + "forward/t5-Base", "--length", "8", "--repeat", "1"}).exit_code, 0);
  const auto bench = run_program({"bench", kGolden + "forward/bert-Base", "--length", "8", "--repeat", "1", "--json"});
  ASSERT_EQ(bench.exit_code, 0) << bench.err;
  const Json b = parse_json(bench.out, "bench");
  for (const char* field : {"forward_ms", "prompt_tokens_per_s", "load_ms", "peak_rss_mb", "fma_gflops", "read_gb_per_s", "fraction_of_limit"}) {
    EXPECT_TRUE(b.contains(field) && b[field].get<double>() > 0) << field;
  }
}

}  // namespace
}  // namespace polymath
