#include "models/conv.h"

#include <algorithm>
#include <cstring>

#include "polymath/error.h"

namespace polymath {

void clear_padding(Tensor& x, const Step& step) {
  for (std::size_t r = 0; r < step.is_key.size(); ++r) {
    if (!step.is_key[r]) std::fill_n(x.row(static_cast<std::int64_t>(r)), x.dim(-1), 0.0f);
  }
}

ConvLayer::ConvLayer(const Config& c, const Scope& w)
    : d_(c.req<std::int64_t>("hidden_size")),
      kernel_size_(c.req<std::int64_t>("conv_kernel_size")),
      groups_(c.opt<std::int64_t>("conv_groups", 1)),
      act_(activation_named(c.opt<std::string>("conv_act", "tanh"), "conv_act")),
      bias_(read_f32((w / "conv").tensor("bias", {d_}))),
      norm_(w / "LayerNorm", d_, c.opt("layer_norm_eps", 1e-7)) {
  if (groups_ < 1 || d_ % groups_ != 0) throw Error(ErrorCode::kBadFile, "must divide hidden_size", c.path() + ": conv_groups");
  if (kernel_size_ % 2 == 0) throw Error(ErrorCode::kUnsupported, "must be odd", c.path() + ": conv_kernel_size");
  const std::int64_t width = d_ / groups_;
  const auto weight = read_f32((w / "conv").tensor("weight", {d_, width, kernel_size_}));  // [out, in, tap]
  std::vector<float> tap(static_cast<std::size_t>(width * width));
  for (std::int64_t t = 0; t < kernel_size_; ++t) {
    for (std::int64_t g = 0; g < groups_; ++g) {
      for (std::int64_t o = 0; o < width; ++o) {
        for (std::int64_t i = 0; i < width; ++i) {
          tap[static_cast<std::size_t>(o * width + i)] = weight[static_cast<std::size_t>(((g * width + o) * width + i) * kernel_size_ + t)];
        }
      }
      taps_.push_back(Weight::pack(tap.data(), width, width, Storage::kF32));
    }
  }
}

Tensor ConvLayer::operator()(const Tensor& hidden, const Tensor& residual, const Step& step) const {
  const std::int64_t rows = hidden.rows(), width = d_ / groups_, reach = (kernel_size_ - 1) / 2;
  Tensor sum({rows, d_});
  for (std::int64_t r = 0; r < rows; ++r) std::memcpy(sum.row(r), bias_.data(), bias_.size() * sizeof(float));
  Tensor shifted({rows, width});
  for (std::int64_t t = 0; t < kernel_size_; ++t) {
    for (std::int64_t g = 0; g < groups_; ++g) {
      std::fill_n(shifted.data(), shifted.size(), 0.0f);
      for (int s = 0; s < step.sequences(); ++s) {
        // Rows hold ascending columns; the row of column + t - reach, where there is one.
        std::int32_t other = step.begin[static_cast<std::size_t>(s)];
        const std::int32_t end = step.begin[static_cast<std::size_t>(s) + 1];
        for (std::int32_t r = other; r < end; ++r) {
          const std::int64_t wanted = step.column[static_cast<std::size_t>(r)] + t - reach;
          while (other < end && step.column[static_cast<std::size_t>(other)] < wanted) ++other;
          if (other < end && step.column[static_cast<std::size_t>(other)] == wanted) {
            std::memcpy(shifted.row(r), hidden.row(other) + g * width, static_cast<std::size_t>(width) * sizeof(float));
          }
        }
      }
      const Tensor product = linear(shifted, taps_[static_cast<std::size_t>(t * groups_ + g)]);
      for (std::int64_t r = 0; r < rows; ++r) {
        kernels::table().add(sum.row(r) + g * width, product.row(r), static_cast<std::size_t>(width), sum.row(r) + g * width);
      }
    }
  }
  clear_padding(sum, step);
  Tensor y = norm_(add(residual, activate(sum, act_)));
  clear_padding(y, step);
  return y;
}

}  // namespace polymath
