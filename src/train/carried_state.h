// The states that the streams of a text (TrainingSet::read_as_stream) carry from one batch to the next.
#pragma once

#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "models/model.h"

namespace polymath {

// Not thread safe. Not to be made while the thread records, and not to be moved once attached.
class CarriedState {
 public:
  CarriedState(const Model& model, std::size_t streams);

  // Each sequence of the step goes on from its place's state and leaves its own there.
  void attach(Step& step);
  // All streams begin anew.
  void clear();

  // As an array over memory of this object: what was kept of it may take its place before restore().
  NamedArray array();
  void restore();

 private:
  std::size_t width() const;  // of a stream's part of the array: whether it holds a state, and the state

  KvShape shape_;
  std::vector<KvCache> caches_;  // [streams], of one position or none
  std::vector<float> values_;
};

}  // namespace polymath
