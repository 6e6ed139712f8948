// A dense float32 array, row-major, sharing its memory with its copies.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/buffer.h"

namespace polymath {

struct TapeNode;  // tape.h

// At most five axes; the values are unset after construction. Const use from many threads is safe.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(std::span<const std::int64_t> shape);
  explicit Tensor(std::initializer_list<std::int64_t> shape) : Tensor(std::span(shape.begin(), shape.size())) {}

  int rank() const { return rank_; }
  std::int64_t dim(int axis) const { return shape_[static_cast<std::size_t>(axis < 0 ? rank_ + axis : axis)]; }
  std::int64_t size() const { return size_; }
  std::int64_t rows() const { return dim(-1) == 0 ? 0 : size_ / dim(-1); }  // all axes but the last
  std::span<const std::int64_t> shape() const { return {shape_.data(), static_cast<std::size_t>(rank_)}; }
  bool empty() const { return size_ == 0; }

  float* data() { return buffer_.data(); }
  const float* data() const { return buffer_.data(); }
  float* row(std::int64_t i) { return data() + i * dim(-1); }
  const float* row(std::int64_t i) const { return data() + i * dim(-1); }
  std::span<const float> values() const { return {data(), static_cast<std::size_t>(size_)}; }

  // The same memory under another shape of the same size.
  Tensor reshaped(std::span<const std::int64_t> shape) const;
  Tensor reshaped(std::initializer_list<std::int64_t> shape) const { return reshaped(std::span(shape.begin(), shape.size())); }

  // The tensor's place on a tape; null: it hangs on nothing that has a gradient. Copies and views share it.
  const std::shared_ptr<TapeNode>& node() const { return node_; }
  void set_node(std::shared_ptr<TapeNode> node) { node_ = std::move(node); }

 private:
  void set_shape(std::span<const std::int64_t> shape);

  std::array<std::int64_t, 5> shape_{};
  int rank_ = 0;
  std::int64_t size_ = 0;
  Buffer buffer_;
  std::shared_ptr<TapeNode> node_;
};

}  // namespace polymath
