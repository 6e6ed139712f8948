#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include "base/file.h"
#include "models/adapter.h"
#include "models/concat_pooling.h"
#include "models/model.h"
#include "models/quantize.h"
#include "models/sentence_classifier.h"
#include "polymath/error.h"

namespace polymath {

const Architecture& architecture_of(const Config& config) {
  for (const Architecture& a : architectures()) {
    if (config.model_type() == a.model_type) return a;
  }
  std::string known;
  for (const Architecture& a : architectures()) known += std::string(known.empty() ? "" : ", ") + a.model_type;
  throw Error(ErrorCode::kUnsupported, "the architecture \"" + config.model_type() + "\" is not known (known: " + known + ")",
              config.path() + ": model_type");
}

namespace {

struct Suffix {
  const char* text;
  Head head;
};
constexpr Suffix kSuffixes[] = {
    {"ForPreTraining", Head::kPreTraining},
    {"ForMaskedLM", Head::kMaskedLm},
    {"ForSequenceClassification", Head::kSequenceClassification},
    {"ForTokenClassification", Head::kTokenClassification},
    {"ForQuestionAnswering", Head::kQuestionAnswering},
    {"ForNextSentencePrediction", Head::kNextSentencePrediction},
    {"ForMultipleChoice", Head::kMultipleChoice},
    {"ForCausalLM", Head::kCausalLm},
    {"ForConditionalGeneration", Head::kConditionalGeneration},
    {"MTModel", Head::kConditionalGeneration},
    {"EncoderModel", Head::kEncoder},
    {"LMHeadModel", Head::kCausalLm},
    {"Model", Head::kBase},
};

}  // namespace

std::optional<Head> head_named(const std::string& class_name, const Architecture& architecture) {
  std::istringstream prefixes(architecture.class_prefix);  // A|B: classes of both names
  for (std::string prefix; std::getline(prefixes, prefix, '|');) {
    for (const Suffix& suffix : kSuffixes) {
      if (class_name == prefix + suffix.text) return suffix.head;
    }
  }
  return std::nullopt;
}

std::string class_of(const Architecture& architecture, Head head) {
  const std::string prefixes = architecture.class_prefix, prefix = prefixes.substr(0, prefixes.find('|'));
  if (head == Head::kCausalLm && prefix == "GPT2") return "GPT2LMHeadModel";
  if (head == Head::kConditionalGeneration && prefix == "Marian") return "MarianMTModel";
  const auto suffix = std::find_if(std::begin(kSuffixes), std::end(kSuffixes), [&](const Suffix& s) { return s.head == head; });
  return prefix + suffix->text;
}

Head head_of(const Config& config) {
  const std::string name = config.architecture();
  if (name.empty()) return Head::kBase;
  if (const auto head = head_named(name, architecture_of(config))) return *head;
  throw Error(ErrorCode::kUnsupported, "the class \"" + name + "\" is not known for this model_type", config.path() + ": architectures");
}

const Tensor& output_named(const std::vector<Output>& outputs, const std::string& name) {
  for (const Output& output : outputs) {
    if (output.name == name) return output.value;
  }
  throw Error(ErrorCode::kInvalidArgument, "the model has no output of this name", name);
}

// How a model is loaded.
struct LoadedModel::Loading {
  LoadType type = LoadType::kF32;
  const Head* head = nullptr;
  std::unique_ptr<ParameterStore> parameters;  // null: not to train
  const NewHead* anew = nullptr;
  const LoraOptions* lora = nullptr;
  bool share_base = false;
};

LoadedModel LoadedModel::load(const std::string& folder, LoadType type, const Head* head) { return load(folder, {.type = type, .head = head}); }

LoadedModel LoadedModel::load_sharing_base(const std::string& folder, LoadType type, const Head* head) {
  return load(folder, {.type = type, .head = head, .share_base = true});
}

LoadedModel LoadedModel::load_to_train(const std::string& folder, const Head* head, const NewHead* anew, const LoraOptions* lora) {
  LoadedModel loaded = load(folder, {.head = head, .parameters = std::make_unique<ParameterStore>(), .anew = anew, .lora = lora});
  loaded.parameters().drop_unread();
  return loaded;
}

namespace {

// As the architecture makes it, but for a classifier that pools by concatenation (which a recurrent one does by itself).
std::unique_ptr<Model> make_model(const Architecture& architecture, const Config& config, Head head, const Scope& scope) {
  if (head != Head::kSequenceClassification || !pools_by_concat(config) || architecture.recurrent) return architecture.make(config, head, scope);
  return concat_pooling_classifier(architecture.make(config, Head::kBase, scope), config, scope);
}

// A checkpoint that several models are made of.
struct SharedBase {
  Checkpoint checkpoint;
  SharedWeights weights;
};

// The one that is in use for this folder, or a new one.
std::shared_ptr<SharedBase> shared_base(const std::string& folder) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<SharedBase>> bases;
  std::error_code error;
  const std::string path = std::filesystem::weakly_canonical(folder, error).string();
  const std::lock_guard lock(mutex);
  auto& known = bases[error ? folder : path];
  std::shared_ptr<SharedBase> base = known.lock();
  if (!base) {
    base = std::make_shared<SharedBase>();
    base->checkpoint = Checkpoint::open(folder);
    known = base;
  }
  return base;
}

}  // namespace

