#include "text/chat_template.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/printable.h"
#include "formats/tokenizer_json.h"
#include "text/pretrained_tokenizer.h"
#include "text/python_text.h"

namespace polymath {
namespace {

constexpr std::string_view kContinueTag = "CONTINUE_FINAL_MESSAGE_TAG ";

[[noreturn]] void refuse(const std::string& reason, const std::string& where) { throw Error(ErrorCode::kInvalidArgument, reason, where); }

Json special_tokens_of(const SpecialTokens& special, const Json& config, const std::string& config_path) {
  Json out = Json::object();
  const std::pair<const char*, const std::optional<std::string>*> kTokens[] = {
      {"bos_token", &special.bos_token}, {"eos_token", &special.eos_token}, {"unk_token", &special.unk_token}, {"sep_token", &special.sep_token},
      {"pad_token", &special.pad_token}, {"cls_token", &special.cls_token}, {"mask_token", &special.mask_token}};
  for (const auto& [name, token] : kTokens) {
    if (*token && !(*token)->empty()) out[name] = **token;
  }
  if (!special.additional_special_tokens.empty()) out["additional_special_tokens"] = special.additional_special_tokens;
  // Names of a model's own.
  if (const auto extra = config.find("extra_special_tokens"); extra != config.end() && extra->is_object()) {
    for (const auto& [name, token] : extra->items()) {
      const Json& content = token.is_object() && token.contains("content") ? token["content"] : token;
      if (!content.is_string()) throw Error(ErrorCode::kBadFile, std::string("must be a token, not ") + json_kind(token), config_path + ": extra_special_tokens." + name);
      if (!content.get_ref<const std::string&>().empty()) out[name] = content;
    }
  }
  return out;
}

// The conversation whose last text ends with the tag; `last` is that text without it.
Json with_tag(Json messages, std::string& last) {
  Json& message = messages.back();
  if (!message.is_object() || !message.contains("content")) refuse("the last message has no content to continue", "messages");
  Json* text = &message["content"];
  if (text->is_array()) {
    Json* found = nullptr;
    for (auto block = text->rbegin(); !found && block != text->rend(); ++block) {
      if (block->is_object() && block->contains("text")) found = &(*block)["text"];
    }
    if (!found) refuse("continue_final_message is set but we could not find any text to continue in the final message!", "messages");
    text = found;
  }
  if (!text->is_string()) refuse(std::string("the last message's content is ") + json_kind(*text) + ", which cannot be continued", "messages");
  last = text->get<std::string>();
  *text = last + std::string(kContinueTag);
  return messages;
}

std::string cut_at_tag(std::string text, const std::string& last) {
  const std::string_view tag = python::strip(kContinueTag);
  const std::size_t at = text.rfind(tag);
  if (at == std::string::npos || python::find(text, python::strip(last)) == std::string::npos) {
    refuse("continue_final_message is set but the final message does not appear in the chat after applying the chat template! This can happen if "
           "the chat template deletes portions of the final message. Please verify the chat template and final message in your chat to ensure "
           "they are compatible.",
           "messages");
  }
  const bool keeps_spaces = std::string_view(text).substr(at).starts_with(kContinueTag);
  text.resize(at);
  return keeps_spaces ? text : std::string(python::strip(text, std::nullopt, python::Ends::kRight));
}

void check_objects(const Json& list, const char* name) {
  if (list.is_null()) return;
  if (!list.is_array()) refuse(std::string("must be a list or null, not ") + json_kind(list), name);
  for (const Json& item : list) {
    if (!item.is_object()) refuse(std::string("must hold objects, not ") + json_kind(item), name);
  }
}

}  // namespace

ChatTemplate ChatTemplate::load(const std::string& path) {
  if (!directory_exists(path)) {
    ChatTemplate alone(Json::object(), path);
    alone.add("default", read_text_file(path, JinjaTemplate::kMostBytes + 1), path);
    return alone;
  }
  const std::string config_path = join_path(path, "tokenizer_config.json"), file = join_path(path, "chat_template.jinja"),
                    more = join_path(path, "additional_chat_templates");
  const TokenizerSettings settings = read_tokenizer_settings(path);
  ChatTemplate out(special_tokens_of(settings.special, settings.tokenizer_config, config_path), path);
  if (file_exists(file)) out.add("default", read_text_file(file, JinjaTemplate::kMostBytes + 1), file);
  if (directory_exists(more)) {
    std::vector<std::string> names;
    std::error_code wrong;
    for (const auto& entry : std::filesystem::directory_iterator(more, wrong)) names.push_back(entry.path().filename().string());
    if (wrong) throw Error(ErrorCode::kIo, "cannot be listed: " + wrong.message(), more);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      const std::string one = join_path(more, name);
      if (name.ends_with(".jinja")) out.add(name.substr(0, name.size() - 6), read_text_file(one, JinjaTemplate::kMostBytes + 1), one);
    }
  }
  if (!out.templates_.empty()) return out;

