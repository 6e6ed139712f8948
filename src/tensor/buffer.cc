#include "tensor/buffer.h"

#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "polymath/error.h"

namespace polymath {

struct alignas(64) Buffer::Block {
  std::atomic<int> references;
  std::size_t bytes;  // of the floats that follow
};

namespace {

constexpr std::size_t kHeader = sizeof(Buffer::Block);
constexpr std::size_t kKept = std::size_t{64} << 20;  // bytes that a thread keeps at most

// Sizes in steps of an eighth of a power of two: at most 12.5 % is wasted, and few free lists arise.
std::size_t size_class(std::size_t bytes) {
  if (bytes < 1024) return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
  const std::size_t step = std::bit_floor(bytes) / 8;
  return (bytes + step - 1) / step * step;
}

class FreeBlocks {
 public:
  ~FreeBlocks() {
    for (Buffer::Block* block : blocks_) std::free(block);
    closed = true;
  }
  Buffer::Block* take(std::size_t bytes) {
    for (std::size_t i = blocks_.size(); i-- > 0;) {
      if (blocks_[i]->bytes != bytes) continue;
      Buffer::Block* block = blocks_[i];
      blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(i));
      kept_ -= bytes;
      return block;
    }
    return nullptr;
  }
  bool keep(Buffer::Block* block) {
    if (kept_ + block->bytes > kKept || blocks_.size() >= 256) return false;
    if (blocks_.capacity() == 0) blocks_.reserve(256);
    blocks_.push_back(block);
    kept_ += block->bytes;
    return true;
  }
  static thread_local bool closed;  // the thread is ending

 private:
  std::vector<Buffer::Block*> blocks_;
  std::size_t kept_ = 0;
};
thread_local bool FreeBlocks::closed = false;
thread_local FreeBlocks free_blocks;

}  // namespace

Buffer::Buffer(std::size_t floats) {
  if (floats > (std::size_t{1} << 46)) throw Error(ErrorCode::kResource, "a tensor of " + std::to_string(floats) + " numbers is too large");
  const std::size_t bytes = size_class(floats * sizeof(float));
  block_ = FreeBlocks::closed ? nullptr : free_blocks.take(bytes);
  if (!block_) {
    void* memory = std::aligned_alloc(64, kHeader + bytes);
    if (!memory) throw Error(ErrorCode::kResource, "out of memory for a tensor of " + std::to_string(bytes >> 20) + " MiB");
    block_ = new (memory) Block;
    block_->bytes = bytes;
  }
  block_->references.store(1, std::memory_order_relaxed);
}

Buffer::Buffer(const Buffer& other) : block_(other.block_) {
  if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
}

Buffer::~Buffer() {
  if (!block_ || block_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (FreeBlocks::closed || !free_blocks.keep(block_)) std::free(block_);
}

float* Buffer::data() const { return block_ ? reinterpret_cast<float*>(reinterpret_cast<char*>(block_) + kHeader) : nullptr; }

}  // namespace polymath
