// What recurrent layers go on from in a pass, and what they leave behind: in the caches of a decoder's sequences.
#pragma once

#include <vector>

#include "nn/step.h"
#include "tensor/lstm.h"

namespace polymath {

// A cache holds the states after each position, h as its key and the cells as its value, so that sequences share their
// beginnings and forget their ends as those of attention do. On a tape it holds the last position alone: the next pass
// goes on from there, and nothing flows back (truncated back-propagation through time). Shared by a pass's layers.
class RecurrentStates {
 public:
  RecurrentStates(const Step& step, const KvShape& shape);

  // What layer `layer`, whose states have d values, goes on from.
  LstmOptions before(int layer, std::int64_t d) const;
  // Notes what it holds now; may be called again with the same.
  void keep(int layer, const LstmStates& states);
  // Puts what was kept into the caches; once all layers have run.
  void write() const;

 private:
  KvShape shape_;
  std::vector<KvCache*> caches_;  // [sequences], or empty: nothing is kept
  std::vector<std::int32_t> begin_, columns_;
  std::vector<std::vector<float>> before_;  // [layers][sequences, 2, head_dim], or empty: zeros
  std::vector<LstmStates> kept_;            // [layers], of the rows that are kept
  bool last_only_ = false;
};

}  // namespace polymath