  const auto given = settings.tokenizer_config.find("chat_template");
  if (given == settings.tokenizer_config.end() || given->is_null()) {
    throw Error(ErrorCode::kNotFound, "holds no chat template (chat_template.jinja, or chat_template in tokenizer_config.json)", path);
  }
  const std::string where = config_path + ": chat_template";
  const auto text_of = [&](const Json& value, const std::string& at) {
    if (!value.is_string()) throw Error(ErrorCode::kBadFile, std::string("must be a text, not ") + json_kind(value), at);
    return value.get<std::string>();
  };
  if (given->is_object()) {
    for (const auto& [name, source] : given->items()) out.add(name, text_of(source, where + "." + name), where + "." + name);
  } else if (given->is_array()) {
    for (const Json& item : *given) {
      if (!item.is_object() || !item.contains("name") || !item.contains("template")) throw Error(ErrorCode::kBadFile, "must hold objects with name and template", where);
      const std::string name = text_of(item["name"], where);
      out.add(name, text_of(item["template"], where + "." + name), where + "." + name);
    }
  } else {
    out.add("default", text_of(*given, where), where);
  }
  return out;
}

void ChatTemplate::add(std::string name, std::string_view source, const std::string& where) {
  Named named{std::move(name), std::nullopt, std::nullopt};
  try {
    named.parsed.emplace(source, printable(where));
  } catch (const Error& e) {
    named.wrong = e;
  }
  const auto same = std::find_if(templates_.begin(), templates_.end(), [&](const Named& n) { return n.name == named.name; });
  if (same != templates_.end()) *same = std::move(named);
  else templates_.push_back(std::move(named));
}

std::vector<std::string> ChatTemplate::names() const {
  std::vector<std::string> out;
  for (const Named& named : templates_) out.push_back(named.name);
  return out;
}

const ChatTemplate::Named* ChatTemplate::find(const std::string& name) const {
  const auto found = std::find_if(templates_.begin(), templates_.end(), [&](const Named& n) { return n.name == name; });
  return found == templates_.end() ? nullptr : &*found;
}

const JinjaTemplate& ChatTemplate::choose(const Json& tools, const ChatOptions& options, std::optional<JinjaTemplate>& given) const {
  const Named* named = nullptr;
  if (!options.chat_template.empty()) {
    named = find(options.chat_template);
    if (!named) return given.emplace(options.chat_template, "chat_template");
  } else {
    if (!tools.is_null()) named = find("tool_use");
    if (!named) named = find("default");
    if (!named) {
      std::string known;
      for (const Named& n : templates_) known += (known.empty() ? "" : ", ") + n.name;
      refuse("has several chat templates and none of them is named default; chat_template has to name one of: " + printable(known), where_);
    }
  }
  if (named->wrong) throw *named->wrong;
  return *named->parsed;
}

std::string ChatTemplate::render(const Json& messages, const Json& tools, const Json& documents, const Json& variables, const ChatOptions& options) const {
  std::optional<JinjaTemplate> given;
  const JinjaTemplate& chosen = choose(tools, options, given);
  if (!messages.is_array()) refuse(std::string("must be a list, not ") + json_kind(messages), "messages");
  if (messages.empty()) refuse("is empty", "messages");
  if (messages[0].is_array()) refuse("holds several conversations; one is rendered at a time", "messages");
  check_objects(tools, "tools");
  check_objects(documents, "documents");
  if (options.continue_final_message && options.add_generation_prompt) {
    refuse("continue_final_message and add_generation_prompt are not compatible: one continues the last message, the other begins a new one", "add_generation_prompt");
  }
  std::string last;
  Json all = special_tokens_;
  for (const auto& [name, value] : variables.items()) all[name] = value;
  all["messages"] = options.continue_final_message ? with_tag(messages, last) : messages;
  all["tools"] = tools;
  all["documents"] = documents;
  all["add_generation_prompt"] = options.add_generation_prompt;
  std::string text = chosen.render(all, options.limits);
  return options.continue_final_message ? cut_at_tag(std::move(text), last) : text;
}

}  // namespace polymath
