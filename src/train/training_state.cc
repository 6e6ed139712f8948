#include "train/training_state.h"

#include <filesystem>

#include "polymath/error.h"

namespace polymath {
namespace {

constexpr const char* kProgress = "progress";

}  // namespace

TrainingState::TrainingState(const std::string& output) : folder_(join_path(output, ".training")), path_(join_path(folder_, "state.safetensors")) {}

bool TrainingState::exists() const { return file_exists(path_); }

void TrainingState::write(const std::vector<NamedArray>& arrays, const Json& progress) const {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) throw Error(ErrorCode::kIo, "cannot create: " + error.message(), folder_);
  write_safetensors(path_, arrays, {{kProgress, dump_json(progress)}});
}

TrainingState::Kept TrainingState::read() const {
  Kept kept{MappedFile(path_), {}, {}};
  std::map<std::string, std::string> metadata;
  kept.tensors = parse_safetensors(kept.file.bytes(), path_, &kept.file, &metadata);
  const auto found = metadata.find(kProgress);
  if (found == metadata.end()) throw Error(ErrorCode::kBadFile, "is not the state of a training", path_);
  kept.progress = parse_json(found->second, path_ + ": " + kProgress);
  return kept;
}

void TrainingState::clean() const {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    if (entry.path().filename().string().starts_with("state.safetensors.tmp")) std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace polymath
