#include "tasks/task.h"

#include <algorithm>

#include "base/file.h"
#include "base/printable.h"
#include "models/adapter.h"
#include "models/shipped.h"
#include "polymath/error.h"

namespace polymath {

std::unique_ptr<Task> make_feature_extraction(std::shared_ptr<const TextModel>);
std::unique_ptr<Task> make_fill_mask(std::shared_ptr<const TextModel>);
std::unique_ptr<Task> make_question_answering(std::shared_ptr<const TextModel>);
std::unique_ptr<Task> make_summarization(std::shared_ptr<const TextModel>);
std::unique_ptr<Task> make_text2text_generation(std::shared_ptr<const TextModel>);
std::unique_ptr<Task> make_text_classification(std::shared_ptr<const TextModel>);
std::unique_ptr<Task> make_text_generation(std::shared_ptr<const TextModel>);
std::unique_ptr<Task> make_token_classification(std::shared_ptr<const TextModel>);
std::unique_ptr<Task> make_translation(std::shared_ptr<const TextModel>);
std::unique_ptr<Task> make_zero_shot_classification(std::shared_ptr<const TextModel>);

const std::vector<TaskEntry>& tasks() {
  static const std::vector<TaskEntry> kAll = {
      {"feature-extraction", nullptr, Head::kBase, "the hidden states of every token", make_feature_extraction, "all-MiniLM-L6-v2"},
      {"fill-mask", nullptr, Head::kMaskedLm, "what may stand where the mask token is", make_fill_mask},
      {"token-classification", "ner", Head::kTokenClassification, "a label for every token, or the entities they form", make_token_classification, "minilm-ner"},
      {"question-answering", nullptr, Head::kQuestionAnswering, "the span of a context that answers a question", make_question_answering},
      {"summarization", nullptr, Head::kConditionalGeneration, "a shorter text that says the same", make_summarization},
      {"text2text-generation", nullptr, Head::kConditionalGeneration, "the text that a model makes of a text", make_text2text_generation},
      {"text-classification", "sentiment-analysis", Head::kSequenceClassification, "a label for a text or a pair of texts", make_text_classification, "minilm-sentiment"},
      {"text-generation", nullptr, Head::kCausalLm, "how a text goes on, or the answer in a chat", make_text_generation, "stories260k"},
      {"translation", "translation_XX_to_YY", Head::kConditionalGeneration, "the text in another language", make_translation},
      {"zero-shot-classification", nullptr, Head::kSequenceClassification, "the best of your own labels for a text, by an NLI model", make_zero_shot_classification},
  };
  return kAll;
}

namespace {

// "translation_XX_to_YY", with any two languages.
bool is_language_pair(const std::string& name) {
  const auto first = name.find('_'), second = name.find('_', first + 1), third = name.find('_', second + 1);
  return third != std::string::npos && name.find('_', third + 1) == std::string::npos && name.substr(0, first) == "translation" &&
         name.substr(second, third - second) == "_to";
}

}  // namespace

const TaskEntry& task_named(const std::string& asked) {
  const std::string name = is_language_pair(asked) ? "translation" : asked;
  std::string known;
  for (const TaskEntry& task : tasks()) {
    if (name == task.name || (task.alias && name == task.alias)) return task;
    known += (known.empty() ? "" : ", ") + std::string(task.name);
    if (task.alias) known += std::string(" (") + task.alias + ")";
  }
  throw Error(ErrorCode::kInvalidArgument, "\"" + printable(name) + "\" is not a known task (known: " + known + ")", "TASK");
}

std::string shipped_folder(const TaskEntry& task) {
  const std::string folder = task.shipped ? model_folder(task.shipped) : "";
  if (!directory_exists(folder)) {
    throw Error(ErrorCode::kNotFound,
                std::string("no model is named, and ") + (task.shipped ? std::string("the shipped one, ") + task.shipped + ", was not found (POLYMATH_MODELS names the folder of shipped models)"
                                                                       : "none is shipped for this task") +
                    ": give --model DIR, the folder of a Hugging Face checkpoint (config.json, model.safetensors and the tokenizer's files)",
                task.name);
  }
  return folder;
}

std::shared_ptr<const TextModel> TextModel::load(const std::string& folder, Head head, LoadType type, const std::string& task, bool share_base) {
  auto model = std::make_shared<TextModel>();
  model->folder = folder;
  model->base_folder = base_folder_of(folder);
  model->task = task;
  model->loaded = share_base ? LoadedModel::load_sharing_base(folder, type, &head) : LoadedModel::load(folder, type, &head);
  model->tokenizer = PretrainedTokenizer::load(model->base_folder);
  return model;
}

Json run_body(const Task& task, const Json& body, const Json& defaults) {
  if (!body.is_object()) throw Error(ErrorCode::kInvalidArgument, std::string("must be an object, not ") + json_kind(body), "body");
  for (const auto& [key, unused] : body.items()) {
    if (key != "inputs" && key != "parameters") throw Error(ErrorCode::kInvalidArgument, "the field is not known (known: inputs, parameters)", "body: " + key);
  }
  const auto inputs = body.find("inputs");
  if (inputs == body.end()) throw Error(ErrorCode::kInvalidArgument, "the field is missing", "body: inputs");
  Json parameters = defaults;
  if (const auto given = body.find("parameters"); given != body.end() && !given->is_null()) {
    if (!given->is_object()) throw Error(ErrorCode::kInvalidArgument, std::string("must be an object, not ") + json_kind(*given), "parameters");
    for (const auto& [key, value] : given->items()) parameters[key] = value;
  }
  return task.run(*inputs, parameters);
}

const Json* parameter(const Json& parameters, const char* name) {
  auto found = parameters.find(name);
  return found == parameters.end() || found->is_null() ? nullptr : &*found;
}

bool bool_parameter(const Json& parameters, const char* name, bool missing) {
  const Json* value = parameter(parameters, name);
  return value ? is_true(*value) : missing;
}

bool is_true(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  return !value.empty() && value != "";
}

std::int64_t int_parameter(const Json& parameters, const char* name, std::int64_t missing) {
  const Json* value = parameter(parameters, name);
  if (!value) return missing;
  if (value->is_boolean()) return value->get<bool>();  // a number in Python
  if (value->is_number_integer()) {
    const auto number = value->get<double>();
    if (number >= -1e15 && number <= 1e15) return value->get<std::int64_t>();
  }
  bad_parameter(name, "must be a whole number, not " + (value->is_number() ? value->dump() : std::string(json_kind(*value))));
}

std::int64_t batch_size_of(const Json& inputs, const Json& parameters) {
  const Json* size = inputs.is_array() ? parameter(parameters, "batch_size") : nullptr;
  if (size && (!size->is_number_integer() || *size < 1)) bad_parameter("batch_size", "must be a whole number above 0, not " + dump_json(*size));
  return size ? int_parameter(parameters, "batch_size", 1) : 1;
}

std::string string_parameter(const Json& parameters, const char* name, const std::string& missing) {
  const Json* value = parameter(parameters, name);
  if (!value) return missing;
  if (value->is_string()) return value->get<std::string>();
  bad_parameter(name, std::string("must be a string, not ") + json_kind(*value));
}

void check_parameters(const Json& parameters, std::initializer_list<const char*> known) {
  for (const auto& [name, unused] : parameters.items()) {
    if (name == "batch_size" || name == "num_workers") continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (const char* k : known) list += (list.empty() ? "" : ", ") + std::string(k);
    bad_parameter(name, "is not a parameter of this task (known: " + list + ")");
  }
}

void bad_parameter(const std::string& name, const std::string& reason) {
  throw Error(ErrorCode::kInvalidArgument, reason, "parameters: " + name);
}

void bad_input(const std::string& reason) { throw Error(ErrorCode::kInvalidArgument, reason, "inputs"); }

}  // namespace polymath
