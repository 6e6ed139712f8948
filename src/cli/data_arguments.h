// How the verbs that read data files are told to read them.
#pragma once

#include <string>

#include "cli/cli.h"
#include "train/data.h"

namespace polymath::cli {

struct DataArguments {
  std::string columns, format = "auto", rows;
  bool header = false, no_header = false, skip_bad = false;
  std::size_t limit = 0;

  // Throws Error naming the option that is wrong.
  DataOptions options() const;
};

// Adds --format, --columns, --rows, --header, --no-header, --skip-bad and --limit to a verb.
void add_data_options(CLI::App& verb, DataArguments& arguments, const std::string& limit_help);

}  // namespace polymath::cli
