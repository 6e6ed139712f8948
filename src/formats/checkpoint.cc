#include "formats/checkpoint.h"

#include <set>

#include "base/printable.h"
#include "formats/panels.h"
#include "formats/torch_pickle.h"

namespace polymath {

void Checkpoint::add_file(const std::string& path) {
  files_.push_back(std::make_unique<MappedFile>(path));
  const MappedFile& file = *files_.back();
  if (path.ends_with(".bin")) {
    TorchFile torch = parse_torch_file(file.bytes(), path, &file);
    owned_.insert(owned_.end(), torch.owned.begin(), torch.owned.end());
    add_tensors(std::move(torch.tensors), path);
    return;
  }
  std::map<std::string, std::string> metadata;
  auto tensors = parse_safetensors(file.bytes(), path, &file, &metadata);
  apply_panels(tensors, metadata, path);
  add_tensors(std::move(tensors), path);
}

void Checkpoint::add_tensors(std::vector<TensorView> tensors, const std::string& path) {
  for (TensorView& t : tensors) {
    std::string name = t.name;
    if (!tensors_.emplace(name, std::move(t)).second) throw Error(ErrorCode::kBadFile, "is in more than one file", path + ": " + printable(name));
  }
}

void Checkpoint::add_shards(const std::string& folder, const std::string& index_path) {
  const auto map = parse_weight_map(read_text_file(index_path, std::uint64_t{256} << 20), index_path);
  std::set<std::string> shards;
  for (const auto& [name, shard] : map) shards.insert(shard);
  for (const std::string& shard : shards) {
    const std::string path = join_path(folder, shard);
    if (!file_exists(path)) throw Error(ErrorCode::kNotFound, "the shard " + printable(shard) + " is not there", index_path);
    add_file(path);
  }
  for (const auto& [name, shard] : map) {
    if (!tensors_.contains(name)) throw Error(ErrorCode::kBadFile, "is not in " + printable(shard) + " as the index says", index_path + ": " + printable(name));
  }
}

Checkpoint Checkpoint::open(const std::string& folder) {
  // In the order in which Transformers looks for them.
  return open_first(folder, {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"},
                    "has no weights (model.safetensors or pytorch_model.bin, whole or with an index)");
}

Checkpoint Checkpoint::open_adapter(const std::string& folder) {
  return open_first(folder, {"adapter_model.safetensors", "adapter_model.bin"}, "has no adapter_model.safetensors or adapter_model.bin");
}

Checkpoint Checkpoint::view() const {
  Checkpoint copy;
  copy.tensors_ = tensors_;
  return copy;
}

void Checkpoint::set(const std::string& name, std::vector<std::int64_t> shape, std::vector<float> values) {
  auto kept = std::make_shared<const std::vector<float>>(std::move(values));
  owned_.push_back(kept);
  tensors_[name] = {.name = name,
                    .dtype = DType::kF32,
                    .shape = std::move(shape),
                    .data = {reinterpret_cast<const std::uint8_t*>(kept->data()), kept->size() * sizeof(float)}};
}

Checkpoint Checkpoint::open_first(const std::string& folder, std::initializer_list<const char*> names, const char* what) {
  Checkpoint checkpoint;
  for (const char* name : names) {
    const std::string path = join_path(folder, name);
    if (!file_exists(path)) continue;
    if (path.ends_with(".index.json")) checkpoint.add_shards(folder, path);
    else checkpoint.add_file(path);
    return checkpoint;
  }
  throw Error(ErrorCode::kNotFound, what, folder);
}

const TensorView* Checkpoint::find(const std::string& name) const {
  auto found = tensors_.find(name);
  if (found == tensors_.end()) return nullptr;
  const TensorView& t = found->second;
  if (t.dtype == DType::kF8E4M3 || t.dtype == DType::kF8E5M2) {
    const std::string where = (t.file ? t.file->path() + ": " : "") + printable(name);
    throw Error(ErrorCode::kUnsupported, std::string("is stored as ") + dtype_name(t.dtype) + ", which needs scales that this program does not apply", where);
  }
  return &t;
}

}  // namespace polymath
