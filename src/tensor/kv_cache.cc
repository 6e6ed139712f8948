#include "tensor/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "tensor/tape.h"

namespace polymath {

KvCache::KvCache(const KvShape& shape) : shape_(shape) {
  if (Tape::current()) shape_.layers = 0;
}

std::size_t KvCache::bytes() const { return blocks_.size() * static_cast<std::size_t>(block_floats()) * sizeof(float); }

std::shared_ptr<KvCache::Block> KvCache::new_block() const {
  auto block = std::make_shared<Block>(Buffer(static_cast<std::size_t>(block_floats())));
  std::fill_n(block->buffer.data(), block_floats(), 0.0f);  // a weight of 0 times what memory holds must not be NaN
  return block;
}

std::shared_ptr<KvCache::Block> KvCache::copy_of(const Block& block, std::int64_t positions) const {
  auto own = std::make_shared<Block>(Buffer(static_cast<std::size_t>(block_floats())));
  const std::int64_t keys = kBlock * shape_.head_dim, keys_used = (positions + 15) / 16 * 16 * shape_.head_dim;
  const std::int64_t values = kBlock * value_stride(), values_used = positions * value_stride();
  const float* from = block.buffer.data();
  float* to = own->buffer.data();
  const auto take = [&](std::int64_t used, std::int64_t all) {
    std::copy_n(from, used, to);
    std::fill_n(to + used, all - used, 0.0f);
    from += all, to += all;
  };
  for (std::int64_t head = 0; head < shape_.layers * shape_.heads; ++head) take(keys_used, keys), take(values_used, values);
  return own;
}

void KvCache::extend(std::span<const std::int32_t> columns) {
  if (columns.empty()) return;
  const std::int64_t before = length();
  const std::int64_t first = before / kBlock, last = (before + static_cast<std::int64_t>(columns.size()) - 1) / kBlock;
  columns_.insert(columns_.end(), columns.begin(), columns.end());
  if (before % kBlock != 0) {
    auto& block = blocks_[static_cast<std::size_t>(first)];
    if (block.use_count() > 1) {  // others read it
      block = copy_of(*block, before % kBlock);
    }
  }
  while (static_cast<std::int64_t>(blocks_.size()) <= last) blocks_.push_back(new_block());
}

void KvCache::truncate(std::int64_t length) {
  columns_.resize(static_cast<std::size_t>(std::min(length, this->length())));
  blocks_.resize(static_cast<std::size_t>((this->length() + kBlock - 1) / kBlock));
  for (auto* of_rows : {&source.ids, &source.position_ids}) of_rows->resize(std::min(of_rows->size(), columns_.size()));
}

void KvCache::write(std::int64_t i, int layer, int head, const float* key, const float* value) {
  const std::int64_t d = shape_.head_dim, in_block = i % kBlock;
  float* k = at(i / kBlock, layer, head);
  float* v = k + kBlock * d + in_block * value_stride();
  k += in_block / 16 * d * 16 + in_block % 16;
  for (std::int64_t x = 0; x < d; ++x) k[x * 16] = key[x];
  std::memcpy(v, value, static_cast<std::size_t>(d) * sizeof(float));
}

void KvCache::read(std::int64_t i, int layer, int head, float* key, float* value) const {
  const std::int64_t d = shape_.head_dim, in_block = i % kBlock;
  const float* k = keys(i / kBlock, layer, head) + in_block / 16 * d * 16 + in_block % 16;
  for (std::int64_t x = 0; x < d; ++x) key[x] = k[x * 16];
  std::memcpy(value, values(i / kBlock, layer, head) + in_block * value_stride(), static_cast<std::size_t>(d) * sizeof(float));
}

}  // namespace polymath
