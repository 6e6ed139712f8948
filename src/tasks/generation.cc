#include "tasks/generation.h"

#include <algorithm>
#include <random>

#include "polymath/error.h"
#include "tasks/run_batch.h"

namespace polymath {
namespace {

constexpr std::int64_t kDraftTokens = 5;  // more are seldom all right

const Json* task_parameters(const Config& config, const std::string& task) {
  const Json* all = config.find("task_specific_params");
  if (!all || !all->is_object()) return nullptr;
  const auto found = all->find(task);
  return found == all->end() || !found->is_object() ? nullptr : &*found;
}

std::string prefix_of(const Config& config, const std::string& task) {
  if (const Json* parameters = task_parameters(config, task)) {
    const auto prefix = parameters->find("prefix");
    if (prefix != parameters->end() && prefix->is_string()) return prefix->get<std::string>();
  }
  const Json* prefix = config.find("prefix");
  return prefix && prefix->is_string() ? prefix->get<std::string>() : "";
}

std::uint64_t seed_of(Json& parameters) {
  const std::int64_t seed = int_parameter(parameters, "seed", -1);
  const bool given = parameter(parameters, "seed") != nullptr;
  parameters.erase("seed");
  if (given) return static_cast<std::uint64_t>(seed);
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

Generation::Generation(std::shared_ptr<const TextModel> model, const Json& defaults, const std::string& task)
    : model_(std::move(model)), defaults_(model_->base_folder, model_->loaded.config()), prefix_(prefix_of(model_->loaded.config(), task)) {
  defaults_.set_pipeline(defaults, task_parameters(model_->loaded.config(), task), model_->tokenizer->pad_id());
}

Json Generation::generation_parameters(const Json& parameters, std::initializer_list<const char*> others) {
  Json result = Json::object();
  for (const auto& [name, value] : parameters.items()) {
    if (name == "batch_size" || name == "num_workers" || std::find(others.begin(), others.end(), name) != others.end()) continue;
    result[name] = value;
  }
  return result;
}

std::vector<Sequences> Generation::operator()(const std::vector<Prompt>& prompts, Json parameters,
                                              std::vector<std::vector<std::vector<float>>>* log_probabilities) const {
  const std::uint64_t seed = seed_of(parameters);
  const std::string folder = string_parameter(parameters, "assistant_model", "");
  parameters.erase("assistant_model");
  const auto draft = folder.empty() ? nullptr : draft_of(folder);
  const std::int64_t draft_tokens = int_parameter(parameters, "num_assistant_tokens", kDraftTokens);
  if (draft_tokens < 1 || draft_tokens > 1024) bad_parameter("num_assistant_tokens", "must be 1 to 1024, but is " + std::to_string(draft_tokens));
  GenerationConfig config = GenerationConfig::parse(defaults_.call(parameters), "parameters: ");
  config.default_max_length = parameter(parameters, "max_length") == nullptr;
  try {
    return generate(model_->loaded.model(), prompts, config,
                    {.tokenizer = &*model_->tokenizer, .max_positions = max_positions_of(model_->loaded.config()), .seed = seed,
                     .draft = draft ? &draft->model() : nullptr, .draft_tokens = static_cast<std::size_t>(draft_tokens),
                     .log_probabilities = log_probabilities});
  } catch (const Error& e) {
    const bool names_parameter = e.code == ErrorCode::kInvalidArgument && (global_generation_defaults().contains(e.where) || e.where == "token_log_probabilities");
    if (names_parameter) throw Error(e.code, e.reason, "parameters: " + e.where);
    throw;
  }
}

std::shared_ptr<const LoadedModel> Generation::draft_of(const std::string& folder) const {
  const std::lock_guard lock(draft_->mutex);
  if (draft_->folder == folder) return draft_->model;
  const Head head = Head::kCausalLm;
  auto model = std::make_shared<const LoadedModel>(LoadedModel::load(folder, LoadType::kAuto, &head));
  const auto vocabulary = [](const LoadedModel& m) { return m.config().opt<std::int64_t>("vocab_size", 0); };
  if (!model->model().is_decoder() || model->model().is_encoder_decoder() || vocabulary(*model) != vocabulary(model_->loaded)) {
    bad_parameter("assistant_model", "must be a decoder with the model's vocabulary of " + std::to_string(vocabulary(model_->loaded)));
  }
  draft_->folder = folder;
  draft_->model = model;
  return model;
}

void pad_prompts(std::vector<Prompt>& prompts, const PretrainedTokenizer& tokenizer, std::int64_t batch_size) {
  std::vector<ModelInput> batch;
  for (Prompt& prompt : prompts) batch.push_back({.ids = std::move(prompt.ids), .mask = std::move(prompt.mask)});
  pad_batches(batch, tokenizer, batch_size);
  for (std::size_t i = 0; i < prompts.size(); ++i) prompts[i] = {std::move(batch[i].ids), std::move(batch[i].mask)};
}

std::int64_t max_positions_of(const Config& config) {
  for (const char* field : {"max_position_embeddings", "n_positions"}) {
    if (const Json* value = config.find(field); value && value->is_number_integer()) return value->get<std::int64_t>();
  }
  return 0;
}

std::vector<std::int32_t> stop_sequence_ids(const PretrainedTokenizer& tokenizer, const Json& parameters) {
  const std::string text = string_parameter(parameters, "stop_sequence", "");
  auto ids = tokenizer.encode(text, EncodeOptions{.add_special_tokens = false}).ids;
  if (ids.empty()) bad_parameter("stop_sequence", "gives no tokens");
  return ids;
}

}  // namespace polymath
