// Conversations: what is remembered, left out, taken back, saved, and refused.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "polymath/polymath.h"
#include "support/program.h"
#include "tasks/chat.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

const std::string kGolden = std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/";
const std::string kStories = kGolden + "stories260k", kChat = kGolden + "pipelines/write-qwen2";

std::string say(ChatSession& session, const std::string& text) {
  std::string all;
  session.ask(text);
  while (const auto piece = session.next()) all += *piece;
  return all;
}

ChatSession session_of(const std::string& folder, const Json& parameters) {
  ChatSession session(ChatModel::load(folder, LoadType::kAuto));
  session.set_parameters(parameters);
  return session;
}

const Json kShort = {{"max_new_tokens", 12}, {"do_sample", false}};

// A turn answers as text-generation does with the same messages, though most of it was read before.
TEST(Chat, AnswersAsThePipelineWithTheWholeConversation) {
  ChatSession session = session_of(kChat, kShort);
  session.set_system("Be brief.");
  const Pipeline pipeline = polymath::pipeline("text-generation", kChat);
  for (const char* text : {"Hello there", "Was it cold?", "北京"}) {
    Json messages = session.messages();
    messages.push_back({{"role", "user"}, {"content", text}});
    const Json body = {{"inputs", messages}, {"parameters", {{"max_new_tokens", 12}, {"do_sample", false}, {"return_full_text", false}, {"clean_up_tokenization_spaces", false}}}};
    const Json expected = parse_json(pipeline.run_json(body.dump()), "result");
    EXPECT_EQ(say(session, text), expected[0]["generated_text"].get<std::string>()) << text;
  }
  EXPECT_EQ(session.messages().size(), 7u);
  EXPECT_GT(session.figures().cached_tokens, 20);
  EXPECT_TRUE(session.undo());
  EXPECT_EQ(session.messages().size(), 5u);
}

TEST(Chat, LeavesTheOldestQuestionsOutWhereTheWindowIsFull) {
  ChatSession session = session_of(kChat, {{"max_new_tokens", 60}, {"do_sample", false}, {"eos_token_id", 520}});
  session.set_system("Be brief.");
  for (int i = 0; i < 6; ++i) say(session, "Tell me of the river and the bridge, number " + std::to_string(i));
  EXPECT_EQ(session.figures().window, 400);
  EXPECT_GT(session.figures().left_out, 0);
  EXPECT_LE(session.figures().prompt_tokens + 60, 400);
  EXPECT_EQ(session.messages().size(), 13u);  // all of it is remembered
  std::string huge;
  for (int i = 0; i < 400; ++i) huge += "words ";
  const Json before = session.messages();
  EXPECT_THROW(session.ask(huge), Error);
  EXPECT_EQ(session.messages(), before);
}

TEST(Chat, StopsAtAnyTokenAndRemembersWhatWasWritten) {
  ChatSession session = session_of(kStories, {{"max_new_tokens", 200}, {"do_sample", false}});
  session.ask("Once upon a time");
  std::string first = session.next().value();
  first += session.next().value();
  session.stop();
  EXPECT_FALSE(session.next());
  EXPECT_EQ(session.messages()[1]["content"], first);
}

TEST(Chat, SavedConversationsGoOnAsTheyWere) {
  const std::string file = (fs::temp_directory_path() / ("polymath_chat_" + std::to_string(getpid()) + ".json")).string();
  ChatSession session = session_of(kChat, {{"max_new_tokens", 12}, {"do_sample", true}, {"seed", 11}});
  say(session, "Hello");
  session.save(file);
  ChatSession other = session_of(kChat, kShort);
  other.load(file);
  EXPECT_EQ(other.messages(), session.messages());
  EXPECT_EQ(other.parameters(), session.parameters());
  other.set_parameters(kShort);
  session.set_parameters(kShort);
  EXPECT_EQ(say(other, "And then?"), say(session, "And then?"));
  fs::remove(file);
}

TEST(Chat, RefusesWhatIsNoConversation) {
  for (const char* text : {"", "[]", "{}", R"({"polymath_chat": 2, "messages": []})", R"({"polymath_chat": 1})", R"({"polymath_chat": 1, "messages": 3})",
                           R"({"polymath_chat": 1, "messages": [3]})", R"({"polymath_chat": 1, "messages": [{"role": "user"}]})",
                           R"({"polymath_chat": 1, "messages": [{"role": "king", "content": ""}]})", R"({"polymath_chat": 1, "messages": [{"role": "user", "content": 7}]})",
                           R"({"polymath_chat": 1, "messages": [{"role": "user", "content": ""}, {"role": "system", "content": ""}]})",
                           R"({"polymath_chat": 1, "messages": [], "parameters": []})"}) {
    EXPECT_THROW(ChatSession::parse_saved(text, "x.json"), Error) << text;
  }
  ChatSession session = session_of(kStories, kShort);
  for (const Json& wrong : {Json{{"temperature", "hot"}, {"do_sample", true}}, Json{{"num_beams", 4}}, Json{{"colour", 1}}, Json{{"num_return_sequences", 2}, {"do_sample", true}}}) {
    EXPECT_THROW(session.set_parameters(wrong), Error) << wrong.dump();
  }
  EXPECT_EQ(session.parameters(), kShort);
}

TEST(Chat, ThePublicClassStreamsAndRemembers) {
  Chat chat(kStories, {{"max_new_tokens", 20}, {"do_sample", false}});
  std::string all;
  for (const auto& piece : chat.stream("Once upon a time")) all += piece;
  EXPECT_TRUE(all.starts_with(", there was a little girl named Lily.")) << all;
  Chat branch = chat;
  const std::string more = branch(" Then");
  EXPECT_FALSE(more.empty());
  EXPECT_TRUE(branch.undo());
  EXPECT_EQ(branch(" Then"), more);
  EXPECT_EQ(chat(" Then"), more);
}

TEST(ChatProgram, TakesLinesAndCommands) {
  const auto run = test::run_program({"chat", kStories, "--set", "max_new_tokens=8", "--set", "do_sample=false"},
                                     "Once upon a time\n/tokens\n/undo\n/nothing\n/set temperature x\n");
  EXPECT_EQ(run.out, ", there was a little girl\n") << run.err;
  EXPECT_NE(run.err.find("of 512 tokens in 2 messages"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("there is no /nothing"), std::string::npos);
  EXPECT_EQ(test::run_program({"chat", kGolden + "pipelines/ner-bert-cased"}, "Hi\n").exit_code, 1);
  EXPECT_EQ(test::run_program({"chat", kStories, "--load", "/nowhere.json"}, "").exit_code, 1);
}

TEST(Summarization, LongTextsGoByParts) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "The council met on day " + std::to_string(i) + " and spoke of the bridge. ";
  const std::string model = kGolden + "pipelines/sum-bart";
  const Json refused = {{"inputs", text}, {"parameters", {{"max_new_tokens", 5}}}};
  EXPECT_EQ(test::run_program({"run", "summarization", "--model", model, "--json", "-"}, refused.dump()).exit_code, 1);
  const Json body = {{"inputs", text}, {"parameters", {{"max_new_tokens", 5}, {"long", "chunk"}}}};
  const auto run = test::run_program({"run", "summarization", "--model", model, "--json", "-"}, body.dump());
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Json result = parse_json(run.out, "result");
  EXPECT_GE(result[0]["parts"].get<int>(), 4);
  EXPECT_FALSE(result[0]["summary_text"].get<std::string>().empty());
}

}  // namespace
}  // namespace polymath
