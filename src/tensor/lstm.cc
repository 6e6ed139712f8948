#include "tensor/lstm.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>

#include "tensor/dropout.h"
#include "tensor/linear_gradient.h"
#include "tensor/parallel.h"
#include "tensor/product.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

using kernels::table;

// Rows in the order in which they are computed: step by step, in each the sequences that are that long, longest first. So the
// rows of a step lie side by side, and each behind that of its sequence's step before in the same order.
struct Packing {
  std::vector<std::int32_t> order;  // of sequences
  std::vector<std::int64_t> first;  // [steps + 1]: the packed rows of step t are [first[t], first[t+1])
  std::vector<std::int64_t> row;    // [packed rows]: where it lies in the batch

  explicit Packing(std::span<const std::int32_t> begin) : order(begin.size() - 1), first{0} {
    const auto length = [&](std::int32_t s) { return begin[static_cast<std::size_t>(s) + 1] - begin[static_cast<std::size_t>(s)]; };
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return length(a) > length(b); });
    for (std::int32_t t = 0; !order.empty() && t < length(order[0]); ++t) {
      for (std::size_t j = 0; j < order.size() && length(order[j]) > t; ++j) row.push_back(begin[static_cast<std::size_t>(order[j])] + t);
      first.push_back(static_cast<std::int64_t>(row.size()));
    }
  }

  std::size_t steps() const { return first.size() - 1; }
  std::int64_t count(std::size_t t) const { return first[t + 1] - first[t]; }
};

template <class Row>
Tensor gather(const Tensor& x, const std::vector<Row>& rows) {
  Tensor y({static_cast<std::int64_t>(rows.size()), x.dim(-1)});
  const auto bytes = static_cast<std::size_t>(x.dim(-1)) * sizeof(float);
  parallel_ranges(y.dim(0), row_grain(x.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) std::memcpy(y.row(r), x.row(rows[static_cast<std::size_t>(r)]), bytes);
  });
  return y;
}

Tensor scatter(const Tensor& x, const std::vector<std::int64_t>& rows) {
  Tensor y(x.shape());
  const auto bytes = static_cast<std::size_t>(x.dim(-1)) * sizeof(float);
  parallel_ranges(x.dim(0), row_grain(x.dim(-1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) std::memcpy(y.row(rows[static_cast<std::size_t>(r)]), x.row(r), bytes);
  });
  return y;
}

// All in packed rows, but for the states before the first step, which are in the packing's order of sequences.
struct Pass {
  Packing packing;
  Tensor gates;           // [rows, 4 H]: what the gates let through
  Tensor h, c;            // [rows, H]
  Tensor before_h, before_c;  // [sequences, H]

  // The state that row `j` of step t goes on from.
  const float* before(const Tensor& states, const Tensor& initial, std::size_t t, std::int64_t j) const {
    return t == 0 ? initial.row(j) : states.row(packing.first[t - 1] + j);
  }
};

void run_forward(Pass& p, const Weight& w, const Vector& bias) {
  const std::int64_t d = w.k();
  for (std::size_t t = 0; t < p.packing.steps(); ++t) {
    const std::int64_t first = p.packing.first[t], rows = p.packing.count(t);
    Product product{.a = p.before(p.h, p.before_h, t, 0), .a_stride = d, .rows = rows, .c = p.gates.row(first), .c_stride = 4 * d};
    product.epilogue = {.bias = bias.empty() ? nullptr : bias.data(), .residual = p.gates.row(first), .residual_stride = static_cast<std::size_t>(4 * d)};
    multiply(product, w);
    parallel_ranges(rows, row_grain(16 * d), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t j = begin; j < end; ++j) {
        table().lstm_cell(p.gates.row(first + j), p.before(p.c, p.before_c, t, j), static_cast<std::size_t>(d), p.c.row(first + j), p.h.row(first + j));
      }
    });
  }
}

