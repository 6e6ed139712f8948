#include "train/model_folder.h"

#include <algorithm>
#include <deque>
#include <set>

#include "base/file.h"
#include "base/printable.h"
#include "formats/safetensors.h"
#include "polymath/error.h"
#include "tensor/parameter.h"
#include "tensor/weight.h"

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

}  // namespace

DType save_type_named(const std::string& name, const Checkpoint& checkpoint) {
  if (name == "f32") return DType::kF32;
  if (name == "bf16") return DType::kBf16;
  if (name != "auto") throw Error(ErrorCode::kInvalidArgument, "\"" + printable(name, 40) + "\" is not one of f32, bf16, auto", "--save-dtype");
  const TensorView* largest = nullptr;
  for (const auto& [unused, tensor] : checkpoint.tensors()) {
    if (!largest || tensor.elements() > largest->elements()) largest = &tensor;
  }
  return largest && largest->dtype == DType::kBf16 ? DType::kBf16 : DType::kF32;
}

void save_model(const LoadedModel& model, const std::string& folder, DType type) {
  std::vector<NamedArray> arrays;
  std::deque<std::vector<std::uint16_t>> halves;
  std::deque<std::vector<float>> floats;
  std::set<std::string> read, written;
  const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    NamedArray array{name, type, shape, {}};
    if (type == DType::kBf16) {
      halves.emplace_back(values.size());
      std::transform(values.begin(), values.end(), halves.back().begin(), f32_to_bf16);
      array.data = Bytes(reinterpret_cast<const std::uint8_t*>(halves.back().data()), halves.back().size() * 2);
    } else {
      array.data = Bytes(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float));
    }
    if (written.insert(name).second) arrays.push_back(std::move(array));
  };
  // A base model's own class has no prefix for itself.
  const std::string prefix = model.head() == Head::kBase ? std::string(architecture_of(model.config()).base_prefix) + "." : "";
  for (const Parameter* p : model.parameters().all()) {
    read.insert(p->name);
    const std::string& name = model.name_of(*p);
    add(!prefix.empty() && name.starts_with(prefix) ? name.substr(prefix.size()) : name, p->shape, p->values);
  }
  if (model.made_anew().empty() && model.head() != Head::kBase) {
    for (const auto& [name, tensor] : model.checkpoint().tensors()) {
      const bool number = tensor.dtype == DType::kF32 || tensor.dtype == DType::kBf16 || tensor.dtype == DType::kF16;
      if (!number || read.contains(name) || is_copy_of_read(tensor, model.checkpoint(), read)) continue;
      floats.push_back(read_f32(tensor));
      add(name, tensor.shape, floats.back());
    }
  }
  write_safetensors(join_path(folder, "model.safetensors"), arrays, {{"format", "pt"}});

  Json config = model.config_given();
  config.erase("quantization_config");
  const char* field = config.contains("dtype") || !config.contains("torch_dtype") ? "dtype" : "torch_dtype";
  config[field] = type == DType::kBf16 ? "bfloat16" : "float32";
  write_file_atomically(join_path(folder, "config.json"), config.dump(2) + "\n");
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
