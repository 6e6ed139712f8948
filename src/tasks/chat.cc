#include "tasks/chat.h"

#include <algorithm>
#include <random>

#include "base/file.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "tasks/generation.h"

namespace polymath {
namespace {

constexpr std::int64_t kUnknownWindow = 2048;
constexpr std::int64_t kAnswer = 1024;                    // tokens, where nobody says
constexpr std::size_t kPrefixBytes = std::size_t{1} << 30;
constexpr std::size_t kMostMessages = 100000;

std::int64_t window_of(const TextModel& model) {
  const Config& config = model.loaded.config();
  if (const std::int64_t positions = max_positions_of(config); positions > 0) return positions;
  const Json* length = config.find("seq_length");
  return length && length->is_number_integer() && *length > 0 ? length->get<std::int64_t>() : kUnknownWindow;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Json message(const char* role, const std::string& content) { return {{"role", role}, {"content", content}}; }

bool is_system(const Json& messages) { return !messages.empty() && messages[0]["role"] == "system"; }

// The messages without the oldest question and its answer, or nothing where one question is left.
std::optional<Json> without_oldest(const Json& messages) {
  const std::size_t first = is_system(messages) ? 1 : 0;
  std::size_t second = first + 1;
  while (second < messages.size() && messages[second]["role"] != "user") ++second;
  if (second >= messages.size()) return std::nullopt;
  Json rest = Json::array();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i < first || i >= second) rest.push_back(messages[i]);
  }
  return rest;
}

}  // namespace

std::shared_ptr<ChatModel> ChatModel::load(const std::string& folder, LoadType type) {
  return std::make_shared<ChatModel>(TextModel::load(folder, Head::kCausalLm, type, "text-generation"));
}

ChatModel::ChatModel(std::shared_ptr<const TextModel> model)
    : model_(std::move(model)),
      window_(window_of(*model_)),
      defaults_(model_->base_folder, model_->loaded.config()),
      prefixes_(model_->loaded.model().kv_shape(), kPrefixBytes) {
  defaults_.set_pipeline(Json::object(), nullptr, model_->tokenizer->pad_id());
  try {
    template_ = ChatTemplate::load(model_->base_folder);
  } catch (const Error& e) {
    if (e.code != ErrorCode::kNotFound) throw;
  }
}

std::vector<std::int32_t> ChatModel::ids_of(const Json& messages) const {
  if (template_) {
    const std::string text = template_->render(messages, nullptr, nullptr, Json::object(), {.add_generation_prompt = true});
    return model_->tokenizer->encode(text, EncodeOptions{.add_special_tokens = false}).ids;
  }
  std::string text;
  for (const Json& m : messages) text += m["content"].get_ref<const std::string&>();
  auto ids = model_->tokenizer->encode(text).ids;
  if (const auto eos = model_->tokenizer->eos_id(); eos && !ids.empty() && ids.back() == *eos) ids.pop_back();  // it would end the text
  return ids;
}

ChatSession ChatSession::branch() const {
  ChatSession other(model_);
  other.messages_ = messages_;
  other.parameters_ = parameters_;
  return other;
}

void ChatSession::set_system(const std::string& text) {
  if (is_system(messages_)) messages_.erase(messages_.begin());
  if (!text.empty()) messages_.insert(messages_.begin(), message("system", utf8_lossy(text)));
}

void ChatSession::set_parameters(const Json& parameters) {
  Json rest = parameters;
  int_parameter(rest, "seed", 0);
  rest.erase("seed");
  const GenerationConfig config = GenerationConfig::parse(model_->defaults().call(rest), "parameters: ");
  if (config.num_beams > 1) bad_parameter("num_beams", "must be 1 in a chat");
  if (config.num_return_sequences > 1) bad_parameter("num_return_sequences", "must be 1 in a chat");
  parameters_ = parameters;
}

