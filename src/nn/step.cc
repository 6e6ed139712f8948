#include "nn/step.h"

#include <algorithm>

namespace polymath {

void Step::add_sequence(std::span<const std::int32_t> sequence_ids, std::span<const std::int32_t> sequence_type_ids,
                        std::span<const std::uint8_t> mask) {
  if (!mask.empty() || !is_key.empty()) {
    is_key.resize(ids.size(), 1);
    is_key.insert(is_key.end(), mask.begin(), mask.end());
    is_key.resize(ids.size() + sequence_ids.size(), 1);
  }
  if (!sequence_type_ids.empty() || !type_ids.empty()) {
    type_ids.resize(ids.size(), 0);
    type_ids.insert(type_ids.end(), sequence_type_ids.begin(), sequence_type_ids.end());
    type_ids.resize(ids.size() + sequence_ids.size(), 0);
  }
  ids.insert(ids.end(), sequence_ids.begin(), sequence_ids.end());
  for (std::size_t i = 0; i < sequence_ids.size(); ++i) column.push_back(static_cast<std::int32_t>(i));
  begin.push_back(static_cast<std::int32_t>(ids.size()));
}

std::vector<std::vector<std::int32_t>> key_rows(const Step& step) {
  std::vector<std::vector<std::int32_t>> rows(static_cast<std::size_t>(step.sequences()));
  for (std::size_t s = 0; s < rows.size(); ++s) {
    for (std::int32_t r = step.begin[s]; r < step.begin[s + 1]; ++r) {
      if (step.is_key.empty() || step.is_key[static_cast<std::size_t>(r)]) rows[s].push_back(r);
    }
  }
  return rows;
}

Step unpad(const PaddedBatch& batch, Hidden hidden) {
  const auto& [ids, type_ids, mask, position_ids, columns] = batch;
  Step step;
  step.columns = columns;
  step.padded_ids = ids;
  const std::int64_t sequences = columns == 0 ? 0 : static_cast<std::int64_t>(ids.size()) / columns;
  for (std::int64_t s = 0; s < sequences; ++s) {
    const bool first_hidden = !mask.empty() && columns > 0 && mask[static_cast<std::size_t>(s * columns)] == 0;
    const bool keep_all = hidden == Hidden::kKeep || (hidden == Hidden::kKeepBehind && first_hidden);
    for (std::int64_t c = 0; c < columns; ++c) {
      const auto at = static_cast<std::size_t>(s * columns + c);
      const bool key = mask.empty() || mask[at] != 0;
      if (!key && !keep_all) continue;
      step.ids.push_back(ids[at]);
      if (!type_ids.empty()) step.type_ids.push_back(type_ids[at]);
      if (!position_ids.empty()) step.position_ids.push_back(position_ids[at]);
      step.column.push_back(static_cast<std::int32_t>(c));
      step.is_key.push_back(key);
    }
    step.begin.push_back(static_cast<std::int32_t>(step.ids.size()));
  }
  if (std::all_of(step.is_key.begin(), step.is_key.end(), [](std::uint8_t key) { return key != 0; })) step.is_key.clear();
  return step;
}

}  // namespace polymath
