// polymath template: a conversation to the text that a chat model reads.
#include <algorithm>
#include <array>
#include <iostream>
#include <memory>
#include <string>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/streams.h"
#include "polymath/error.h"
#include "text/chat_template.h"

namespace polymath::cli {
namespace {

struct TemplateOptions {
  std::string folder, input = "-";
};

// What apply_chat_template takes for itself: no template sees it, and it says nothing about the text.
constexpr auto kNotForText = std::to_array<std::string_view>({"padding", "truncation", "max_length", "return_tensors", "return_dict", "tokenizer_kwargs", "return_assistant_tokens_mask"});

int render(const TemplateOptions& o) {
  const ChatTemplate chat = ChatTemplate::load(o.folder);
  Json body = parse_json(read_standard_input(), "standard input");
  if (!body.is_object()) throw Error(ErrorCode::kInvalidArgument, std::string("must be an object, not ") + json_kind(body), "standard input");
  const auto take = [&](const char* name) {
    const auto found = body.find(name);
    if (found == body.end()) return Json(nullptr);
    Json value = std::move(*found);
    body.erase(found);
    return value;
  };
  const auto flag = [&](const char* name) {
    const Json value = take(name);
    if (value.is_null()) return false;
    if (!value.is_boolean()) throw Error(ErrorCode::kInvalidArgument, std::string("must be true or false, not ") + json_kind(value), name);
    return value.get<bool>();
  };
  if (!body.contains("messages")) throw Error(ErrorCode::kInvalidArgument, "is missing in the body on standard input", "messages");
  const Json messages = take("messages"), tools = take("tools"), documents = take("documents"), named = take("chat_template");
  ChatOptions options;
  options.add_generation_prompt = flag("add_generation_prompt");
  options.continue_final_message = flag("continue_final_message");
  if (!named.is_null()) {
    if (!named.is_string()) throw Error(ErrorCode::kInvalidArgument, std::string("must be a template or a template's name, not ") + json_kind(named), "chat_template");
    options.chat_template = named.get<std::string>();
  }
  if (flag("tokenize")) throw Error(ErrorCode::kInvalidArgument, "the result is text; `polymath tokenize` makes ids of it", "tokenize");
  for (const auto& [name, value] : body.items()) {
    if (std::find(kNotForText.begin(), kNotForText.end(), name) != kNotForText.end()) throw Error(ErrorCode::kInvalidArgument, "says how to tokenize, and the result is text", name);
  }
  std::cout << chat.render(messages, tools, documents, body, options);
  flush_output();
  return 0;
}

}  // namespace

void add_template(CLI::App& app, Common& common, Action& action) {
  auto options = std::make_shared<TemplateOptions>();
  CLI::App* verb = app.add_subcommand("template", "A conversation to the text that a chat model reads.");
  add_model(*verb, "DIR", options->folder, "a folder with a chat template, or a file NAME.jinja")->required();
  verb->add_option("INPUT", options->input, "- or nothing: JSON on standard input, {\"messages\": [...], \"tools\": [...], \"documents\": [...],\n"
                                            "\"add_generation_prompt\": true, \"continue_final_message\": false, \"chat_template\": \"NAME\"} and any variables")
      ->check(CLI::IsMember({"-"}));
  verb->footer("Examples:\n"
               "  echo '{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"add_generation_prompt\": true}' | polymath template path/to/checkpoint -");
  add_common(*verb, common);
  verb->callback([options, &action] { action = [options] { return render(*options); }; });
}

}  // namespace polymath::cli
