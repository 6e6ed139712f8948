// The program's verbs. Each adds itself to the command line and says what to run.
#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "models/model.h"

namespace polymath::cli {

// What works with every verb.
struct Common {
  int threads = 0;  // 0: the physical cores
  std::string dtype = "auto";
  bool quiet = false;
};

// The verb that was chosen; returns the exit code.
using Action = std::function<int()>;

void add_bench(CLI::App& app, Common& common, Action& action);
void add_chat(CLI::App& app, Common& common, Action& action);
void add_eval(CLI::App& app, Common& common, Action& action);
void add_forward(CLI::App& app, Common& common, Action& action);
void add_models(CLI::App& app, Common& common, Action& action);
void add_perplexity(CLI::App& app, Common& common, Action& action);
void add_quantize(CLI::App& app, Common& common, Action& action);
void add_gradients(CLI::App& app, Common& common, Action& action);
void add_run(CLI::App& app, Common& common, Action& action);
void add_search(CLI::App& app, Common& common, Action& action);
void add_template(CLI::App& app, Common& common, Action& action);
void add_tokenize(CLI::App& app, Common& common, Action& action);
void add_train(CLI::App& app, Common& common, Action& action);
void add_train_tokenizer(CLI::App& train, Common& common, Action& action);
void add_info(CLI::App& app, Common& common, Action& action);

// What a person gives as a parameter: JSON if it parses, else a string.
Json value_given(const std::string& text);

// Adds an option for a model, a folder or a shipped model's name; `folder` gets the folder.
CLI::Option* add_model(CLI::App& verb, const std::string& option, std::string& folder, const std::string& help);

// Adds --threads, --dtype and --quiet to a verb.
void add_common(CLI::App& verb, Common& common);

}  // namespace polymath::cli
