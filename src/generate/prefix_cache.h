// Keys and values of beginnings that come again: a system's message, the turns of a chat so far.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "tensor/kv_cache.h"

namespace polymath {

// Shared by the sessions of one model. Copies share their blocks, so that a beginning lies in memory once. Thread safe.
class PrefixCache {
 public:
  // most_bytes: of all that is kept; the least recently used goes first.
  PrefixCache(const KvShape& shape, std::size_t most_bytes) : shape_(shape), most_bytes_(most_bytes) {}

  // The keys and values of the longest known beginning of ids, at most of all but its last token.
  KvCache find(std::span<const std::int32_t> ids);

  // Keeps a cache whose tokens are these; in place of one whose tokens are its beginning.
  void keep(std::vector<std::int32_t> ids, const KvCache& cache);

  std::size_t entries() const;

 private:
  struct Entry {
    std::vector<std::int32_t> ids;
    KvCache cache;
    std::uint64_t used = 0;
  };

  KvShape shape_;
  std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t clock_ = 0;
};

}  // namespace polymath
