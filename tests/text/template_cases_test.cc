// Replays tests/cases/templates: what jinja2 rendered, or that it refused. POLYMATH_TEMPLATE_CASES names one more file of such cases;
// recipes/text/compare_templates.py makes some at random.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/printable.h"
#include "polymath/error.h"
#include "text/chat_template.h"

namespace polymath {
namespace {

struct Outcome {
  std::string text;
  std::optional<Error> error;
};

Outcome outcome_of(const Json& record) {
  Outcome out;
  try {
    JinjaTemplate::Options options;
    if (record.contains("now")) options.civil_now = record["now"].get<std::int64_t>();
    if (record.contains("chat")) {
      const Json& chat = record["chat"];
      ChatTemplate named(record.value("special_tokens", Json::object()), "test");
      for (const auto& [name, source] : record["templates"].items()) named.add(name, source.get<std::string>(), name);
      ChatOptions chat_options{.add_generation_prompt = chat.value("add_generation_prompt", false),
                               .continue_final_message = chat.value("continue_final_message", false),
                               .chat_template = chat.value("chat_template", ""),
                               .limits = options};
      out.text = named.render(chat["messages"], chat.value("tools", Json()), chat.value("documents", Json()), record["variables"], chat_options);
    } else {
      out.text = JinjaTemplate(record["template"].get<std::string>(), "test").render(record["variables"], options);
    }
  } catch (const Error& e) {
    out.error = e;
  }
  return out;
}

// How many cases, and of them: how many the engine refuses because it says that it does not support them.
struct Count {
  int cases = 0, refused = 0;
};

Count replay(const std::string& path, bool may_refuse) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  Count count;
  int different = 0;
  for (std::string line; std::getline(file, line);) {
    const Json record = Json::parse(line);
    ++count.cases;
    const Outcome got = outcome_of(record);
    const bool refused = got.error && (got.error->code == ErrorCode::kUnsupported || got.error->code == ErrorCode::kResource);
    if (refused && !record.contains("error") && may_refuse) {
      ++count.refused;
      continue;
    }
    bool equal = record.contains("error") ? got.error.has_value() : !got.error && got.text == record["result"].get<std::string>();
    // A syntax error says the line that jinja2 says.
    if (equal && record.contains("line") && !refused) equal = got.error->where == "test line " + record["line"].dump();
    // What raise_exception says, and what is undefined, is told in jinja2's words.
    if (equal && record.contains("message") && !refused) equal = got.error->reason == printable(record["message"].get<std::string>(), 400);
    if (equal) continue;
    ADD_FAILURE() << dump_json(record) << "\n  here: " << (got.error ? got.error->what() : dump_json(Json(got.text)));
    if (++different >= 30) break;  // enough to read
  }
  return count;
}

class TemplateCases : public testing::TestWithParam<const char*> {};

TEST_P(TemplateCases, AreEqual) {
  EXPECT_GT(replay(std::string(POLYMATH_SOURCE_DIR) + "/tests/cases/templates/" + GetParam() + ".jsonl", false).cases, 40);
}

INSTANTIATE_TEST_SUITE_P(All, TemplateCases, testing::Values("statements", "expressions", "filters", "methods", "formats", "chats", "errors"),
                         [](const auto& info) { return std::string(info.param); });

TEST(MoreTemplateCases, AreEqual) {
  const char* path = std::getenv("POLYMATH_TEMPLATE_CASES");
  if (!path) GTEST_SKIP() << "POLYMATH_TEMPLATE_CASES names no file of cases";
  const Count count = replay(path, true);
  std::cout << count.cases << " cases, " << count.refused << " refused as not supported\n";
}

}  // namespace
}  // namespace polymath
