// The public API's values as JSON.
#pragma once

#include "base/json.h"
#include "models/model.h"
#include "polymath/pipeline.h"

namespace polymath {

Json json_of(const Value& value);

// The parameters that a model is loaded with: "dtype", and those that hold for its calls.
struct LoadParameters {
  LoadType type = LoadType::kAuto;
  bool share_base = false;
  Json calls = Json::object();

  explicit LoadParameters(const Parameters& parameters);
};

}  // namespace polymath
