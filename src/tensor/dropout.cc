#include "tensor/dropout.h"

#include <utility>
#include <vector>

#include "base/random.h"
#include "tensor/parallel.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

thread_local std::optional<Dropping::Place> current_place;

// x with what `apply` does to each row; it does the same to gradients.
template <class Apply>
Tensor with_each_row(const Tensor& x, const Apply& apply) {
  const auto all_rows = [apply](Tensor& t) {
    parallel_ranges(t.rows(), row_grain(t.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) apply(r, t.row(r), t.dim(-1));
    });
  };
  Tensor y = copy_of(x);
  all_rows(y);
  if (Tape* tape = Tape::of(x)) {
    tape->record(y, [x, all_rows](Tensor dy) {
      all_rows(dy);
      add_gradient(x, std::move(dy));
    });
  }
  return y;
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
  return with_each_row(x, [mask](std::int64_t r, float* row, std::int64_t n) { mask.apply(r, row, n); });
}

Tensor locked_dropout(const Tensor& x, float p, std::span<const std::int32_t> groups) {
  const DropMask mask = DropMask::next(p);
  if (!mask) return x;
  return with_each_row(x, [mask, of_row = std::vector(groups.begin(), groups.end())](std::int64_t r, float* row, std::int64_t n) {
    mask.apply(of_row[static_cast<std::size_t>(r)], row, n);
  });
}

Tensor dropout_of_groups(const Tensor& x, float p, std::span<const std::int32_t> groups) {
  const DropMask mask = DropMask::next(p);
  if (!mask) return x;
  return with_each_row(x, [mask, of_row = std::vector(groups.begin(), groups.end())](std::int64_t r, float* row, std::int64_t n) {
    float factor = 1;
    mask.apply(of_row[static_cast<std::size_t>(r)], &factor, 1);
    for (std::int64_t i = 0; i < n; ++i) row[i] *= factor;
  });
}

}  // namespace polymath
