// A pipeline task: JSON in, JSON out, exactly as Transformers 4.57.6's pipeline(TASK, model=DIR)(inputs, **parameters).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "models/model.h"
#include "text/pretrained_tokenizer.h"

namespace polymath {

// A checkpoint with its tokenizer. Const and thread safe once loaded.
struct TextModel {
  LoadedModel loaded;
  std::optional<PretrainedTokenizer> tokenizer;
  std::string folder;
  std::string base_folder;  // of the tokenizer's files: an adapter's base, else the folder
  std::string task;         // as it was asked for: "translation_en_to_fr"

  static std::shared_ptr<const TextModel> load(const std::string& folder, Head head, LoadType type, const std::string& task = "", bool share_base = false);
};

class Task {
 public:
  virtual ~Task() = default;

  // Throws Error naming the field at fault where the pipeline raises. Thread safe.
  virtual Json run(const Json& inputs, const Json& parameters) const = 0;
};

// One line of the table of tasks.
struct TaskEntry {
  const char* name;   // as pipeline() calls it
  const char* alias;  // a second name, or null
  Head head;          // of the AutoModelFor... class that it loads
  const char* help;
  std::unique_ptr<Task> (*make)(std::shared_ptr<const TextModel> model);
  const char* shipped = nullptr;  // the model that comes with the program for it, by name, or null
};

const std::vector<TaskEntry>& tasks();
// Also translation_XX_to_YY; throws Error that lists the known ones.
const TaskEntry& task_named(const std::string& name);

// The folder of the model that comes with the program for a task; throws Error if there is none, or it is not there.
std::string shipped_folder(const TaskEntry& task);

// A body {"inputs": ..., "parameters": {...}}; the body's parameters go before `defaults`. Throws Error naming the field.
Json run_body(const Task& task, const Json& body, const Json& defaults = Json::object());

// --- for tasks ---

// A parameter by its name; null when it is absent or null in the body.
const Json* parameter(const Json& parameters, const char* name);
// A value as Python's `if` reads it.
bool is_true(const Json& value);
bool bool_parameter(const Json& parameters, const char* name, bool missing);
// Typed, or `missing`; throws Error naming the parameter.
std::int64_t int_parameter(const Json& parameters, const char* name, std::int64_t missing);
// batch_size, which Transformers looks at only where the inputs are a list.
std::int64_t batch_size_of(const Json& inputs, const Json& parameters);
std::string string_parameter(const Json& parameters, const char* name, const std::string& missing);
// Refuses names that are not in `known` (batch_size and num_workers always are).
void check_parameters(const Json& parameters, std::initializer_list<const char*> known);

[[noreturn]] void bad_parameter(const std::string& name, const std::string& reason);
[[noreturn]] void bad_input(const std::string& reason);

}  // namespace polymath
