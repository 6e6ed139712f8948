#include "generate/prefix_cache.h"

#include <algorithm>

namespace polymath {
namespace {

std::size_t common(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

KvCache PrefixCache::find(std::span<const std::int32_t> ids) {
  const std::lock_guard lock(mutex_);
  Entry* best = nullptr;
  std::size_t length = 0;
  for (Entry& entry : entries_) {
    const std::size_t shared = std::min(common(entry.ids, ids), ids.empty() ? 0 : ids.size() - 1);
    if (shared > length) best = &entry, length = shared;
  }
  if (!best) return KvCache(shape_);
  best->used = ++clock_;
  KvCache found = best->cache;
  found.truncate(static_cast<std::int64_t>(length));
  return found;
}

void PrefixCache::keep(std::vector<std::int32_t> ids, const KvCache& cache) {
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(cache.length())));
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return common(entry.ids, ids) == entry.ids.size(); });
  entries_.push_back({std::move(ids), cache, ++clock_});
  const auto bytes = [&] {
    std::size_t sum = 0;
    for (const Entry& entry : entries_) sum += entry.cache.bytes();
    return sum;
  };
  while (!entries_.empty() && bytes() > most_bytes_) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; }));
  }
}

std::size_t PrefixCache::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace polymath
