#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "models/adapter.h"
#include "models/concat_pooling.h"
#include "models/model.h"
#include "models/quantize.h"
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

namespace {

// As the architecture makes it, but for a classifier that pools by concatenation (which a recurrent one does by itself).
std::unique_ptr<Model> make_model(const Architecture& architecture, const Config& config, Head head, const Scope& scope) {
  if (head != Head::kSequenceClassification || !pools_by_concat(config) || architecture.recurrent) return architecture.make(config, head, scope);
  return concat_pooling_classifier(architecture.make(config, Head::kBase, scope), config, scope);
}

}  // namespace

LoadedModel LoadedModel::load(const std::string& folder, LoadType type, const Head* head) { return load(folder, type, head, nullptr, nullptr); }

LoadedModel LoadedModel::load_to_train(const std::string& folder, const Head* head, const NewHead* anew) {
  LoadedModel loaded = load(folder, LoadType::kF32, head, std::make_unique<ParameterStore>(), anew);
  loaded.parameters().drop_unread();
  return loaded;
}

LoadedModel LoadedModel::load(const std::string& folder, LoadType type, const Head* head, std::unique_ptr<ParameterStore> parameters, const NewHead* anew) {
  LoadedModel loaded;
  loaded.parameters_ = std::move(parameters);
  const auto adapter = Adapter::open(folder);
  const std::string base = adapter ? adapter->base() : folder;
  loaded.config_ = std::make_unique<Config>(adapter ? adapter->config() : Config::load(folder));
  loaded.config_given_ = loaded.config_->json();
  if (anew) {
    for (const auto& [field, value] : anew->config.items()) {
      if (value.is_null()) loaded.config_given_.erase(field);
      else loaded.config_given_[field] = value;
    }
    loaded.config_ = std::make_unique<Config>(loaded.config_given_, loaded.config_->path());
    const double range = loaded.config_->opt("initializer_range", loaded.config_->opt("init_std", 0.02));
    loaded.fresh_ = std::make_unique<FreshTensors>(anew->seed, range, /*score_bias=*/head && *head != Head::kSequenceClassification, anew->everything);
  }
  const Architecture& architecture = architecture_of(*loaded.config_);
  const Json aliases = parse_json(architecture.aliases, "aliases");
  for (const auto& [alias, name] : aliases.items()) {
    if (const Json* value = loaded.config_->find(alias)) loaded.config_->set_missing({{name.get<std::string>(), *value}});
  }
  loaded.config_->set_missing(parse_json(architecture.sizes, "sizes"));
  const Json tokens = parse_json(architecture.tokens, "tokens");
  for (const auto& [name, id] : tokens.items()) {  // null is a value there: no such token
    if (!loaded.config_->find(name)) loaded.config_->set_missing({{name, id}});
  }
  const std::optional<Head> adapted = adapter ? adapter->head(architecture) : std::nullopt;
  loaded.head_ = head ? *head : adapted ? *adapted : head_of(*loaded.config_);
  const LoadType saved = saved_type(*loaded.config_);
  if (type == LoadType::kAuto) type = saved;
  const bool everything = anew && anew->everything;
  if (everything && !architecture.from_scratch) throw Error(ErrorCode::kUnsupported, "an architecture that is not made from scratch here", loaded.config_->path() + ": model_type");
  loaded.checkpoint_ = std::make_unique<Checkpoint>(everything ? Checkpoint() : Checkpoint::open(base));
  loaded.weights_ = std::make_unique<Weights>(*loaded.checkpoint_, architecture.base_prefix, type, loaded.parameters_.get(), loaded.fresh_.get());
  try {
    if (adapter) adapter->apply(*loaded.checkpoint_, *loaded.weights_, loaded.config_->model_type());
    loaded.model_ = make_model(architecture, *loaded.config_, loaded.head_, {loaded.weights_.get(), ""});
  } catch (Error& e) {
    if (e.where.starts_with(folder) || e.where.starts_with(base)) throw;
    if (e.code == ErrorCode::kNotFound && head && !loaded.config_->architecture().empty() && head_of(*loaded.config_) != *head) {
      throw Error(e.code, "holds a " + loaded.config_->architecture() + ", which has not the head for this task (no tensor " + e.where + ")", folder);
    }
    throw Error(e.code, e.reason, folder + ": " + e.where);
  }
  return loaded;
}

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
