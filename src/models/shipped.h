// The models that come with the program, each by the name of its folder.
#pragma once

#include <string>
#include <vector>

namespace polymath {

// The folder that a name given for a model stands for: a folder of that name, if there is one, else the shipped model, else
// the name itself. Shipped models lie in $POLYMATH_MODELS, or where the program was built or installed.
std::string model_folder(const std::string& name);

struct ShippedModel {
  std::string name, folder;
};
std::vector<ShippedModel> shipped_models();  // by name

}  // namespace polymath
