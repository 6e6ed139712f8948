#include "tensor/low_rank.h"

#include "formats/panels.h"
#include "polymath/error.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

// Which row of the changed tensor is the first of this part of it.
std::int64_t first_row(const TensorView& part, const LowRankTensors& change) {
  const auto offset = static_cast<std::uint64_t>(part.data.data() - change.changed.data());
  const auto k = static_cast<std::uint64_t>(part.shape.back());
  if (offset == 0) return 0;
  if (is_panels(part.dtype)) return static_cast<std::int64_t>(offset / panels_bytes(part.dtype, kPanelOutputs, k, part.name) * kPanelOutputs);
  return static_cast<std::int64_t>(offset / (k * dtype_size(part.dtype)));
}

// y[:, at...] += of_part
void add_to_columns(Tensor& y, std::int64_t at, const Tensor& of_part) {
  const auto d = static_cast<std::size_t>(of_part.dim(-1));
  for (std::int64_t r = 0; r < y.rows(); ++r) kernels::table().add(y.row(r) + at, of_part.row(r), d, y.row(r) + at);
  if (Tape* tape = Tape::of(of_part)) {
    tape->record_in_place(y, [of_part, at](const Tensor& dy) { add_gradient(of_part, take_columns(dy, at, at + of_part.dim(-1))); });
  }
}

}  // namespace

std::vector<LowRankChange> low_rank_changes(std::span<const TensorView* const> tensors, bool transposed) {
  std::vector<LowRankChange> changes;
  std::int64_t at = 0;
  const auto rows_in = [&](const TensorView& t) { return t.shape[transposed ? 1 : 0]; };
  for (std::size_t i = 0; i < tensors.size();) {
    const LowRankTensors* change = tensors[i]->low_rank;
    if (!change) {
      at += rows_in(*tensors[i++]);
      continue;
    }
    const std::int64_t rank = change->a.shape[0], begin = at;
    std::vector<Weight::Part> of_b;
    for (; i < tensors.size() && tensors[i]->low_rank == change; ++i) {
      const std::int64_t n = rows_in(*tensors[i]), row = first_row(*tensors[i], *change);
      const auto skipped = static_cast<std::size_t>(row * rank) * dtype_size(change->b.dtype);
      of_b.push_back({.data = change->b.data.data() + skipped, .dtype = change->b.dtype, .n = n, .row_stride = rank, .parameter = change->b.parameter});
      at += n;
    }
    const TensorView* a[] = {&change->a};
    changes.push_back({Weight::pack(a, LoadType::kF32), Weight::pack(std::move(of_b), rank, LoadType::kF32), change->scale, begin});
  }
  return changes;
}

Tensor changed_linear(const Tensor& x, const Weight& w, const LinearOptions& o) {
  Tensor y = linear(x, w.unchanged(), {.bias = o.bias, .scale = o.scale});
  for (const LowRankChange& c : w.changes()) {
    const Tensor inner = linear(x, c.a);
    if (c.b.n() == w.n()) y = linear(inner, c.b, {.scale = c.scale * o.scale, .residual = &y});
    else add_to_columns(y, c.at, linear(inner, c.b, {.scale = c.scale * o.scale}));
  }
  if (o.activation != Activation::kNone) y = activate(y, o.activation);
  return o.residual ? add(y, *o.residual) : y;
}

}  // namespace polymath
