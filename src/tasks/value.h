// The public API's values as JSON.
#pragma once

#include "base/json.h"
#include "polymath/pipeline.h"

namespace polymath {

Json json_of(const Value& value);

}  // namespace polymath
