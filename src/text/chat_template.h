// Conversations to the text that a chat model reads, as Transformers 4.57.6's apply_chat_template(tokenize=False) does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/jinja_template.h"

namespace polymath {

struct ChatOptions {
  bool add_generation_prompt = false;   // end with the header of the next answer
  bool continue_final_message = false;  // end inside of the last message, for the model to go on with it
  std::string chat_template;            // a name, or a template itself; empty: "tool_use" where tools are given and there is one, else "default"
  JinjaTemplate::Options limits;
};

class ChatTemplate {
 public:
  // A checkpoint's folder: chat_template.jinja and additional_chat_templates/*.jinja, else chat_template of tokenizer_config.json (a
  // text, or several with names), with the folder's special tokens; or one file of any other kind, as a template without special
  // tokens. Throws Error{kNotFound} where there is no template, Error{kBadFile} for a file that is wrong; a template's own syntax
  // errors show when it is asked for.
  static ChatTemplate load(const std::string& path);

  // `special_tokens`: an object of variables that every rendering sees.
  explicit ChatTemplate(Json special_tokens, std::string where) : special_tokens_(std::move(special_tokens)), where_(std::move(where)) {}
  void add(std::string name, std::string_view source, const std::string& where);

  // `messages`: a list of objects; `tools` and `documents`: a list of objects, or null; `variables`: an object of further names, which
  // go before the special tokens. Throws Error as JinjaTemplate::render; Error{kInvalidArgument} for what Transformers refuses.
  // Const use from many threads is safe.
  std::string render(const Json& messages, const Json& tools = nullptr, const Json& documents = nullptr, const Json& variables = Json::object(),
                     const ChatOptions& options = {}) const;

  std::vector<std::string> names() const;
  const Json& special_tokens() const { return special_tokens_; }

 private:
  struct Named {
    std::string name;
    std::optional<JinjaTemplate> parsed;
    std::optional<Error> wrong;  // why there is no `parsed`
  };
  const Named* find(const std::string& name) const;
  const JinjaTemplate& choose(const Json& tools, const ChatOptions& options, std::optional<JinjaTemplate>& given) const;

  std::vector<Named> templates_;
  Json special_tokens_;
  std::string where_;
};

}  // namespace polymath
