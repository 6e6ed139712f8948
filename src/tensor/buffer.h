// Memory for tensors: aligned, reference counted, kept for reuse.
#pragma once

#include <cstddef>
#include <utility>

namespace polymath {

// A shared block of floats, 64-byte aligned, its values unset. Released blocks stay with the
// thread that released them and serve its next requests of that size, so that a loop whose sizes
// repeat allocates nothing after its first round. Copies share the block; counting is thread safe.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t floats);  // throws Error{kResource} when memory is out
  Buffer(const Buffer& other);
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Buffer();

  float* data() const;

  struct Block;

 private:
  Block* block_ = nullptr;
};

}  // namespace polymath
