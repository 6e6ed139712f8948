#include "tensor/linear_gradient.h"

#include <cstring>

#include "tensor/parallel.h"
#include "tensor/product.h"

namespace polymath {
namespace {

// Not a multiple of 512, by which rows would fall into the same few lines of the first cache.
std::int64_t padded_stride(std::int64_t rows) {
  const std::int64_t stride = (rows + 15) / 16 * 16;
  return stride % 512 == 0 ? stride + 16 : stride;
}

// A matrix whose columns are products' rows.
struct Transposed {
  std::int64_t stride;
  Buffer values;

  Transposed(const float* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns)
      : stride(padded_stride(rows)), values(static_cast<std::size_t>(columns * stride)) {
    transpose(x, x_stride, rows, columns, values.data(), stride);
  }
};

// dx = dy w.  dy: [rows, n] -> of x's shape
Tensor input_gradient(const Tensor& x, const Weight& w, const Tensor& dy) {
  Tensor dx(x.shape());
  multiply({.a = dy.data(), .a_stride = w.n(), .rows = x.rows(), .c = dx.data(), .c_stride = w.k()}, Panels(transposed_panels(w), w.k(), w.n()));
  return dx;
}

}  // namespace

Buffer sum_rows(const Tensor& x) {
  const std::int64_t d = x.dim(-1);
  Buffer sums(static_cast<std::size_t>((d + 15) / 16 * 16));
  std::memset(sums.data(), 0, static_cast<std::size_t>(d) * sizeof(float));
  parallel_ranges(d, 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      kernels::table().add(sums.data() + begin, x.row(r) + begin, static_cast<std::size_t>(end - begin), sums.data() + begin);
    }
  });
  return sums;
}

Tensor weight_gradient(const Tensor& dy, const Tensor& x) {
  const std::int64_t rows = x.rows(), n = dy.dim(-1), k = x.dim(-1);
  Tensor dw({n, k});
  const Transposed left(dy.data(), n, rows, n);
  const Buffer right = row_panels(x.data(), k, rows, k);
  multiply({.a = left.values.data(), .a_stride = left.stride, .rows = n, .c = dw.data(), .c_stride = k}, Panels(right, k, rows));
  return dw;
}

void add_weight_gradient(const Weight& w, const Tensor& dy, const Tensor& x) {
  const std::int64_t rows = x.rows(), k = w.k(), n = w.n();
  if (rows == 0) return;
  Buffer x_panels;
  std::int64_t at = 0;  // the part's first output
  for (const Weight::Part& part : w.parts()) {
    const float* of_part = dy.data() + at;
    at += part.n;
    if (!part.parameter || !part.parameter->trained) continue;
    const auto from = reinterpret_cast<const float*>(part.data) - part.parameter->values.data();
    float* gradient = part.parameter->gradient.data() + from;
    if (part.step != 1 && part.row_stride == 1) {  // the parameter is [k, n]: x^T dy
      const Transposed left(x.data(), k, rows, k);
      const Buffer right = row_panels(of_part, n, rows, part.n);
      multiply({.a = left.values.data(), .a_stride = left.stride, .rows = k, .c = gradient, .c_stride = part.step, .accumulate = true},
               Panels(right, part.n, rows));
      continue;
    }
    const Transposed left(of_part, n, rows, part.n);
    if (!x_panels.data()) x_panels = row_panels(x.data(), k, rows, k);
    if (part.step == 1) {
      multiply({.a = left.values.data(), .a_stride = left.stride, .rows = part.n, .c = gradient, .c_stride = part.row_stride, .accumulate = true},
               Panels(x_panels, k, rows));
      continue;
    }
    Tensor dw({part.n, k});
    multiply({.a = left.values.data(), .a_stride = left.stride, .rows = part.n, .c = dw.data(), .c_stride = k}, Panels(x_panels, k, rows));
    for (std::int64_t i = 0; i < part.n; ++i) {
      for (std::int64_t j = 0; j < k; ++j) gradient[i * part.row_stride + j * part.step] += dw.row(i)[j];
    }
  }
}

bool linear_is_recorded(const Tensor& x, const Weight& w, const LinearOptions& o) {
  return x.node() || w.trained() || (o.bias && o.bias->trained()) || (o.residual && o.residual->node());
}

Tensor recorded_linear(Tape& tape, const Tensor& x, const Weight& w, const LinearOptions& o) {
  if (o.activation != Activation::kNone) {  // an op of its own, which keeps what its gradient hangs on
    const Tensor y = activate(linear(x, w, {.bias = o.bias, .scale = o.scale}), o.activation);
    return o.residual ? add(y, *o.residual) : y;
  }
  Tensor y;
  {
    const Tape::Recording off(nullptr);
    y = linear(x, w, o);
  }
  tape.record(y, [x, w, bias = o.bias ? *o.bias : Vector(), residual = o.residual ? *o.residual : Tensor(), scale = o.scale](Tensor dy) {
    add_gradient(residual, dy);
    if (bias.trained()) bias.add_gradient(sum_rows(dy).data());
    if (scale != 1.0f) dy = scaled(dy, scale);
    if (w.trained()) add_weight_gradient(w, dy, x);
    if (x.node()) add_gradient(x, input_gradient(x, w, dy));
  });
  return y;
}

}  // namespace polymath
