// What every architecture offers, and how one is found.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/config.h"
#include "models/new_adapter.h"
#include "nn/layers.h"
#include "nn/scope.h"
#include "nn/step.h"

namespace polymath {

class Adapter;  // adapter.h

// What stands on top of the encoder; the suffixes of Transformers' classes.
enum class Head {
  kBase,                     // ...Model
  kPreTraining,              // ...ForPreTraining
  kMaskedLm,                 // ...ForMaskedLM
  kSequenceClassification,   // ...ForSequenceClassification
  kTokenClassification,      // ...ForTokenClassification
  kQuestionAnswering,        // ...ForQuestionAnswering
  kNextSentencePrediction,   // ...ForNextSentencePrediction
  kMultipleChoice,           // ...ForMultipleChoice
  kCausalLm,                 // ...ForCausalLM, BertLMHeadModel
  kConditionalGeneration,    // ...ForConditionalGeneration, MarianMTModel
  kEncoder,                  // ...EncoderModel
};

// One tensor of a class's output, under Transformers' name.
struct Output {
  std::string name;
  Tensor value;          // per_row: [rows, ...] in the order of Step's rows (or head_rows); else [sequences, ...]
  bool per_row = false;
  bool of_target = false;  // the rows are the target's rather than the Step's
};

// A loaded model. Const and thread safe: the state of a call is in its Step.
class Model {
 public:
  virtual ~Model() = default;
  virtual std::vector<Output> forward(const Step& step) const = 0;

  // What a decoder's cache looks like; no layers for models that keep nothing (Step::cache stays empty).
  virtual KvShape kv_shape() const { return {}; }
  bool is_decoder() const { return kv_shape().layers > 0; }

  // An encoder-decoder's forward(step): where step.memory is not empty, its rows are the decoder's, with step.cache as in
  // a decoder, and only the decoder runs. Else step is the source: the encoder runs, then the decoder over *step.target
  // or, if null, over missing_target(step); then encoder_last_hidden_state is an output too.
  virtual bool is_encoder_decoder() const { return false; }
  // Runs the encoder. -> [sequences]: the keys and values of the source, in all layers of the decoder, without positions
  // that is_key hides.
  virtual std::vector<KvCache> remember(const Step&) const { return {}; }
  // The decoder's rows that the class takes where it is given none; throws Error if it takes none.
  virtual Step missing_target(const Step&) const { return {}; }
};

// The output of this name; throws Error if the class has none.
const Tensor& output_named(const std::vector<Output>& outputs, const std::string& name);

// Turns hidden states into a class's outputs.  hidden: [rows, D]
using HeadFunction = std::function<std::vector<Output>(const Tensor& hidden, const Step& step)>;

// The usual model of this family: an encoder from a Step to hidden states, and a head on top.
template <class Encoder>
class EncoderModel final : public Model {
 public:
  EncoderModel(Encoder encoder, HeadFunction head) : encoder_(std::move(encoder)), head_(std::move(head)) {}
  std::vector<Output> forward(const Step& step) const override { return head_(encoder_(step), step); }

 private:
  Encoder encoder_;
  HeadFunction head_;
};

template <class Encoder>
std::unique_ptr<Model> encoder_model(Encoder encoder, HeadFunction head) {
  return std::make_unique<EncoderModel<Encoder>>(std::move(encoder), std::move(head));
}

// The same of a decoder, which says what its cache looks like.
template <class Decoder>
class DecoderModel final : public Model {
 public:
  DecoderModel(Decoder decoder, HeadFunction head) : decoder_(std::move(decoder)), head_(std::move(head)) {}
  std::vector<Output> forward(const Step& step) const override { return head_(decoder_(step), step); }
  KvShape kv_shape() const override { return decoder_.kv_shape(); }

