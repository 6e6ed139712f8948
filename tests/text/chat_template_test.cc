// Where chat templates come from, and the limits of rendering.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "polymath/error.h"
#include "support/program.h"
#include "text/chat_template.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

const Json kMessages = Json::parse(R"([{"role": "user", "content": "Hi"}])");

class Folder {
 public:
  explicit Folder(const std::string& name) : path(test::scratch_path("chat-" + name)) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  void write(const std::string& name, const std::string& content) {
    fs::create_directories(fs::path(path + "/" + name).parent_path());
    std::ofstream(path + "/" + name) << content;
  }
  const std::string path;
};

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

ErrorCode code_of(const std::string& source, JinjaTemplate::Options options = {}) {
  try {
    JinjaTemplate(source, "t").render(Json::object(), options);
  } catch (const Error& e) {
    return e.code;
  }
  ADD_FAILURE() << "renders: " << source.substr(0, 100);
  return ErrorCode::kIo;
}

TEST(ChatTemplate, FilesBeatTheConfig) {
  Folder folder("files");
  folder.write("tokenizer_config.json", R"({"chat_template": "config"})");
  EXPECT_EQ(ChatTemplate::load(folder.path).render(kMessages), "config");
  folder.write("chat_template.jinja", "file\n");
  EXPECT_EQ(ChatTemplate::load(folder.path).render(kMessages), "file");
  folder.write("additional_chat_templates/tool_use.jinja", "tools");
  folder.write("additional_chat_templates/rag.jinja", "rag");
  folder.write("additional_chat_templates/note.txt", "{% not a template");
  const ChatTemplate chat = ChatTemplate::load(folder.path);
  EXPECT_EQ(chat.names(), (std::vector<std::string>{"default", "rag", "tool_use"}));
  EXPECT_EQ(chat.render(kMessages), "file");
  EXPECT_EQ(chat.render(kMessages, Json::array()), "tools");
  EXPECT_EQ(chat.render(kMessages, nullptr, nullptr, Json::object(), {.chat_template = "rag"}), "rag");
  fs::remove(folder.path + "/chat_template.jinja");
  EXPECT_NE(message_of([&] { ChatTemplate::load(folder.path).render(kMessages); }).find("rag, tool_use"), std::string::npos);
}

TEST(ChatTemplate, TheConfigMayNameSeveral) {
  Folder folder("several");
  folder.write("tokenizer_config.json", R"({"chat_template": [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]})");
  EXPECT_EQ(ChatTemplate::load(folder.path).render(kMessages, Json::parse("[{}]")), "b");
  folder.write("tokenizer_config.json", R"({"chat_template": {"default": "c", "broken": "{% if %}"}})");
  const ChatTemplate chat = ChatTemplate::load(folder.path);
  EXPECT_EQ(chat.render(kMessages), "c");
  EXPECT_NE(message_of([&] { chat.render(kMessages, nullptr, nullptr, Json::object(), {.chat_template = "broken"}); }).find("chat_template.broken line 1"), std::string::npos);
  folder.write("tokenizer_config.json", R"({"chat_template": [{"name": "default"}]})");
  EXPECT_NE(message_of([&] { ChatTemplate::load(folder.path); }).find("name and template"), std::string::npos);
  folder.write("tokenizer_config.json", R"({"chat_template": null})");
  EXPECT_NE(message_of([&] { ChatTemplate::load(folder.path); }).find("no chat template"), std::string::npos);
}

TEST(ChatTemplate, SpecialTokensAreVariables) {
  Folder folder("tokens");
  folder.write("chat_template.jinja", "{{ bos_token }}|{{ eos_token }}|{{ pad_token }}|{{ additional_special_tokens }}|{{ image_token }}|{{ sep_token is defined }}");
  folder.write("tokenizer_config.json", R"({"bos_token": {"content": "<b>"}, "eos_token": "<e>", "pad_token": null, "additional_special_tokens": ["x", {"content": "y"}],
      "extra_special_tokens": {"image_token": "<img>"}})");
  EXPECT_EQ(ChatTemplate::load(folder.path).render(kMessages), "<b>|<e>||['x', 'y']|<img>|False");
  folder.write("special_tokens_map.json", R"({"eos_token": "<map>"})");  // counts where the config lists no added tokens
  EXPECT_EQ(ChatTemplate::load(folder.path).render(kMessages, nullptr, nullptr, Json::parse(R"({"bos_token": "mine"})")), "mine|<map>||['x', 'y']|<img>|False");
}

