#include "tensor/dropout.h"

#include <utility>

#include "base/random.h"
#include "tensor/parallel.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

thread_local std::optional<Dropping::Place> current_place;

void apply_to(const DropMask& mask, Tensor& x) {
  parallel_ranges(x.rows(), row_grain(x.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) mask.apply(r, x.row(r), x.dim(-1));
  });
}

}  // namespace

bool drops(float p) { return current_place && current_place->p.value_or(p) > 0; }

DropMask DropMask::next(float p) {
  DropMask mask;
  if (!drops(p)) return mask;
  Dropping::Place& place = *current_place;
  mask.p_ = place.p.value_or(p);
  mask.key_ = mixed(mixed(mixed(0, place.seed), place.step), place.uses++);
  return mask;
}

void DropMask::apply(std::int64_t row, float* x, std::int64_t n) const {
  const auto below = static_cast<std::uint64_t>(static_cast<double>(p_) * 0x1p32);  // of 32 random bits
  const float factor = 1.0f / (1.0f - p_);
  const std::uint64_t of_row = mixed(key_, static_cast<std::uint64_t>(row));
  for (std::int64_t i = 0; i < n; i += 2) {  // a number decides about two neighbours
    const std::uint64_t bits = mixed(of_row, static_cast<std::uint64_t>(i / 2));
    x[i] = (bits >> 32) < below ? 0.0f : x[i] * factor;
    if (i + 1 < n) x[i + 1] = (bits & 0xffffffffu) < below ? 0.0f : x[i + 1] * factor;
  }
}

Dropping::Dropping(std::uint64_t seed, std::uint64_t step, std::optional<float> p) : Dropping(Place{.seed = seed, .step = step, .uses = 0, .p = p}) {}
Dropping::Dropping(const std::optional<Place>& place) : before_(std::exchange(current_place, place)) {}
Dropping::~Dropping() { current_place = before_; }
std::optional<Dropping::Place> Dropping::place() { return current_place; }

Tensor dropout(const Tensor& x, float p) {
  const DropMask mask = DropMask::next(p);
  if (!mask) return x;
  Tensor y = copy_of(x);
  apply_to(mask, y);
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, mask](Tensor dy) {
      apply_to(mask, dy);
      add_gradient(x, std::move(dy));
    });
  }
  return y;
}

}  // namespace polymath