 private:
  Decoder decoder_;
  HeadFunction head_;
};

template <class Decoder>
std::unique_ptr<Model> decoder_model(Decoder decoder, HeadFunction head) {
  return std::make_unique<DecoderModel<Decoder>>(std::move(decoder), std::move(head));
}

// One line of the registry.
struct Architecture {
  const char* model_type;   // config.json's
  const char* class_prefix;  // of Transformers' classes: "Bert" in BertForMaskedLM
  const char* base_prefix;   // base_model_prefix: the name of the encoder inside a class with a head
  std::unique_ptr<Model> (*make)(const Config& config, Head head, const Scope& scope);
  const char* sizes;  // JSON: the sizes that its config class takes where config.json names none
  const char* tokens = "{}";   // JSON: the ids of special tokens that its config class takes for those that config.json does not speak of
  const char* aliases = "{}";  // JSON: fields under the names that other architectures have for them, as its config class reads them
  bool from_scratch = false;   // config.json says all that is needed to make its tensors
  bool recurrent = false;      // a sequence can go on from the state of the one before: text is one stream
};

const std::vector<Architecture>& architectures();
// Throws Error{kUnsupported} that lists what is known.
const Architecture& architecture_of(const Config& config);

// The head that config.json's architectures[0] names.
Head head_of(const Config& config);
// The head of a class by its name; absent where the architecture has no such class.
std::optional<Head> head_named(const std::string& class_name, const Architecture& architecture);

// The name of an architecture's class with this head, for config.json's architectures.
std::string class_of(const Architecture& architecture, Head head);

// How a checkpoint is made ready for another task.
struct NewHead {
  Json config = Json::object();  // fields that take the place of config.json's; null: the field goes
  std::uint64_t seed = 0;        // of what the checkpoint lacks and is made anew
  bool everything = false;       // there is no checkpoint: all is
};

// A model with the checkpoint that it was read from. Movable.
class LoadedModel {
 public:
  // Loads config.json and weights of a folder, or of an adapter's base with the adapter; `head` other than the
  // checkpoint's own as AutoModelFor... does.
  static LoadedModel load(const std::string& folder, LoadType type, const Head* head = nullptr);
  // The same, but models that are loaded so share what is the same in their files: adapters of one base keep its layers once
  // and add their own part in each call, which takes a little longer than a merged adapter.
  static LoadedModel load_sharing_base(const std::string& folder, LoadType type, const Head* head = nullptr);
  // The same in float32, with parameters that can change: a Tape gives them gradients.
  // lora: the checkpoint's own values stay, and an adapter of its linear layers is trained, with a classifier's head.
  static LoadedModel load_to_train(const std::string& folder, const Head* head = nullptr, const NewHead* anew = nullptr, const LoraOptions* lora = nullptr);

  // The checkpoint alone, as far as it is still needed when the model was looked at.
  LoadedModel without_model() &&;

  ParameterStore& parameters() const { return *parameters_; }  // of a model that was loaded to train
  const NewAdapter* new_adapter() const { return new_adapter_.get(); }  // that is trained, or null
  const Json& config_given() const { return config_given_; }  // config.json with a new head's fields, without defaults
  std::vector<std::string> made_anew() const { return fresh_ ? fresh_->names() : std::vector<std::string>(); }
  // A parameter's name in today's Transformers, which a file written now has.
  const std::string& name_of(const Parameter& parameter) const { return weights_->name_asked(parameter.name); }
  std::size_t shared_weights() const;  // how many weights its base keeps for the models that share it
  const Config& config() const { return *config_; }
  const Checkpoint& checkpoint() const { return *checkpoint_; }
  const Model& model() const { return *model_; }
  Head head() const { return head_; }

 private:
  struct Loading;
  static LoadedModel load(const std::string& folder, Loading how);
  void prepare_config(const Loading& how);
  void make(const Architecture& architecture, Head head, const std::string& base, LoadType type, const Adapter* adapter, const Loading& how);

  std::unique_ptr<Config> config_;
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<ParameterStore> parameters_;
  std::unique_ptr<FreshTensors> fresh_;
  std::unique_ptr<NewAdapter> new_adapter_;
  Json config_given_;
  std::vector<std::shared_ptr<const void>> kept_;  // what the model's tensors and layers hang on
  std::unique_ptr<Weights> weights_;
  std::unique_ptr<Model> model_;
  Head head_ = Head::kBase;
};

LoadType load_type_named(const std::string& name);  // auto f32 bf16 q8 q4; throws Error naming --dtype

}  // namespace polymath
