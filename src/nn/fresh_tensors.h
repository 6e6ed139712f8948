// Tensors that a checkpoint lacks and a new task needs: the parts of a head, made as Transformers initializes them. Or all, of a
// model that begins from config.json alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"

namespace polymath {

// The first of a name's parts, between its dots, that is among these; empty: none is.
std::string_view part_among(std::string_view name, std::span<const std::string_view> parts);

// Matrices are normal(0, range), weights of norms 1, biases 0. The numbers hang on the seed and the tensor's name alone.
// Not thread safe; must outlive the views that it gives.
class FreshTensors {
 public:
  // score_bias: whether a head that is called "score" has a bias. everything: there is no checkpoint, so that all may be made.
  FreshTensors(std::uint64_t seed, double range, bool score_bias, bool everything) : seed_(seed), range_(range), score_bias_(score_bias), everything_(everything) {}

  // Whether a tensor of this name is part of a head, not of what has been trained before.
  static bool is_of_head(const std::string& name);
  bool may_make(const std::string& name) const { return everything_ || is_of_head(name); }

  const TensorView& make(const std::string& name, const std::vector<std::int64_t>& shape);
  // The bias that goes with a weight which was made, or null.
  const TensorView* make_bias(const std::string& name);
  const TensorView* find(const std::string& name) const;

  // The names of what was made.
  std::vector<std::string> names() const;

 private:
  struct Made {
    std::vector<float> values;
    TensorView view;
  };
  std::uint64_t seed_;
  double range_;
  bool score_bias_, everything_;
  std::map<std::string, std::unique_ptr<Made>> made_;
};

}  // namespace polymath
