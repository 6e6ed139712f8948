#include "models/adapter.h"

#include <array>
#include <cmath>
#include <map>

#include "base/file.h"
#include "base/printable.h"
#include "polymath/error.h"
#include "tensor/weight.h"
#include "text/pattern.h"

namespace polymath {
namespace {

constexpr const char* kConfigName = "adapter_config.json";

// Options that change the arithmetic in ways that are not known here, refused unless null, false or empty.
constexpr std::array kRefused = {"alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication", "monteclora_config", "target_parameters",
                                 "trainable_token_indices", "use_bdlora", "use_qalora", "velora_config"};

bool is_set(const Json* value) {
  return value && !value->is_null() && *value != false && !((value->is_array() || value->is_object()) && value->empty());
}

bool is_of_lora(const std::string& name) { return name.find("lora_") != std::string::npos || name.find("trainable_tokens") != std::string::npos; }

bool take_suffix(std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  name.resize(name.size() - suffix.size());
  return true;
}

std::string name_in_base(const std::string& key) {
  constexpr std::string_view kPrefix = "base_model.model.";
  std::string name = key.starts_with(kPrefix) ? key.substr(kPrefix.size()) : key;
  take_suffix(name, ".default");
  return name;
}

[[noreturn]] void misfit(const TensorView& tensor, const std::string& reason) { throw Error(ErrorCode::kBadFile, reason, tensor.name); }

// w [n, k] += scale * b [n, r] a [r, k]
void add_product(std::vector<float>& w, const std::vector<float>& b, const std::vector<float>& a, std::size_t r, std::size_t k, float scale) {
  for (std::size_t i = 0; i * k < w.size(); ++i) {
    for (std::size_t t = 0; t < r; ++t) {
      const float x = scale * b[i * r + t];
      for (std::size_t j = 0; j < k; ++j) w[i * k + j] += x * a[t * k + j];
    }
  }
}

std::vector<float> transposed(const std::vector<float>& x, std::size_t rows, std::size_t columns) {
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) y[j * rows + i] = x[i * columns + j];
  }
  return y;
}

// The key of a pattern dictionary that fits the module: re.match("(.*\.)?(key)$").
const Json* of_pattern(const Json* patterns, const std::string& module, const std::string& where) {
  if (!patterns || !patterns->is_object()) return nullptr;
  for (const auto& [key, value] : patterns->items()) {
    std::vector<Match> matches;
    make_pattern({true, "^(?:.*\\.)?(?:" + key + ")$"}, where + ": " + printable(key))->find(module, matches);
    for (const Match& m : matches) {
      if (m.is_match && m.begin == 0 && m.end == module.size()) return &value;
    }
  }
  return nullptr;
}

}  // namespace

// What an adapter holds for one module; null: nothing of the kind.
struct Adapter::Parts {
  const TensorView *a = nullptr, *b = nullptr, *b_bias = nullptr, *magnitude = nullptr;
  bool embedding = false;
};

Adapter::Adapter(std::string folder, Config config) : folder_(std::move(folder)), config_(std::move(config)) {}

std::optional<Adapter> Adapter::open(const std::string& folder) {
  const std::string path = join_path(folder, kConfigName);
  if (!file_exists(path)) return std::nullopt;
  Adapter adapter(folder, Config(read_json_file(path), path));
  const Config& c = adapter.config_;
  if (const auto kind = c.req<std::string>("peft_type"); kind != "LORA") {
    throw Error(ErrorCode::kUnsupported, "\"" + printable(kind) + "\" is not known (known: LORA)", path + ": peft_type");
  }
  for (const char* name : kRefused) {
    if (is_set(c.find(name))) throw Error(ErrorCode::kUnsupported, "is not known here", path + ": " + name);
  }
  const auto base = c.req<std::string>("base_model_name_or_path");
  // A folder, or one beside the adapter; a hub's name, ORGANIZATION/NAME, goes by its last part there.
  for (const std::string& candidate : {base, join_path(folder, base), join_path(join_path(folder, ".."), base_name(base))}) {
    if (!adapter.base_.empty() || !file_exists(join_path(candidate, "config.json"))) continue;
    adapter.base_ = candidate;
  }
  if (adapter.base_.empty()) {
    throw Error(ErrorCode::kNotFound, "\"" + printable(base) + "\" is not the folder of a checkpoint on this machine", path + ": base_model_name_or_path");
  }
  adapter.tensors_ = Checkpoint::open_adapter(folder);
  return adapter;
}

