// Recording a computation so that it can be run backward: reverse-mode differentiation.
//
// Goals: the models' own files serve training; inference pays one branch an op; gradients have the same bits for any
// number of threads. Non-goals: second derivatives, graphs that are kept and run again.
//
// An op asks Tape::of(inputs) for the tape; null means that nothing is to be recorded. Otherwise it records a closure
// that turns the gradient of its result into those of its inputs. A closure owns all it needs and keeps inputs, never
// results: an op that works in place may change a result later. backward() runs the closures in reverse and frees each
// one's memory as it goes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tensor/tensor.h"

namespace polymath {

// The place of a tensor in a recording. Copies and reshaped views of the tensor share it.
struct TapeNode {
  Tensor gradient;  // empty: nothing has flowed here
};

// Not thread safe; different threads record on different tapes.
class Tape {
 public:
  // recompute: what layers compute inside is not kept but computed anew on the way back (recomputed(), below).
  explicit Tape(bool recompute = false) : recompute_(recompute) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // The tape on which the calling thread records; null: none.
  static Tape* current();
  // The same, or null where none of the inputs has a place on it, so that there is nothing to record.
  template <class... Tensors>
  static Tape* of(const Tensors&... inputs) {
    Tape* tape = current();
    return tape && (inputs.node() || ...) ? tape : nullptr;
  }

  // While it lives, the calling thread records on `tape` (null: on none).
  class Recording {
   public:
    explicit Recording(Tape* tape);
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

   private:
    Tape* before_;
  };

  // Gives y, an op's new result, a place; `backward` gets its gradient, of y's shape and its own to keep or change.
  void record(Tensor& y, std::function<void(Tensor dy)> backward);
  // Records an op that changed y in place: `backward` turns the gradient of what y holds now into that of what it held.
  // y gets a place if it has none.
  void record_in_place(Tensor& y, std::function<void(Tensor& dy)> backward);

  bool recomputes() const { return recompute_; }
  // f(x), of which only x is kept: f runs a second time on the way back. It owns what it uses, and gives the same result.
  Tensor recomputed(const Tensor& x, std::function<Tensor(const Tensor& x)> f);

  // Runs backward from a loss of one value, whose gradient is 1, and empties the tape.
  void backward(const Tensor& loss);
  // The same from any recorded tensor, given its gradient.
  void backward(const Tensor& from, Tensor gradient);

 private:
  struct Entry {
    std::shared_ptr<TapeNode> node;
    std::vector<std::int64_t> shape;
    bool in_place;
    std::function<void(Tensor& dy)> backward;
  };
  std::vector<Entry> entries_;
  bool recompute_;
};

// Adds dx to the gradient of x, if x has a place on a tape.
void add_gradient(const Tensor& x, Tensor&& dx);
void add_gradient(const Tensor& x, const Tensor& dx);

// What closures need beside the ops; none of it is recorded.
void add_to(Tensor& y, const Tensor& x);  // y += x, of the same size
Tensor copy_of(const Tensor& x);
Tensor zeros(std::span<const std::int64_t> shape);

}  // namespace polymath
