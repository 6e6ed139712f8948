#include "formats/checkpoint.h"

#include <set>

namespace polymath {

void Checkpoint::add_file(const std::string& path) {
  files_.push_back(std::make_unique<MappedFile>(path));
  const MappedFile& file = *files_.back();
  for (TensorView& t : parse_safetensors(file.bytes(), path, &file)) {
    std::string name = t.name;
    if (!tensors_.emplace(name, std::move(t)).second) throw Error(ErrorCode::kBadFile, "is in more than one file", path + ": " + name);
  }
}

void Checkpoint::add_shards(const std::string& folder, const std::string& index_path) {
  const auto map = parse_weight_map(read_text_file(index_path, std::uint64_t{256} << 20), index_path);
  std::set<std::string> shards;
  for (const auto& [name, shard] : map) shards.insert(shard);
  for (const std::string& shard : shards) add_file(join_path(folder, shard));
  for (const auto& [name, shard] : map) {
    if (!tensors_.contains(name)) throw Error(ErrorCode::kBadFile, "is not in " + shard + " as the index says", index_path + ": " + name);
  }
}

Checkpoint Checkpoint::open(const std::string& folder) {
  Checkpoint checkpoint;
  const auto path = [&](const char* name) { return join_path(folder, name); };
  if (file_exists(path("model.safetensors"))) checkpoint.add_file(path("model.safetensors"));
  else if (file_exists(path("model.safetensors.index.json"))) checkpoint.add_shards(folder, path("model.safetensors.index.json"));
  else {
    throw Error(ErrorCode::kNotFound, "has no weights (model.safetensors or pytorch_model.bin, whole or with an index)", folder);
  }
  return checkpoint;
}

const TensorView* Checkpoint::find(const std::string& name) const {
  auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

}  // namespace polymath
