// polymath models: what comes with the program.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "base/file.h"
#include "cli/cli.h"
#include "models/adapter.h"
#include "models/shipped.h"
#include "tasks/task.h"

namespace polymath::cli {
namespace {

int models(bool json) {
  Json all = Json::array();
  for (const ShippedModel& model : shipped_models()) {
    Json tasks_of = Json::array();
    for (const TaskEntry& task : tasks()) {
      if (task.shipped && model.name == task.shipped) tasks_of.push_back(task.name);
    }
    std::uintmax_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(model.folder)) bytes += file.is_regular_file() ? file.file_size() : 0;
    const auto adapter = Adapter::open(model.folder);
    all.push_back({{"name", model.name}, {"model_type", Config::load(model.folder).model_type()}, {"base", adapter ? Json(base_name(adapter->base())) : Json()},
                   {"default_of", tasks_of}, {"mb", static_cast<double>(bytes) / 1e6}, {"folder", model.folder}});
  }
  if (json) {
    std::cout << all.dump(2) << '\n';
    return 0;
  }
  if (all.empty()) std::cout << "no models were found: $POLYMATH_MODELS names a folder of them\n";
  for (const Json& m : all) {
    std::string used;
    for (const Json& task : m["default_of"]) used += (used.empty() ? "default of " : ", ") + task.get<std::string>();
    char line[200];
    std::snprintf(line, sizeof line, "%-22s %7.1f MB  %-10s ", m["name"].get<std::string>().c_str(), m["mb"].get<double>(), m["model_type"].get<std::string>().c_str());
    std::cout << line << (m["base"].is_null() ? "" : "adapter of " + m["base"].get<std::string>() + (used.empty() ? "" : ", ")) << used << '\n';
  }
  return 0;
}

}  // namespace

void add_models(CLI::App& app, Common& common, Action& action) {
  auto* verb = app.add_subcommand("models", "list the models that come with the program");
  auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "a JSON list");
  add_common(*verb, common);
  verb->footer("A model's name serves wherever a folder does:\n  polymath run ner --model minilm-ner \"Ada met Charles.\"");
  verb->callback([json, &action] { action = [json] { return models(*json); }; });
}

}  // namespace polymath::cli
