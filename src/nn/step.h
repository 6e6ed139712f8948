// One forward pass over a batch of sequences of any lengths, without padding.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/kv_cache.h"

namespace polymath {

// The rows of all sequences, one after the other: rows [begin[s], begin[s+1]) are sequence s.
// A padded batch is unpadded at the door; a row remembers its column there.
struct Step {
  std::vector<std::int32_t> ids;        // [rows]
  std::vector<std::int32_t> type_ids;   // [rows], or empty: all 0
  std::vector<std::int32_t> column;     // [rows]: the place in the padded batch
  std::vector<std::int32_t> position_ids;  // [rows], the caller's own; or empty: the model derives them
  std::vector<std::int32_t> begin{0};   // [sequences + 1]
  std::vector<std::uint8_t> is_key;     // [rows], 0: others do not attend to it; or empty: all are
  std::vector<std::int32_t> head_rows;  // the rows that a per-row head answers for; empty: all

  std::vector<KvCache*> cache;  // [sequences], of a decoder: what its rows follow; or empty: nothing is kept

  // Of an encoder-decoder: where memory is not empty, the rows are the decoder's; else they are the source.
  std::vector<KvCache*> memory;    // [sequences]: the keys and values of the source that cross-attention reads
  std::shared_ptr<const void> memory_owner;  // or null: keeps it alive as long as a tape needs it
  const Step* target = nullptr;    // beside a source: the decoder's rows, where a whole pass is asked

  // The padded batch, for models that derive positions from ids; empty: the rows are all there is.
  std::vector<std::int32_t> padded_ids;  // [sequences, columns]
  std::int64_t columns = 0;

  // Where absolute positions are the columns.
  const std::vector<std::int32_t>& positions() const { return position_ids.empty() ? column : position_ids; }

  int sequences() const { return static_cast<int>(begin.size()) - 1; }
  std::int64_t rows() const { return static_cast<std::int64_t>(ids.size()); }

  // Appends one sequence; type_ids may be empty, and so may mask (all ones). What the mask hides stays as queries.
  void add_sequence(std::span<const std::int32_t> sequence_ids, std::span<const std::int32_t> sequence_type_ids = {},
                    std::span<const std::uint8_t> mask = {});
};

// The rows of each sequence that others attend to: all but what a mask hides.
std::vector<std::vector<std::int32_t>> key_rows(const Step& step);

// What becomes of the positions that a mask hides.
enum class Hidden {
  kDrop,        // they are nothing: decoders, whose heads read the last token
  kKeepBehind,  // a sequence whose first column is hidden keeps them, as queries only: classification heads read the first
                // column even where it is padding, and what it holds then can depend on the other padding
  kKeep,        // all sequences keep them, as queries only
};

// The batch [sequences, columns] without the positions where mask (empty: all ones) is 0, but for what `hidden` keeps.
// The vectors other than ids may be empty.
struct PaddedBatch {
  std::vector<std::int32_t> ids, type_ids, mask, position_ids;  // [sequences, columns]
  std::int64_t columns = 0;
};
Step unpad(const PaddedBatch& batch, Hidden hidden = Hidden::kKeepBehind);

}  // namespace polymath