std::optional<Head> Adapter::head(const Architecture& architecture) const {
  const auto task = config_.opt<std::string>("task_type", "");
  if (task == "SEQ_CLS") return Head::kSequenceClassification;
  if (task == "TOKEN_CLS") return Head::kTokenClassification;
  if (task == "QUESTION_ANS") return Head::kQuestionAnswering;
  if (task == "FEATURE_EXTRACTION") return Head::kBase;
  if (task == "CAUSAL_LM") return Head::kCausalLm;
  if (task == "SEQ_2_SEQ_LM") return Head::kConditionalGeneration;
  if (!task.empty()) throw Error(ErrorCode::kUnsupported, "\"" + printable(task) + "\" is not a known task", config_.path() + ": task_type");
  const Json* mapping = config_.find("auto_mapping");
  if (!mapping || !mapping->is_object() || !mapping->contains("base_model_class") || !(*mapping)["base_model_class"].is_string()) return std::nullopt;
  return head_named((*mapping)["base_model_class"].get<std::string>(), architecture);
}

Config Adapter::config() const {
  if (file_exists(join_path(folder_, "config.json"))) return Config::load(folder_);
  const std::string path = join_path(base_, "config.json");
  Json values = read_json_file(path);
  const Config plain(values, path);
  for (const auto& [name, tensor] : tensors_.tensors()) {
    if (!name.ends_with(".classifier.weight") && !name.ends_with(".classifier.out_proj.weight") && !name.ends_with(".score.weight")) continue;
    if (tensor.shape.size() != 2 || tensor.shape[0] == plain.num_labels()) continue;
    for (const char* field : {"id2label", "label2id"}) values.erase(field);
    values["num_labels"] = tensor.shape[0];
    return Config(std::move(values), path);
  }
  return plain;
}

double Adapter::scaling(const std::string& module, std::int64_t rank) const {
  double alpha = config_.opt("lora_alpha", 8.0);
  if (const Json* value = of_pattern(config_.find("alpha_pattern"), module, config_.path() + ": alpha_pattern")) {
    if (!value->is_number()) throw Error(ErrorCode::kBadFile, std::string("must hold numbers, not ") + json_kind(*value), config_.path() + ": alpha_pattern");
    alpha = value->get<double>();
  }
  return config_.opt("use_rslora", false) ? alpha / std::sqrt(static_cast<double>(rank)) : alpha / static_cast<double>(rank);
}

std::map<std::string, Adapter::Parts> Adapter::modules() const {
  std::map<std::string, Parts> modules;
  for (const auto& [key, tensor] : tensors_.tensors()) {
    std::string name = name_in_base(key);
    if (take_suffix(name, ".lora_A.weight") || take_suffix(name, ".lora_A.default.weight")) modules[name].a = &tensor;
    else if (take_suffix(name, ".lora_B.weight") || take_suffix(name, ".lora_B.default.weight")) modules[name].b = &tensor;
    else if (take_suffix(name, ".lora_B.bias")) modules[name].b_bias = &tensor;
    else if (take_suffix(name, ".lora_magnitude_vector") || take_suffix(name, ".lora_magnitude_vector.weight")) modules[name].magnitude = &tensor;
    else if (take_suffix(name, ".lora_embedding_A")) modules[name].a = &tensor, modules[name].embedding = true;
    else if (take_suffix(name, ".lora_embedding_B")) modules[name].b = &tensor, modules[name].embedding = true;
    else if (is_of_lora(name)) misfit(tensor, "is not a tensor of a LoRA adapter that is known here");
  }
  for (const auto& [unused, parts] : modules) {
    if (!parts.a || !parts.b) misfit(parts.a ? *parts.a : parts.b ? *parts.b : parts.magnitude ? *parts.magnitude : *parts.b_bias, "lacks its lora_A or lora_B");
    const TensorView &a = *parts.a, &b = *parts.b;
    if (a.shape.size() != 2 || b.shape.size() != 2 || a.shape[0] != b.shape[1] || a.shape[0] < 1) misfit(a, "does not fit its lora_B and a linear layer");
  }
  return modules;
}

