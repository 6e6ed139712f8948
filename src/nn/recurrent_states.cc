#include "nn/recurrent_states.h"

#include <algorithm>
#include <cstring>

#include "tensor/ops.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

// The last row of each sequence; none of those that have no row.
std::vector<std::int32_t> last_rows(const std::vector<std::int32_t>& begin) {
  std::vector<std::int32_t> rows;
  for (std::size_t s = 0; s + 1 < begin.size(); ++s) {
    if (begin[s + 1] > begin[s]) rows.push_back(begin[s + 1] - 1);
  }
  return rows;
}

}  // namespace

RecurrentStates::RecurrentStates(const Step& step, const KvShape& shape) : shape_(shape), caches_(step.cache), begin_(step.begin), last_only_(Tape::current() != nullptr) {
  if (caches_.empty()) return;
  columns_ = step.column;
  kept_.resize(static_cast<std::size_t>(shape.layers));
  if (std::all_of(caches_.begin(), caches_.end(), [](const KvCache* cache) { return cache->length() == 0; })) return;
  const auto d = static_cast<std::size_t>(shape.head_dim);
  for (int layer = 0; layer < shape.layers; ++layer) {
    auto& all = before_.emplace_back(2 * d * caches_.size(), 0.0f);
    for (std::size_t s = 0; s < caches_.size(); ++s) {
      float* at = all.data() + 2 * d * s;
      if (const std::int64_t length = caches_[s]->length(); length > 0) caches_[s]->read(length - 1, layer, 0, at, at + d);
    }
  }
}

LstmOptions RecurrentStates::before(int layer, std::int64_t d) const {
  LstmOptions options{.begin = begin_, .h = {}, .c = {}};
  if (before_.empty()) return options;
  const auto sequences = static_cast<std::int64_t>(caches_.size());
  options.h = Tensor({sequences, d});
  options.c = Tensor({sequences, d});
  const float* from = before_[static_cast<std::size_t>(layer)].data();
  for (std::int64_t s = 0; s < sequences; ++s, from += 2 * shape_.head_dim) {
    std::memcpy(options.h.row(s), from, static_cast<std::size_t>(d) * sizeof(float));
    std::memcpy(options.c.row(s), from + shape_.head_dim, static_cast<std::size_t>(d) * sizeof(float));
  }
  return options;
}

void RecurrentStates::keep(int layer, const LstmStates& states) {
  if (caches_.empty()) return;
  const Tape::Recording off(nullptr);
  LstmStates& kept = kept_[static_cast<std::size_t>(layer)];
  if (!last_only_) {
    kept = states;
    return;
  }
  const auto rows = last_rows(begin_);
  kept = {take_rows(states.h, rows), take_rows(states.c, rows)};
}

void RecurrentStates::write() const {
  std::vector<float> h(static_cast<std::size_t>(shape_.head_dim), 0.0f), c = h;
  std::int64_t row = 0;
  for (std::size_t s = 0; s < caches_.size(); ++s) {
    KvCache& cache = *caches_[s];
    std::int32_t first = begin_[s];
    const std::int32_t end = begin_[s + 1];
    if (first == end) continue;
    if (last_only_) {
      cache.truncate(0);
      first = end - 1;
    }
    const std::int64_t position = cache.length();
    cache.extend(std::span(columns_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(end - first)));
    for (std::int32_t r = first; r < end; ++r, ++row) {
      for (int layer = 0; layer < shape_.layers; ++layer) {
        const LstmStates& kept = kept_[static_cast<std::size_t>(layer)];
        const std::int64_t d = kept.h.dim(-1);
        std::copy_n(kept.h.row(row), d, h.begin());
        std::copy_n(kept.c.row(row), d, c.begin());
        std::fill(h.begin() + d, h.end(), 0.0f);
        std::fill(c.begin() + d, c.end(), 0.0f);
        cache.write(position + r - first, layer, 0, h.data(), c.data());
      }
    }
  }
}

}  // namespace polymath
