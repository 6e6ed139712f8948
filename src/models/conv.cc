#include "models/conv.h"

#include <algorithm>

#include "polymath/error.h"

namespace polymath {

void clear_padding(Tensor& x, const Step& step) {
  std::vector<std::int32_t> hidden;
  for (std::size_t r = 0; r < step.is_key.size(); ++r) {
    if (!step.is_key[r]) hidden.push_back(static_cast<std::int32_t>(r));
  }
  clear_rows(x, hidden, 0, x.dim(-1));
}

ConvLayer::ConvLayer(const Config& c, const Scope& w)
    : d_(c.req<std::int64_t>("hidden_size")),
      kernel_size_(c.req<std::int64_t>("conv_kernel_size")),
      groups_(c.opt<std::int64_t>("conv_groups", 1)),
      act_(activation_named(c.opt<std::string>("conv_act", "tanh"), "conv_act")),
      dropout_(c.opt_rate("hidden_dropout_prob", 0.1)),
      norm_(w / "LayerNorm", d_, c.opt("layer_norm_eps", 1e-7)) {
  if (groups_ < 1 || d_ % groups_ != 0) throw Error(ErrorCode::kBadFile, "must divide hidden_size", c.path() + ": conv_groups");
  if (kernel_size_ % 2 == 0) throw Error(ErrorCode::kUnsupported, "must be odd", c.path() + ": conv_kernel_size");
  const std::int64_t width = d_ / groups_;
  const TensorView& weight = (w / "conv").tensor("weight", {d_, width, kernel_size_});  // [out, in, tap]
  const TensorView& bias = (w / "conv").tensor("bias", {d_});
  for (std::int64_t t = 0; t < kernel_size_; ++t) {
    for (std::int64_t g = 0; g < groups_; ++g) {
      const auto at = static_cast<std::size_t>(g * width * width * kernel_size_ + t) * dtype_size(weight.dtype);
      taps_.push_back(Weight::pack({{weight.data.data() + at, weight.dtype, width, width * kernel_size_, kernel_size_, weight.parameter}}, width, LoadType::kF32));
    }
  }
  for (std::int64_t g = 0; g < groups_; ++g) bias_.emplace_back(rows_of(bias, g * width, width));
}

Tensor ConvLayer::operator()(const Tensor& hidden, const Tensor& residual, const Step& step) const {
  const std::int64_t width = d_ / groups_, reach = (kernel_size_ - 1) / 2;
  std::vector<Tensor> sums(static_cast<std::size_t>(groups_));
  for (std::int64_t t = 0; t < kernel_size_; ++t) {
    std::vector<std::int32_t> at;  // of each row: the row of column + t - reach, or -1 where there is none
    for (int s = 0; s < step.sequences(); ++s) {
      std::int32_t other = step.begin[static_cast<std::size_t>(s)];  // rows hold ascending columns
      const std::int32_t end = step.begin[static_cast<std::size_t>(s) + 1];
      for (std::int32_t r = other; r < end; ++r) {
        const std::int64_t wanted = step.column[static_cast<std::size_t>(r)] + t - reach;
        while (other < end && step.column[static_cast<std::size_t>(other)] < wanted) ++other;
        at.push_back(other < end && step.column[static_cast<std::size_t>(other)] == wanted ? other : -1);
      }
    }
    const Tensor shifted = take_rows(hidden, at);
    for (std::int64_t g = 0; g < groups_; ++g) {
      Tensor& sum = sums[static_cast<std::size_t>(g)];
      const Tensor before = sum;
      sum = linear(take_columns(shifted, g * width, (g + 1) * width), taps_[static_cast<std::size_t>(t * groups_ + g)],
                   {.bias = t == 0 ? &bias_[static_cast<std::size_t>(g)] : nullptr, .residual = t == 0 ? nullptr : &before});
    }
  }
  Tensor sum = join_columns(sums);
  clear_padding(sum, step);
  Tensor y = norm_(add(residual, activate(dropout(sum, dropout_), act_)));
  clear_padding(y, step);
  return y;
}

}  // namespace polymath
