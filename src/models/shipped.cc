#include "models/shipped.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

// In the order in which they are searched.
std::vector<std::string> places() {
  std::vector<std::string> all;
  if (const char* given = std::getenv("POLYMATH_MODELS"); given && *given) all.push_back(given);
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path prefix = program.parent_path().parent_path();
    all.push_back(prefix / "share" / "polymath" / "models");
    all.push_back(prefix / "models");  // of a program in the build folder
  }
  for (const char* built : {POLYMATH_INSTALLED_MODELS, POLYMATH_SOURCE_MODELS}) all.push_back(built);
  return all;
}

bool is_model(const fs::path& folder) { return file_exists((folder / "config.json").string()); }

}  // namespace

std::string model_folder(const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos || directory_exists(name) || name == "." || name == "..") return name;
  for (const std::string& place : places()) {
    if (const fs::path folder = fs::path(place) / name; is_model(folder)) return folder.string();
  }
  return name;
}

std::vector<ShippedModel> shipped_models() {
  std::vector<ShippedModel> models;
  for (const std::string& place : places()) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(place, error)) {
      const std::string name = entry.path().filename().string();
      const bool known = std::any_of(models.begin(), models.end(), [&](const ShippedModel& m) { return m.name == name; });
      if (!known && is_model(entry.path())) models.push_back({name, entry.path().string()});
    }
  }
  std::sort(models.begin(), models.end(), [](const ShippedModel& a, const ShippedModel& b) { return a.name < b.name; });
  return models;
}

}  // namespace polymath
