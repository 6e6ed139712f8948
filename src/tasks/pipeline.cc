// The public Pipeline over the tasks.
#include "polymath/pipeline.h"

#include "models/shipped.h"
#include "tasks/task.h"
#include "tasks/value.h"

namespace polymath {

Json json_of(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kText: return value.text();
    case Value::Kind::kBool: return value.number() != 0;
    case Value::Kind::kInt: return static_cast<std::int64_t>(value.number());
    case Value::Kind::kNumber: return value.number();
    case Value::Kind::kList: return value.list();
  }
  return nullptr;
}

LoadParameters::LoadParameters(const Parameters& parameters) {
  for (const auto& [key, value] : parameters) {
    if (key == "dtype") type = load_type_named(value.text());
    else if (key == "share_base") share_base = is_true(json_of(value));
    else calls[key] = json_of(value);
  }
}

namespace {

void add_result(const Json& j, std::vector<Result>& out) {
  if (j.is_array()) {
    for (const Json& item : j) add_result(item, out);
    return;
  }
  if (j.contains("labels")) {  // zero-shot: two lists side by side
    for (std::size_t i = 0; i < j["labels"].size(); ++i) {
      Result r;
      r.label = j["labels"][i].get<std::string>();
      r.score = j["scores"][i].get<double>();
      out.push_back(std::move(r));
    }
    return;
  }
  Result r;
  const auto text = [&](const char* key, std::string& member) {
    if (j.contains(key) && j[key].is_string()) member = j[key].get<std::string>();
  };
  const auto number = [&](const char* key, std::int64_t& member) {
    if (j.contains(key) && j[key].is_number()) member = j[key].get<std::int64_t>();
  };
  r.score = j.value("score", 0.0);
  text("label", r.label);
  text("entity", r.entity);
  text("entity_group", r.entity_group);
  text("word", r.word);
  text("answer", r.answer);
  text("token_str", r.token_str);
  text("sequence", r.sequence);
  for (const char* key : {"generated_text", "summary_text", "translation_text"}) text(key, r.text);
  number("token", r.token);
  number("index", r.index);
  number("start", r.start);
  number("end", r.end);
  out.push_back(std::move(r));
}

}  // namespace

struct Pipeline::State {
  std::string name;
  std::unique_ptr<Task> task;
  Json defaults = Json::object();

  Json run(const Json& inputs, const Parameters& parameters) const {
    Json all = defaults;
    for (const auto& [key, value] : parameters) all[key] = json_of(value);
    return task->run(inputs, all);
  }
};

Pipeline::Pipeline(std::shared_ptr<const State> state) : state_(std::move(state)) {}

std::vector<Result> Pipeline::operator()(std::string_view text, const Parameters& parameters) const {
  std::vector<Result> results;
  add_result(state_->run(std::string(text), parameters), results);
  return results;
}

std::vector<Result> Pipeline::operator()(std::string_view question, std::string_view context, const Parameters& parameters) const {
  std::vector<Result> results;
  add_result(state_->run({{"question", question}, {"context", context}}, parameters), results);
  return results;
}

std::vector<std::vector<float>> Pipeline::features(std::string_view text, const Parameters& parameters) const {
  const Json result = state_->run(std::string(text), parameters);
  if (!result.is_array() || result.empty() || !result[0].is_array()) {
    throw Error(ErrorCode::kInvalidArgument, "gives no features; load it for feature-extraction", state_->name);
  }
  return result[0].get<std::vector<std::vector<float>>>();
}

std::string Pipeline::run_json(std::string_view body) const {
  const Json parsed = parse_json(body, "body");
  Json answer = run_body(*state_->task, parsed, state_->defaults);
  return dump_json(answer);
}

const std::string& Pipeline::task() const { return state_->name; }

Pipeline pipeline(const std::string& task, const std::string& model, const Parameters& parameters) {
  const TaskEntry& entry = task_named(task);
  auto state = std::make_shared<Pipeline::State>();
  const LoadParameters given(parameters);
  state->defaults = given.calls;
  state->name = entry.name;
  state->task = entry.make(TextModel::load(model.empty() ? shipped_folder(entry) : model_folder(model), entry.head, given.type, task, given.share_base));
  return Pipeline(std::move(state));
}

}  // namespace polymath
