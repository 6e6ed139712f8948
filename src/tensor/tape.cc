#include "tensor/tape.h"

#include <cstring>
#include <utility>

#include "kernels/kernels.h"
#include "polymath/error.h"
#include "tensor/dropout.h"
#include "tensor/parallel.h"

namespace polymath {
namespace {

thread_local Tape* current_tape = nullptr;

}  // namespace

Tape* Tape::current() { return current_tape; }

Tape::Recording::Recording(Tape* tape) : before_(std::exchange(current_tape, tape)) {}
Tape::Recording::~Recording() { current_tape = before_; }

void Tape::record(Tensor& y, std::function<void(Tensor dy)> backward) {
  y.set_node(std::make_shared<TapeNode>());
  entries_.push_back({y.node(), {y.shape().begin(), y.shape().end()}, /*in_place=*/false, [backward = std::move(backward)](Tensor& dy) { backward(std::move(dy)); }});
}

void Tape::record_in_place(Tensor& y, std::function<void(Tensor& dy)> backward) {
  if (!y.node()) y.set_node(std::make_shared<TapeNode>());
  entries_.push_back({y.node(), {y.shape().begin(), y.shape().end()}, /*in_place=*/true, std::move(backward)});
}

Tensor Tape::recomputed(const Tensor& x, std::function<Tensor(const Tensor& x)> f) {
  const auto place = Dropping::place();
  Tensor y;
  {
    Tape forgotten;
    const Recording recording(&forgotten);
    y = f(x);
  }
  if (!y.node()) return y;
  record(y, [x, f = std::move(f), place](Tensor dy) {
    Tape again;
    Tensor z;
    {
      const Dropping same(place);
      const Recording recording(&again);
      z = f(x);
    }
    again.backward(z, std::move(dy));
  });
  return y;
}

void Tape::backward(const Tensor& loss) {
  if (loss.size() != 1) throw Error(ErrorCode::kInvalidArgument, "must be one value to run backward from", "loss");
  Tensor one({1});
  one.data()[0] = 1.0f;
  backward(loss, std::move(one));
}

void Tape::backward(const Tensor& from, Tensor gradient) {
  if (!from.node()) throw Error(ErrorCode::kInvalidArgument, "hangs on nothing that has a gradient", "loss");
  const Recording off(nullptr);
  add_gradient(from, std::move(gradient));
  while (!entries_.empty()) {
    Entry entry = std::move(entries_.back());
    entries_.pop_back();
    Tensor& held = entry.node->gradient;
    if (held.empty()) continue;  // nothing came of it
    if (entry.in_place) {
      held = held.reshaped(entry.shape);
      entry.backward(held);
    } else {
      Tensor dy = std::exchange(held, Tensor()).reshaped(entry.shape);
      entry.backward(dy);
    }
  }
}

void add_gradient(const Tensor& x, Tensor&& dx) {
  if (!x.node()) return;
  Tensor& held = x.node()->gradient;
  if (held.empty()) held = std::move(dx);
  else add_to(held, dx);
}

void add_gradient(const Tensor& x, const Tensor& dx) {
  if (!x.node()) return;
  Tensor& held = x.node()->gradient;
  if (held.empty()) held = copy_of(dx);
  else add_to(held, dx);
}

void add_to(Tensor& y, const Tensor& x) {
  parallel_ranges(y.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    kernels::table().add(y.data() + begin, x.data() + begin, static_cast<std::size_t>(end - begin), y.data() + begin);
  });
}

Tensor copy_of(const Tensor& x) {
  Tensor y(x.shape());
  parallel_ranges(x.size(), 65536, [&](std::int64_t begin, std::int64_t end) {
    std::memcpy(y.data() + begin, x.data() + begin, static_cast<std::size_t>(end - begin) * sizeof(float));
  });
  return y;
}

Tensor zeros(std::span<const std::int64_t> shape) {
  Tensor y(shape);
  std::memset(y.data(), 0, static_cast<std::size_t>(y.size()) * sizeof(float));
  return y;
}

}  // namespace polymath
