#include "text/vocabulary.h"

#include <algorithm>
#include <bit>

namespace polymath {

Vocabulary::Vocabulary(const std::vector<std::pair<std::string_view, std::int32_t>>& tokens, std::shared_ptr<const void> storage)
    : storage_(std::move(storage)) {
  slots_.resize(std::bit_ceil(tokens.size() * 2 + 2));
  mask_ = slots_.size() - 1;
  entries_.reserve(tokens.size());
  std::int32_t largest = -1;
  for (const auto& [token, id] : tokens) {
    const std::uint32_t hash = RunningHash::of(token);
    std::size_t slot = hash & mask_;
    while (slots_[slot].entry >= 0) {
      const auto& entry = entries_[static_cast<std::size_t>(slots_[slot].entry)];
      if (slots_[slot].hash == hash && entry.first == token) break;
      slot = (slot + 1) & mask_;
    }
    if (slots_[slot].entry >= 0) {
      entries_[static_cast<std::size_t>(slots_[slot].entry)].second = id;
    } else {
      slots_[slot] = {hash, static_cast<std::int32_t>(entries_.size())};
      entries_.emplace_back(token, id);
    }
    largest = std::max(largest, id);
    longest_ = std::max(longest_, token.size());
  }
  // Ids with large holes are searched, so that a file cannot ask for gigabytes with one id.
  const std::size_t ids = static_cast<std::size_t>(std::int64_t{largest} + 1);
  if (ids <= entries_.size() * 4 + 1024) {
    by_id_.assign(ids, -1);
    for (std::size_t i = 0; i < entries_.size(); ++i) by_id_[static_cast<std::size_t>(entries_[i].second)] = static_cast<std::int32_t>(i);
  } else {
    for (std::size_t i = 0; i < entries_.size(); ++i) sparse_.emplace_back(entries_[i].second, static_cast<std::int32_t>(i));
    std::sort(sparse_.begin(), sparse_.end());
  }
}

std::optional<std::string_view> Vocabulary::token(std::int32_t id) const {
  std::int32_t entry = -1;
  if (id < 0) return std::nullopt;
  if (!by_id_.empty()) {
    if (static_cast<std::size_t>(id) < by_id_.size()) entry = by_id_[static_cast<std::size_t>(id)];
  } else {
    const auto found = std::lower_bound(sparse_.begin(), sparse_.end(), std::pair<std::int32_t, std::int32_t>{id, -1});
    if (found != sparse_.end() && found->first == id) entry = found->second;
  }
  if (entry < 0) return std::nullopt;
  return entries_[static_cast<std::size_t>(entry)].first;
}

}  // namespace polymath
