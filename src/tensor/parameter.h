// The numbers of a model that training changes, and what reads them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/checkpoint.h"

namespace polymath {

// A tensor of the checkpoint whose values may change. Its readers (Weight, Vector, EmbeddingTable) add to its gradient
// when a Tape runs backward; a table that is tied gets the sum of its uses.
struct Parameter {
  std::string name;  // the checkpoint's
  std::vector<std::int64_t> shape;
  std::vector<float> values;    // row-major
  std::vector<float> gradient;  // of the values; empty: nothing reads it
  bool trained = true;          // false: no gradient is computed
  std::vector<std::function<void()>> on_change;  // readers that keep copies of the values

  void ask_for_gradient() { gradient.resize(values.size(), 0.0f); }
};

// The parameters of one model. Not thread safe; must outlive the model.
class ParameterStore {
 public:
  // The tensor as float32 values of a parameter: another view each time, but one parameter for a tensor.
  TensorView& of(const TensorView& tensor);

  // Once a model is made: forgets the tensors that it looked at but does not read.
  void drop_unread();

  // Those that the model reads, by name.
  std::vector<Parameter*> all() const;

  void zero_gradients();
  // To be called when values have changed.
  void refresh();

 private:
  struct Kept {
    Parameter parameter;
    TensorView view;
  };
  std::map<std::string, std::unique_ptr<Kept>> kept_;
};

// A row of numbers read from tensors: a bias, a norm's weight, a small table. Copies share it, and it follows the
// parameters that it was read from. Zero up to the next multiple of 16. Const use from many threads is safe.
class Vector {
 public:
  Vector() = default;
  explicit Vector(std::int64_t size, float value = 0);
  // All of a tensor, plus an offset.
  explicit Vector(const TensorView& tensor, float offset = 0);

  bool empty() const { return !state_; }
  std::int64_t size() const { return state_ ? state_->size : 0; }
  const float* data() const { return state_ ? state_->values.data() : nullptr; }
  float operator[](std::size_t i) const { return state_->values[i]; }

  // Puts a tensor's values at [at, at + its size).
  void place(const TensorView& tensor, std::int64_t at);

  bool trained() const;  // whether a gradient of its values is asked for
  void add_gradient(const float* d) const;  // d: [size]

 private:
  struct Part {
    Parameter* parameter;
    std::size_t from, count, at;  // values of the parameter, and where they lie here
  };
  struct State {
    std::int64_t size = 0;
    std::vector<float> values;  // [size rounded up to 16]
    std::vector<Part> parts;
    float offset = 0;
  };
  static void read(State& state, const Part& part);

  std::shared_ptr<State> state_;
};

// Training leaves this tensor alone.
void freeze(const TensorView& tensor);

// count values of this type as float32.
void to_f32(DType dtype, const std::uint8_t* from, std::size_t count, float* out);
// A whole tensor as float32.
std::vector<float> read_f32(const TensorView& tensor);

}  // namespace polymath
