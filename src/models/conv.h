// The convolution that DeBERTa v2 runs beside its first layer.
#pragma once

#include <vector>

#include "models/model.h"

namespace polymath {

// Sets the rows that the mask hides to zero.
void clear_padding(Tensor& x, const Step& step);

// norm(residual + act(conv1d(hidden) over neighbouring columns)), zero where the mask hides a row.
class ConvLayer {
 public:
  ConvLayer(const Config& config, const Scope& scope);
  Tensor operator()(const Tensor& hidden, const Tensor& residual, const Step& step) const;

 private:
  std::int64_t d_, kernel_size_, groups_;
  Activation act_;
  float dropout_;
  std::vector<Weight> taps_;  // [kernel_size * groups]: [d / groups, d / groups] each
  std::vector<Vector> bias_;  // of each group
  LayerNorm norm_;
};

}  // namespace polymath