void Adapter::apply(Checkpoint& base, const Weights& names, const std::string& model_type, const std::set<std::string>& left) const {
  for (const auto& [key, tensor] : tensors_.tensors()) {  // modules_to_save, and the biases and embeddings that an adapter may bring along
    std::string name = name_in_base(key);
    if (is_of_lora(name)) continue;
    for (const std::string_view part : {".modules_to_save.default", ".modules_to_save", ".base_layer"}) {
      if (const auto at = name.find(part); at != std::string::npos) name.erase(at, part.size());
    }
    const TensorView* old = names.find(name);
    base.set(old ? old->name : name, tensor.shape, read_f32(tensor));
  }
  for (const auto& [module, parts] : modules()) {
    if (left.contains(module)) continue;
    const TensorView* weight = names.find(module + ".weight");
    if (!weight) misfit(*parts.a, "adapts a module that the base model does not have");
    const TensorView &a = *parts.a, &b = *parts.b;
    if (weight->shape.size() != 2) misfit(a, "does not fit a linear layer");
    // An embedding's product is the table's transpose, and so is that of GPT-2's Conv1D: c_attn, c_proj, c_fc.
    const bool conv1d = model_type == "gpt2" && module.substr(module.rfind('.') + 1).starts_with("c_");
    const bool flipped = parts.embedding || conv1d;
    const std::int64_t n = weight->shape[flipped ? 1 : 0], k = weight->shape[flipped ? 0 : 1];
    if (a.shape[1] != k || b.shape[0] != n) misfit(a, "does not fit the weight that it adapts");
    const std::int64_t rank = a.shape[0];
    const double scale = scaling(module, rank);
    std::vector<float> w = read_f32(*weight);
    if (conv1d) w = transposed(w, static_cast<std::size_t>(k), static_cast<std::size_t>(n));
    if (parts.embedding) {
      if (parts.magnitude) misfit(*parts.magnitude, "DoRA of an embedding is not known here");
      // w [entries, d] += scale a^T b^T. What is tied to the table keeps the old one.
      std::string kept = weight->name;
      take_suffix(kept, ".weight");
      base.set(kept + ".base_layer.weight", weight->shape, w);
      add_product(w, transposed(read_f32(a), static_cast<std::size_t>(rank), static_cast<std::size_t>(k)),
                  transposed(read_f32(b), static_cast<std::size_t>(n), static_cast<std::size_t>(rank)), static_cast<std::size_t>(rank), static_cast<std::size_t>(n), static_cast<float>(scale));
    } else {
      add_product(w, read_f32(b), read_f32(a), static_cast<std::size_t>(rank), static_cast<std::size_t>(k), static_cast<float>(scale));
    }
    if (parts.magnitude) {  // each output's weights get the length that was learned
      const auto magnitude = read_f32(*parts.magnitude);
      if (static_cast<std::int64_t>(magnitude.size()) != n) misfit(*parts.magnitude, "does not fit the weight that it adapts");
      for (std::size_t i = 0; i < magnitude.size(); ++i) {
        float* row = w.data() + i * static_cast<std::size_t>(k);
        double squares = 0;
        for (std::int64_t j = 0; j < k; ++j) squares += static_cast<double>(row[j]) * static_cast<double>(row[j]);
        const float factor = static_cast<float>(static_cast<double>(magnitude[i]) / std::sqrt(squares));
        for (std::int64_t j = 0; j < k; ++j) row[j] *= factor;
      }
    }
    if (parts.b_bias) {
      const TensorView* old = names.find(module + ".bias");
      const auto added = read_f32(*parts.b_bias);
      std::vector<float> bias = old ? read_f32(*old) : std::vector<float>(added.size(), 0.0f);
      if (bias.size() != added.size()) misfit(*parts.b_bias, "does not fit the bias that it adapts");
      for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += static_cast<float>(scale) * added[i];
      const auto size = static_cast<std::int64_t>(bias.size());
      base.set(old ? old->name : module + ".bias", {size}, std::move(bias));
    }
    if (conv1d) w = transposed(w, static_cast<std::size_t>(n), static_cast<std::size_t>(k));
    base.set(weight->name, weight->shape, std::move(w));
  }
}

std::map<std::string, LowRankTensors> Adapter::layer_changes() const {
  std::map<std::string, LowRankTensors> changes;
  for (const auto& [module, parts] : modules()) {
    if (parts.embedding || parts.magnitude || parts.b_bias) continue;
    changes[module] = {.a = *parts.a, .b = *parts.b, .scale = static_cast<float>(scaling(module, parts.a->shape[0])), .changed = {}};
  }
  return changes;
}

const LowRankTensors* AdapterChanges::of(const std::string& name, const TensorView& weight, std::int64_t n, std::int64_t k) {
  std::string module = name;
  take_suffix(module, ".weight");
  const auto found = changes_.find(module);
  if (found == changes_.end()) return nullptr;
  LowRankTensors& change = found->second;
  if (change.a.shape[1] != k || change.b.shape[0] != n) misfit(change.a, "does not fit the weight that it adapts");
  change.changed = weight.data;
  used_.insert(module);
  return &change;
}

std::set<std::string> AdapterChanges::modules() const {
  std::set<std::string> names;
  for (const auto& [module, unused] : changes_) names.insert(module);
  return names;
}

bool AdapterChanges::drop_unused() {
  const std::size_t before = changes_.size();
  std::erase_if(changes_, [&](const auto& change) { return !used_.contains(change.first); });
  return changes_.size() < before;
}

std::string base_folder_of(const std::string& folder) {
  const auto adapter = Adapter::open(folder);
  return adapter ? adapter->base() : folder;
}

}  // namespace polymath
