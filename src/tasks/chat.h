// Conversations with a chat model: what was said is remembered, and read again only where it changed.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "generate/prefix_cache.h"
#include "generate/stream.h"
#include "tasks/task.h"
#include "text/chat_template.h"
#include "text/incremental_decoder.h"

namespace polymath {

// A model with what its sessions share. Thread safe.
class ChatModel {
 public:
  static std::shared_ptr<ChatModel> load(const std::string& folder, LoadType type);
  explicit ChatModel(std::shared_ptr<const TextModel> model);

  const TextModel& model() const { return *model_; }
  bool has_template() const { return template_.has_value(); }
  // The ids of the conversation, with the header of the next answer. A model without a template reads the texts one after the other.
  std::vector<std::int32_t> ids_of(const Json& messages) const;
  std::int64_t window() const { return window_; }  // positions that the model was made for
  const GenerationDefaults& defaults() const { return defaults_; }
  PrefixCache& prefixes() { return prefixes_; }

 private:
  std::shared_ptr<const TextModel> model_;
  std::optional<ChatTemplate> template_;
  std::int64_t window_;
  GenerationDefaults defaults_;
  PrefixCache prefixes_;
};

// One conversation. Not thread safe; different sessions are independent.
//
// It is kept within the model's window: where the conversation and room for the answer (max_new_tokens, or a quarter of the
// window where that is less) do not fit, the oldest question is left out with its answer, and so on; the system's message stays.
// They are left out of what the model reads, not of messages().
class ChatSession {
 public:
  explicit ChatSession(std::shared_ptr<ChatModel> model) : model_(std::move(model)) {}

  // A session that goes on from what is remembered here.
  ChatSession branch() const;

  const Json& messages() const { return messages_; }  // [{"role", "content"}, ...]
  void set_system(const std::string& text);            // replaces the system's message; empty: there is none
  // Parameters of generation for the answers to come; they go before the model's own. "seed" too. Throws Error naming one that is wrong.
  void set_parameters(const Json& parameters);
  const Json& parameters() const { return parameters_; }

  // Begins the answer to a message. Throws Error where the message alone does not fit, and then nothing is remembered.
  void ask(const std::string& text);
  // The next piece of the answer, whole UTF-8; nothing when it is done and remembered.
  std::optional<std::string> next();
  // Ends the answer here; what was written is remembered.
  void stop();
  bool is_answering() const { return stream_ != nullptr; }

  void clear();  // forgets what was said, the system's message too
  // Forgets the last question with its answer; false where there is none.
  bool undo();

  // Writes the conversation to a file (JSON), whole or not at all; reads it again, whole or not at all. Throw Error naming
  // the file and the field.
  void save(const std::string& path) const;
  void load(const std::string& path);
  static Json parse_saved(std::string_view text, const std::string& path);  // what load() takes

  struct Figures {
    std::int64_t prompt_tokens = 0, cached_tokens = 0, answer_tokens = 0, window = 0;
    int left_out = 0;  // questions that the model did not read
    double first_piece_s = 0, answer_s = 0;
  };
  // Of the last answer, or of the one that is being written.
  const Figures& figures() const { return figures_; }

 private:
  void finish();

  std::shared_ptr<ChatModel> model_;
  Json messages_ = Json::array(), parameters_ = Json::object();
  Figures figures_;

  // The answer that is being written.
  std::unique_ptr<GenerationConfig> config_;  // at one place, also when the session moves
  std::unique_ptr<Stream> stream_;
  std::optional<IncrementalDecoder> decoder_;
  std::string answer_;
  std::uint64_t answers_ = 0;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace polymath