// dh: [rows, H], packed; p.gates become the gradients of what they were given.
void run_backward(Pass& p, const Weight& w, Tensor dh) {
  const std::int64_t d = w.k();
  const Buffer transposed = transposed_panels(w);
  Tensor dc = zeros(p.before_c.shape());  // of the step that follows, by sequence
  for (std::size_t t = p.packing.steps(); t-- > 0;) {
    const std::int64_t first = p.packing.first[t], rows = p.packing.count(t);
    parallel_ranges(rows, row_grain(16 * d), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t j = begin; j < end; ++j) {
        table().lstm_cell_gradient(p.gates.row(first + j), p.before(p.c, p.before_c, t, j), p.c.row(first + j), dh.row(first + j),
                                   static_cast<std::size_t>(d), dc.row(j));
      }
    });
    if (t == 0) break;
    multiply({.a = p.gates.row(first), .a_stride = 4 * d, .rows = rows, .c = dh.row(p.packing.first[t - 1]), .c_stride = d, .accumulate = true},
             Panels(transposed, d, 4 * d));
  }
}

// h before each packed row.
Tensor states_before(const Pass& p) {
  Tensor before(p.h.shape());
  const auto bytes = static_cast<std::size_t>(p.h.dim(-1)) * sizeof(float);
  for (std::size_t t = 0; t < p.packing.steps(); ++t) {
    std::memcpy(before.row(p.packing.first[t]), p.before(p.h, p.before_h, t, 0), static_cast<std::size_t>(p.packing.count(t)) * bytes);
  }
  return before;
}

// w with values dropped, from the parameter that it was packed from.
Weight dropped(const Weight& w, const DropMask& mask) {
  Tensor values({w.n(), w.k()});
  const auto* from = reinterpret_cast<const float*>(w.parts().front().data);
  parallel_ranges(w.n(), row_grain(w.k()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      std::memcpy(values.row(r), from + r * w.k(), static_cast<std::size_t>(w.k()) * sizeof(float));
      mask.apply(r, values.row(r), w.k());
    }
  });
  return Weight::pack(values.data(), w.n(), w.k(), Storage::kF32);
}

void add_dropped_gradient(const Weight& w, const DropMask& mask, Tensor dw) {
  const Weight::Part& part = w.parts().front();
  float* gradient = part.parameter->gradient.data() + (reinterpret_cast<const float*>(part.data) - part.parameter->values.data());
  parallel_ranges(w.n(), row_grain(w.k()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      mask.apply(r, dw.row(r), w.k());
      table().add(gradient + r * w.k(), dw.row(r), static_cast<std::size_t>(w.k()), gradient + r * w.k());
    }
  });
}

}  // namespace

LstmStates lstm(const Tensor& gates, const Weight& w, const Vector& bias, const LstmOptions& o) {
  const std::int64_t d = w.k(), rows = gates.rows();
  auto p = std::make_shared<Pass>(Pass{Packing(o.begin), {}, Tensor({rows, d}), Tensor({rows, d}), {}, {}});
  const std::vector<std::int64_t> states = {static_cast<std::int64_t>(p->packing.order.size()), d};
  p->gates = gather(gates, p->packing.row);
  p->before_h = o.h.empty() ? zeros(states) : gather(o.h, p->packing.order);
  p->before_c = o.c.empty() ? zeros(states) : gather(o.c, p->packing.order);
  const DropMask mask = w.parts().empty() ? DropMask() : DropMask::next(o.weight_dropout);
  const Weight used = mask ? dropped(w, mask) : w;
  run_forward(*p, used, bias);
  LstmStates y{scatter(p->h, p->packing.row), scatter(p->c, p->packing.row)};
  Tape* tape = Tape::current();
  if (tape && (gates.node() || w.trained() || bias.trained())) {
    tape->record(y.h, [gates, w, used, mask, bias, p](const Tensor& dy) {
      run_backward(*p, used, gather(dy, p->packing.row));
      if (bias.trained()) bias.add_gradient(sum_rows(p->gates).data());
      if (w.trained() && mask) add_dropped_gradient(w, mask, weight_gradient(p->gates, states_before(*p)));
      else if (w.trained()) add_weight_gradient(w, p->gates, states_before(*p));
      add_gradient(gates, scatter(p->gates, p->packing.row));
    });
  }
  return y;
}

}  // namespace polymath
