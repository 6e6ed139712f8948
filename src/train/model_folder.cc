#include "train/model_folder.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <set>

#include "base/file.h"
#include "base/printable.h"
#include "formats/safetensors.h"
#include "polymath/error.h"
#include "tensor/parameter.h"
#include "tensor/weight.h"
#include "train/data_rows.h"

namespace polymath {
namespace {

// A table that is tied to one that the model reads is not written twice.
bool is_copy_of_read(const TensorView& tensor, const Checkpoint& checkpoint, const std::set<std::string>& read) {
  if (tensor.shape.size() < 2) return false;
  return std::any_of(read.begin(), read.end(), [&](const std::string& name) {
    const TensorView* other = checkpoint.find(name);
    return other && other->shape == tensor.shape && other->dtype == tensor.dtype && std::equal(other->data.begin(), other->data.end(), tensor.data.begin());
  });
}

// Arrays of a file in one float type.
class Arrays {
 public:
  explicit Arrays(DType type) : type_(type) {}

  // The values must stay where they are until write().
  void add(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    NamedArray array{name, type_, shape, {}};
    if (type_ != DType::kF32) {
      halves_.emplace_back(values.size());
      std::transform(values.begin(), values.end(), halves_.back().begin(), type_ == DType::kBf16 ? f32_to_bf16 : f32_to_f16);
      array.data = Bytes(reinterpret_cast<const std::uint8_t*>(halves_.back().data()), halves_.back().size() * 2);
    } else {
      array.data = Bytes(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float));
    }
    if (written_.insert(name).second) arrays_.push_back(std::move(array));
  }

  void write(const std::string& path) const { write_safetensors(path, arrays_, {{"format", "pt"}}); }

 private:
  DType type_;
  std::vector<NamedArray> arrays_;
  std::deque<std::vector<std::uint16_t>> halves_;
  std::set<std::string> written_;
};

void write_config(const LoadedModel& model, const std::string& folder, DType type) {
  Json config = model.config_given();
  config.erase("quantization_config");
  const char* field = config.contains("dtype") || !config.contains("torch_dtype") ? "dtype" : "torch_dtype";
  config[field] = type == DType::kBf16 ? "bfloat16" : type == DType::kF16 ? "float16" : "float32";
  write_file_atomically(join_path(folder, "config.json"), config.dump(2) + "\n");
}

// PEFT's names of tasks; it has none for a masked language model.
const std::map<Head, const char*> kTaskTypes = {{Head::kSequenceClassification, "SEQ_CLS"}, {Head::kTokenClassification, "TOKEN_CLS"},
                                                {Head::kQuestionAnswering, "QUESTION_ANS"}, {Head::kCausalLm, "CAUSAL_LM"},
                                                {Head::kConditionalGeneration, "SEQ_2_SEQ_LM"}, {Head::kBase, "FEATURE_EXTRACTION"}};

Json whole_or(double x) { return x == std::floor(x) ? Json(static_cast<std::int64_t>(x)) : Json(x); }

// A module's name behind the number of its layer, which all layers share; or all of it.
std::string within_layer(const std::string& module) {
  std::size_t from = 0;
  for (std::size_t begin = 0; begin < module.size();) {
    const std::string part = module.substr(begin, module.find('.', begin) - begin);
    begin += part.size() + 1;
    if (whole_number(part) && begin < module.size()) from = begin;
  }
  return module.substr(from);
}

}  // namespace

DType save_type_named(const std::string& name, const Checkpoint& checkpoint) {
  if (name == "f32") return DType::kF32;
  if (name == "bf16") return DType::kBf16;
  if (name == "f16") return DType::kF16;
  if (name != "auto") throw Error(ErrorCode::kInvalidArgument, "\"" + printable(name, 40) + "\" is not one of f32, bf16, f16, auto", "--save-dtype");
  const TensorView* largest = nullptr;
  for (const auto& [unused, tensor] : checkpoint.tensors()) {
    if (!largest || tensor.elements() > largest->elements()) largest = &tensor;
  }
  return largest && largest->dtype == DType::kBf16 ? DType::kBf16 : DType::kF32;
}

void save_model(const LoadedModel& model, const std::string& folder, DType type) {
  Arrays arrays(type);
  std::deque<std::vector<float>> floats;
  std::set<std::string> read;
  // A base model's own class has no prefix for itself.
  const std::string prefix = model.head() == Head::kBase ? std::string(architecture_of(model.config()).base_prefix) + "." : "";
  for (const Parameter* p : model.parameters().all()) {
    read.insert(p->name);
    const std::string& name = model.name_of(*p);
    arrays.add(!prefix.empty() && name.starts_with(prefix) ? name.substr(prefix.size()) : name, p->shape, p->values);
  }
  if (model.made_anew().empty() && model.head() != Head::kBase) {
    for (const auto& [name, tensor] : model.checkpoint().tensors()) {
      const bool number = tensor.dtype == DType::kF32 || tensor.dtype == DType::kBf16 || tensor.dtype == DType::kF16;
      if (!number || read.contains(name) || is_copy_of_read(tensor, model.checkpoint(), read)) continue;
      floats.push_back(read_f32(tensor));
      arrays.add(name, tensor.shape, floats.back());
    }
  }
  arrays.write(join_path(folder, "model.safetensors"));
  write_config(model, folder, type);
}

void save_adapter(const LoadedModel& model, const std::string& folder, DType type, const std::string& base) {
  const NewAdapter& adapter = *model.new_adapter();
  const LoraOptions& lora = adapter.options();
  Arrays arrays(type);
  std::set<std::string> whole, targets;
  for (const Parameter* p : model.parameters().all()) {
    const std::string& name = model.name_of(*p);
    arrays.add("base_model.model." + name, p->shape, p->values);
    if (p->name.ends_with(".lora_A.weight") || p->name.ends_with(".lora_B.weight")) continue;
    const std::string_view module = NewAdapter::whole_module(name);
    whole.insert(module.empty() ? name.substr(0, name.rfind('.')) : std::string(module));
  }
  for (const std::string& module : adapter.modules()) targets.insert(within_layer(module));
  const auto type_of = kTaskTypes.find(model.head());
  const Json config = {{"auto_mapping", nullptr}, {"base_model_name_or_path", base}, {"bias", "none"}, {"fan_in_fan_out", model.config().model_type() == "gpt2"},
                       {"inference_mode", true}, {"init_lora_weights", true}, {"lora_alpha", whole_or(lora.lora_alpha)}, {"lora_dropout", 0.0},
                       {"modules_to_save", whole.empty() ? Json() : Json(whole)}, {"peft_type", "LORA"}, {"r", lora.r}, {"target_modules", targets},
                       {"task_type", type_of == kTaskTypes.end() ? Json() : Json(type_of->second)}, {"use_dora", false}, {"use_rslora", lora.use_rslora}};
  arrays.write(join_path(folder, "adapter_model.safetensors"));
  write_config(model, folder, type);
  write_file_atomically(join_path(folder, "adapter_config.json"), config.dump(2) + "\n");
}

void copy_tokenizer_files(const std::string& from, const std::string& to) {
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
                           "spiece.model", "sentencepiece.bpe.model", "spm.model", "tokenizer.model", "source.spm", "target.spm", "target_vocab.json", "bpe.codes",
                           "dict.txt", "chat_template.jinja", "chat_template.json", "generation_config.json"}) {
    const std::string path = join_path(from, name);
    if (file_exists(path)) write_file_atomically(join_path(to, name), read_text_file(path));
  }
}

}  // namespace polymath