TEST(ChatTemplate, ContinuesTheLastMessage) {
  ChatTemplate chat(Json::object(), "test");
  chat.add("default", "{% for m in messages %}<{{ m.content }}>{% endfor %}", "test");
  const ChatOptions on{.continue_final_message = true};
  EXPECT_EQ(chat.render(Json::parse(R"([{"content": "a"}, {"content": "b "}])"), nullptr, nullptr, Json::object(), on), "<a><b ");
  EXPECT_NE(message_of([&] { chat.render(Json::parse(R"([{"content": 5}])"), nullptr, nullptr, Json::object(), on); }).find("messages"), std::string::npos);
  EXPECT_NE(message_of([&] { chat.render(kMessages, nullptr, nullptr, Json::object(), {.add_generation_prompt = true, .continue_final_message = true}); }).find("not compatible"),
            std::string::npos);
}

TEST(JinjaTemplate, StopsAtItsLimits) {
  EXPECT_EQ(code_of("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{% macro m(x) %}{{ m(x + 1) }}{% endmacro %}{{ m(0) }}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{{ 'x' * 99999999999 }}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{{ [0] * 99999999 }}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{% for a in range(9999) %}{{ 'x' * 99999 }}{% endfor %}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{% set ns = namespace(l=[]) %}{% for a in range(9999) %}{% set ns.l = ns.l + ['x' * 9999999] %}{% endfor %}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{% set ns = namespace(l=[]) %}{% for a in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{% set ns = namespace(g='a') %}{% for a in range(9999) %}{% set ns.g = ns.g|map('upper') %}{% endfor %}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{% set ns = namespace(a=[1], b=[1]) %}{% for a in range(90) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}"),
            ErrorCode::kResource);
  EXPECT_EQ(code_of("{% set ns = namespace(d=1) %}{% for a in range(90) %}{% set ns.d = (ns.d, ns.d) %}{% endfor %}{{ {ns.d: 1} }}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{% set ns = namespace(d=1) %}{% for a in range(90) %}{% set ns.d = (ns.d, ns.d) %}{% endfor %}{{ {1: 1}[ns.d] }}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{{ '%999999d' % 1 ~ '%9999999d' % 1 }}"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of("{{ 'a'.replace('', 'x' * 9999999)|length ~ ('ab' * 99).replace('', 'x' * 9999999) }}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{{ []|slice(99999999999)|list }}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{{ " + std::string(300, '(') + "1" + std::string(300, ')') + " }}"), ErrorCode::kResource);
  EXPECT_EQ(code_of("{{ 1" + [] { std::string s; for (int i = 0; i < 300; ++i) s += " + 1"; return s; }() + " }}"), ErrorCode::kResource);
  EXPECT_EQ(code_of(std::string(JinjaTemplate::kMostBytes + 1, 'x')), ErrorCode::kResource);
  EXPECT_EQ(code_of("\xFF"), ErrorCode::kBadFile);
  EXPECT_EQ(code_of("{{ 9223372036854775807 + 1 }}"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("{{ 2 ** 63 }}"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("{{ (-8) ** 0.5 }}"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("{{ [1, 2]|random }}"), ErrorCode::kUnsupported);
  JinjaTemplate::Options options;
  options.limits.steps = 10;
  EXPECT_EQ(code_of("{% for a in range(20) %}{% endfor %}", options), ErrorCode::kResource);
  EXPECT_EQ(JinjaTemplate("{% for a in range(3) %}{% endfor %}x", "t").render(Json::object(), options), "x");
  options.limits.output = 3;
  EXPECT_EQ(JinjaTemplate("abc", "t").render(Json::object(), options), "abc");
  EXPECT_EQ(code_of("abcd", options), ErrorCode::kResource);
}

TEST(JinjaTemplate, WhatHoldsItselfIsFreed) {  // the sanitizer build sees what is not
  EXPECT_EQ(JinjaTemplate("{% set n = namespace() %}{% set n.n = n %}{% set n.l = [n] %}{{ n }}", "t").render(Json::object()), "<Namespace {'n': <Namespace {...}>, 'l': [<Namespace {...}>]}>");
  EXPECT_EQ(JinjaTemplate("{% macro m() %}{% macro i() %}{{ m }}{% endmacro %}{{ i() }}{% endmacro %}{{ m() }}", "t").render(Json::object()), "<Macro 'm'>");
  EXPECT_EQ(JinjaTemplate("{% set n = namespace() %}{% for x in [1, 2] if x %}{% set n.l = loop %}{{ loop.changed(loop) }}{% endfor %}{{ n.l.index }}", "t").render(Json::object()), "TrueFalse2");
  EXPECT_THROW(JinjaTemplate("{% for x in [1, 2] if x %}{% set l = loop %}{{ x.y.z }}{% endfor %}", "t").render(Json::object()), Error);
}

TEST(JinjaTemplate, RendersOnManyThreads) {
  const JinjaTemplate shared("{% set ns = namespace(n=0) %}{% for x in range(n) if x is odd %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}", "t");
  std::vector<std::string> out(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < out.size(); ++i) threads.emplace_back([&, i] { out[i] = shared.render(Json{{"n", 1000 + i % 2}}); });
  for (std::thread& t : threads) t.join();
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], "250000");
}

}  // namespace
}  // namespace polymath
