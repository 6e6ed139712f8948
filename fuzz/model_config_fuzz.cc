// A config.json over the weights of a golden checkpoint of the same class; what follows a NUL byte chooses among those. It is
// refused with an Error, or the model can be built and run.
#include <algorithm>
#include <filesystem>
#include <map>

#include "base/bytes.h"
#include "base/threads.h"
#include "json_mutator.h"
#include "models/model.h"
#include "polymath/error.h"

namespace {

using namespace polymath;

// The golden checkpoints by the class that their config.json names.
const std::map<std::string, std::vector<std::string>>& folders() {
  static const auto made = [] {
    std::map<std::string, std::vector<std::string>> all;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/forward")) {
      const Config config = Config::load(entry.path().string());
      all[config.model_type() + " " + config.architecture()].push_back(entry.path().string());
    }
    for (auto& [name, list] : all) std::sort(list.begin(), list.end());
    return all;
  }();
  return made;
}

const Checkpoint& checkpoint(const std::string& folder) {
  static std::map<std::string, Checkpoint> opened;
  const auto found = opened.find(folder);
  return found != opened.end() ? found->second : opened.emplace(folder, Checkpoint::open(folder)).first->second;
}

Step some_step() {
  ThreadPool::set_global_threads(1);  // the work is too small to share
  Step step;
  const std::vector<std::int32_t> ids = {2, 5, 7, 1, 0, 3}, types = {0, 0, 0, 1, 1, 1};
  const std::vector<std::uint8_t> mask = {1, 1, 0, 1, 1, 0};
  step.add_sequence(ids, types);
  step.add_sequence({ids.data(), 1});
  step.add_sequence(ids, types, mask);
  return step;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Step plain = some_step();
  Step step = plain;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(all.find('\0'), all.size());
  const std::size_t choice = end + 1 < all.size() ? static_cast<std::uint8_t>(all[end + 1]) : 0;
  try {
    const Config config(parse_json(all.substr(0, end), "config.json"), "config.json");
    const auto found = folders().find(config.model_type() + " " + config.architecture());
    const Architecture& architecture = architecture_of(config);
    const Head head = head_of(config);
    if (found == folders().end()) return 0;
    const Weights weights(checkpoint(found->second[choice % found->second.size()]), architecture.base_prefix, choice & 128 ? LoadType::kQ8 : LoadType::kAuto);
    const auto model = architecture.make(config, head, Scope{&weights, ""});
    if (choice & 64) step.target = &plain;  // else encoder-decoders derive it
    volatile float sink = 0;
    for (const Output& output : model->forward(step)) {
      for (std::int64_t i = 0; i < output.value.size(); ++i) sink = sink + output.value.data()[i];
    }
  } catch (const Error&) {
  }
  return 0;
}
