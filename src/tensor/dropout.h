// Dropout (Srivastava et al. 2014): in training each value is set to 0 with probability p, and the others are divided by 1 - p.
//
// It happens only while a Dropping lives on the calling thread; otherwise a use costs one branch. Which values go is a
// function of the scope's seed and step, of how many uses came before in it, and of the value's place in its tensor: no
// generator's state, and the same bits for any number of threads and where a layer is computed anew on the way back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tensor/tensor.h"

namespace polymath {

// Which values one use of dropout sets to 0. Thread safe once made.
class DropMask {
 public:
  DropMask() = default;  // none
  // Of the scope that lives; none without a scope, or where p is 0. Each mask is another one.
  static DropMask next(float p);

  explicit operator bool() const { return p_ > 0; }
  // x[i] <- 0 or x[i] / (1 - p), i < n.  row: of the tensor, or any number that tells its rows apart
  void apply(std::int64_t row, float* x, std::int64_t n) const;

 private:
  std::uint64_t key_ = 0;
  float p_ = 0;
};

// While it lives, what the calling thread computes drops values. Not thread safe; scopes nest.
class Dropping {
 public:
  // p: in place of the rates that models ask for, at all places that have one
  Dropping(std::uint64_t seed, std::uint64_t step, std::optional<float> p = {});
  ~Dropping();
  Dropping(const Dropping&) = delete;
  Dropping& operator=(const Dropping&) = delete;

  // Where a computation stands, so that it can be done again with the same masks.
  struct Place {
    std::uint64_t seed = 0, step = 0, uses = 0;
    std::optional<float> p;
  };
  static std::optional<Place> place();  // none: nothing is dropped
  // What lives goes on as it did there, or drops nothing; afterwards it is as before.
  explicit Dropping(const std::optional<Place>& place);

 private:
  std::optional<Place> before_;
};

// Whether a use with this rate drops values now.
bool drops(float p);

// x with values dropped; x itself where nothing is.
Tensor dropout(const Tensor& x, float p);

// The same where rows of the same group lose the same values: one mask for all steps of a sequence (Gal and Ghahramani 2016,
// arXiv:1512.05287).  groups: [rows]
Tensor locked_dropout(const Tensor& x, float p, std::span<const std::int32_t> groups);
// Whole rows, all of a group or none: of an embedding table, words (Merity et al. 2017).
Tensor dropout_of_groups(const Tensor& x, float p, std::span<const std::int32_t> groups);

}  // namespace polymath