void ChatSession::ask(const std::string& text) {
  if (stream_) stop();
  begun_ = std::chrono::steady_clock::now();
  Json fields = parameters_;
  fields.erase("seed");
  auto config = std::make_unique<GenerationConfig>(GenerationConfig::parse(model_->defaults().call(fields), "parameters: "));
  if (const auto eos = model_->model().tokenizer->eos_id(); eos && config->eos_token_id.empty()) config->eos_token_id = {*eos};
  const std::int64_t window = model_->window(), wanted = config->max_new_tokens.value_or(kAnswer);
  const std::int64_t room = std::clamp<std::int64_t>(std::min(wanted, window / 4), 1, window);

  Json conversation = messages_;
  conversation.push_back(message("user", utf8_lossy(text)));
  Json read = conversation;
  Figures figures{.window = window};
  std::vector<std::int32_t> ids = model_->ids_of(read);
  while (static_cast<std::int64_t>(ids.size()) + room > window) {
    const auto rest = without_oldest(read);
    if (!rest) {
      throw Error(ErrorCode::kInvalidArgument,
                  "has " + std::to_string(ids.size()) + " tokens; with room for an answer they do not fit the model's window of " + std::to_string(window), "message");
    }
    read = *rest;
    ++figures.left_out;
    ids = model_->ids_of(read);
  }
  if (ids.empty()) throw Error(ErrorCode::kInvalidArgument, "gives no tokens", "message");
  config->max_new_tokens = std::min(wanted, window - static_cast<std::int64_t>(ids.size()));

  const KvCache prefix = model_->prefixes().find(ids);
  figures.prompt_tokens = static_cast<std::int64_t>(ids.size());
  figures.cached_tokens = prefix.length();
  DecodingInput input{.ids = ids, .prefix = &prefix, .max_positions = window, .tokenizer = &*model_->model().tokenizer};
  std::random_device device;
  input.seed = parameter(parameters_, "seed") ? static_cast<std::uint64_t>(int_parameter(parameters_, "seed", 0)) : device();
  input.number = answers_++;
  stream_ = std::make_unique<Stream>(model_->model().loaded.model(), *config, std::move(input));
  config_ = std::move(config);
  decoder_.emplace(*model_->model().tokenizer, /*skip_special_tokens=*/true, std::move(ids));
  answer_.clear();
  figures_ = figures;
  messages_ = std::move(conversation);
}

std::optional<std::string> ChatSession::next() {
  while (stream_) {
    if (stream_->finished()) {
      std::string piece = decoder_->finish();
      answer_ += piece;
      finish();
      if (!piece.empty()) return piece;
      break;
    }
    Decoding* const one[] = {stream_.get()};
    advance_all(model_->model().loaded.model(), one);
    if (++figures_.answer_tokens == 1) figures_.first_piece_s = seconds_since(begun_);
    const std::string piece = decoder_->add(stream_->ids().back());
    answer_ += piece;
    if (!piece.empty()) return piece;
  }
  return std::nullopt;
}

void ChatSession::stop() {
  if (stream_) finish();
}

void ChatSession::finish() {
  model_->prefixes().keep(stream_->ids(), stream_->cache());
  figures_.answer_s = seconds_since(begun_);
  messages_.push_back(message("assistant", answer_));
  stream_.reset();
  decoder_.reset();
}

void ChatSession::clear() {
  stop();
  messages_ = Json::array();
  figures_ = {};
}

bool ChatSession::undo() {
  stop();
  std::size_t last = messages_.size();
  while (last > 0 && messages_[last - 1]["role"] != "user") --last;
  if (last == 0) return false;
  messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(last) - 1, messages_.end());
  return true;
}

void ChatSession::save(const std::string& path) const {
  const Json saved = {{"polymath_chat", 1}, {"messages", messages_}, {"parameters", parameters_}};
  write_file_atomically(path, dump_json(saved) + "\n");
}

void ChatSession::load(const std::string& path) {
  Json saved = parse_saved(read_named_input(path, std::uint64_t{1} << 28), path);
  stop();
  set_parameters(saved["parameters"]);
  messages_ = std::move(saved["messages"]);
  figures_ = {};
}

Json ChatSession::parse_saved(std::string_view text, const std::string& path) {
  const auto refuse = [&](const std::string& field, const std::string& reason) { throw Error(ErrorCode::kBadFile, reason, path + ": " + field); };
  Json saved;
  try {
    saved = parse_json(text, path);
  } catch (const Error& e) {
    throw Error(ErrorCode::kBadFile, e.reason, e.where);
  }
  if (!saved.is_object() || saved.value("polymath_chat", Json()) != 1) refuse("polymath_chat", "is no conversation that was saved by this version (must be 1)");
  if (!saved.contains("parameters")) saved["parameters"] = Json::object();
  if (!saved["parameters"].is_object()) refuse("parameters", std::string("must be an object, not ") + json_kind(saved["parameters"]));
  const auto messages = saved.find("messages");
  if (messages == saved.end() || !messages->is_array() || messages->size() > kMostMessages) refuse("messages", "must be a list of messages");
  for (std::size_t i = 0; i < messages->size(); ++i) {
    const Json& m = (*messages)[i];
    const std::string where = "messages[" + std::to_string(i) + "]";
    if (!m.is_object() || !m.contains("role") || !m.contains("content") || !m["content"].is_string()) refuse(where, "must have a role and a content, which is text");
    const bool known = m["role"] == "user" || m["role"] == "assistant" || (m["role"] == "system" && i == 0);
    if (!known) refuse(where + ": role", "must be user or assistant, or system in the first message");
  }
  return saved;
}

}  // namespace polymath