// A new head's fields, and those that the architecture's config class takes where config.json names none.
void LoadedModel::prepare_config(const Loading& how) {
  config_given_ = config_->json();
  if (how.anew) {
    for (const auto& [field, value] : how.anew->config.items()) {
      if (value.is_null()) config_given_.erase(field);
      else config_given_[field] = value;
    }
    config_ = std::make_unique<Config>(config_given_, config_->path());
    const double range = config_->opt("initializer_range", config_->opt("init_std", 0.02));
    fresh_ = std::make_unique<FreshTensors>(how.anew->seed, range, /*score_bias=*/how.head && *how.head != Head::kSequenceClassification, how.anew->everything);
  }
  const Architecture& architecture = architecture_of(*config_);
  const Json aliases = parse_json(architecture.aliases, "aliases");
  for (const auto& [alias, name] : aliases.items()) {
    if (const Json* value = config_->find(alias)) config_->set_missing({{name.get<std::string>(), *value}});
  }
  config_->set_missing(parse_json(architecture.sizes, "sizes"));
  const Json tokens = parse_json(architecture.tokens, "tokens");
  for (const auto& [name, id] : tokens.items()) {  // null is a value there: no such token
    if (!config_->find(name)) config_->set_missing({{name, id}});
  }
}

void LoadedModel::make(const Architecture& architecture, Head head, const std::string& base, LoadType type, const Adapter* adapter, const Loading& how) {
  const auto shared = how.share_base ? shared_base(base) : nullptr;
  const auto changes = shared && adapter ? std::make_shared<AdapterChanges>(*adapter) : nullptr;
  if (how.lora) new_adapter_ = std::make_unique<NewAdapter>(*how.lora, *parameters_);
  const bool everything = how.anew && how.anew->everything;
  if (everything && !architecture.from_scratch) throw Error(ErrorCode::kUnsupported, "an architecture that is not made from scratch here", config_->path() + ": model_type");
  LayerChanges* of_layers = changes ? static_cast<LayerChanges*>(changes.get()) : new_adapter_.get();
  do {
    checkpoint_ = std::make_unique<Checkpoint>(shared ? shared->checkpoint.view() : everything ? Checkpoint() : Checkpoint::open(base));
    weights_ = std::make_unique<Weights>(*checkpoint_, architecture.base_prefix, type, parameters_.get(), fresh_.get(), of_layers);
    if (adapter) adapter->apply(*checkpoint_, *weights_, config_->model_type(), changes ? changes->modules() : std::set<std::string>());
    std::optional<ShareWeights> sharing;
    if (shared) sharing.emplace(shared->weights);
    model_ = make_model(architecture, *config_, head, {weights_.get(), ""});
  } while (changes && changes->drop_unused());
  if (shared) kept_ = {shared, changes};
}

LoadedModel LoadedModel::load(const std::string& folder, Loading how) {
  LoadedModel loaded;
  loaded.parameters_ = std::move(how.parameters);
  const auto adapter = Adapter::open(folder);
  const std::string base = adapter ? adapter->base() : folder;
  loaded.config_ = std::make_unique<Config>(adapter ? adapter->config() : Config::load(folder));
  loaded.prepare_config(how);
  const Architecture& architecture = architecture_of(*loaded.config_);
  const std::optional<Head> adapted = adapter ? adapter->head(architecture) : std::nullopt;
  loaded.head_ = how.head ? *how.head : adapted ? *adapted : head_of(*loaded.config_);
  const bool of_sentences = loaded.head_ == Head::kSequenceClassification && !loaded.parameters_ && !adapter && head_of(*loaded.config_) == Head::kBase &&
                            holds_sentence_classifier(folder, *loaded.config_);
  const LoadType type = how.type == LoadType::kAuto ? saved_type(*loaded.config_) : how.type;
  try {
    loaded.make(architecture, of_sentences ? Head::kBase : loaded.head_, base, type, adapter ? &*adapter : nullptr, how);
    if (of_sentences) loaded.model_ = sentence_classifier(std::move(loaded.model_), folder);
  } catch (Error& e) {
    if (e.where.starts_with(folder) || e.where.starts_with(base)) throw;
    if (e.code == ErrorCode::kNotFound && how.head && !loaded.config_->architecture().empty() && head_of(*loaded.config_) != *how.head) {
      throw Error(e.code, "holds a " + loaded.config_->architecture() + ", which has not the head for this task (no tensor " + e.where + ")", folder);
    }
    throw Error(e.code, e.reason, folder + ": " + e.where);
  }
  return loaded;
}

std::size_t LoadedModel::shared_weights() const { return kept_.empty() ? 0 : static_cast<const SharedBase*>(kept_[0].get())->weights.size(); }

LoadedModel LoadedModel::without_model() && {
  model_ = nullptr;
  return std::move(*this);
}

LoadType load_type_named(const std::string& name) {
  if (name == "auto") return LoadType::kAuto;
  if (name == "f32") return LoadType::kF32;
  if (name == "bf16") return LoadType::kBf16;
  if (name == "q8") return LoadType::kQ8;
  if (name == "q4") return LoadType::kQ4;
  throw Error(ErrorCode::kInvalidArgument, "\"" + name + "\" is not one of auto, f32, bf16, q8, q4", "--dtype");
}

}  // namespace polymath
