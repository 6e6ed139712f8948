// What a person sees while a model is trained.
#pragma once

#include <string>

#include "base/json.h"

namespace polymath::cli {

// Shows the reports of a training on standard error; with `json`, as one JSON line each on standard output.
class TrainingProgress {
 public:
  TrainingProgress(bool json, bool quiet);
  void show(const Json& event);
  // What was reached; in JSON the summary without its history.
  void end(const Json& summary);

 private:
  void line(const std::string& text);
  void bar(const Json& step);

  bool json_, quiet_, terminal_, drawn_ = false;
  std::int64_t shown_tenth_ = -1;
};

}  // namespace polymath::cli
