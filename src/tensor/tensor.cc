#include "tensor/tensor.h"

#include <algorithm>

#include "base/bytes.h"

namespace polymath {

void Tensor::set_shape(std::span<const std::int64_t> shape) {
  if (shape.size() > shape_.size()) throw Error(ErrorCode::kUnsupported, "tensors have at most five axes");
  rank_ = static_cast<int>(shape.size());
  std::copy(shape.begin(), shape.end(), shape_.begin());
  std::uint64_t size = 1;
  for (std::int64_t n : shape) size = checked_mul(size, static_cast<std::uint64_t>(n), "tensor");
  size_ = static_cast<std::int64_t>(size);
}

Tensor::Tensor(std::span<const std::int64_t> shape) {
  set_shape(shape);
  buffer_ = Buffer(static_cast<std::size_t>(size_));
}

Tensor Tensor::reshaped(std::span<const std::int64_t> shape) const {
  Tensor t = *this;
  t.set_shape(shape);
  if (t.size_ != size_) throw Error(ErrorCode::kInvalidArgument, "reshape changes the number of values");
  return t;
}

}  // namespace polymath
