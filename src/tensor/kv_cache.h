// The keys and values that attention keeps of one sequence, in all layers of a model.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace polymath {

struct KvShape {
  int layers = 0;
  int heads = 0;          // of keys and values
  std::int64_t head_dim = 0;
};

// Positions lie in blocks of 64. Copies share their blocks (beams, a common beginning) and a block is copied when one
// of them writes to it, so that a copy costs a list of pointers. Not thread safe; different caches are independent,
// whatever they share.
class KvCache {
 public:
  static constexpr std::int64_t kBlock = 64;

  explicit KvCache(const KvShape& shape);  // on a tape: has no room for keys and values, which stay where they were computed

  const KvShape& shape() const { return shape_; }
  std::int64_t length() const { return static_cast<std::int64_t>(columns_.size()); }
  std::size_t bytes() const;  // of all blocks, shared ones included

  // Makes room for rows at these columns (their places in the padded batch); what every layer of the next pass writes.
  void extend(std::span<const std::int32_t> columns);
  // Forgets all positions from `length` on.
  void truncate(std::int64_t length);

  std::span<const std::int32_t> columns() const { return columns_; }  // [length]

  // What the positions were made from, for models that have to make them anew when a sequence grows; else empty.
  struct Source {
    std::vector<std::int32_t> ids, position_ids;  // [length]
    std::int64_t rope_key = 0;                    // the frequencies that the keys were rotated by
  };
  Source source;

  // Of a pass on a tape: where the keys and values of its rows lie instead, layer by layer.
  struct Recorded {
    Tensor x;
    std::int64_t first_row = 0, key_at = 0, value_at = 0;
  };
  std::vector<Recorded> recorded;

  // Block b of a layer's head. Keys are panels of 16 positions, [4][head_dim][16]; values rows, [64][head_dim
  // rounded up to 16]. The positions beyond length() hold anything finite.
  const float* keys(std::int64_t b, int layer, int head) const { return at(b, layer, head); }
  const float* values(std::int64_t b, int layer, int head) const { return at(b, layer, head) + kBlock * shape_.head_dim; }
  std::int64_t value_stride() const { return (shape_.head_dim + 15) / 16 * 16; }

  // Writes position i, which extend() made; key and value: [head_dim].
  void write(std::int64_t i, int layer, int head, const float* key, const float* value);
  // What write() was given there.
  void read(std::int64_t i, int layer, int head, float* key, float* value) const;

 private:
  struct Block {
    Buffer buffer;
  };
  std::int64_t head_floats() const { return kBlock * (shape_.head_dim + value_stride()); }
  std::int64_t block_floats() const { return shape_.layers * shape_.heads * head_floats(); }
  float* at(std::int64_t b, int layer, int head) const {
    return blocks_[static_cast<std::size_t>(b)]->buffer.data() + (layer * shape_.heads + head) * head_floats();
  }
  std::shared_ptr<Block> new_block() const;
  std::shared_ptr<Block> copy_of(const Block& block, std::int64_t positions) const;  // of which so many are written

  KvShape shape_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::vector<std::int32_t> columns_;
};

}  // namespace polymath
