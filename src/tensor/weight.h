// The weights of linear layers and embeddings, in the storage they are kept in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "formats/checkpoint.h"
#include "kernels/kernels.h"
#include "tensor/parameter.h"
#include "tensor/tensor.h"

namespace polymath {

using kernels::Storage;

// How weights are stored once loaded; kAuto keeps what the checkpoint holds.
enum class LoadType { kAuto, kF32, kBf16, kQ8, kQ4 };

struct LowRankChange;  // low_rank.h

// The matrix of a linear layer, [n outputs, k inputs], packed in panels of 16 outputs (kernels.h).
// Immutable once made; const use from many threads is safe.
class Weight {
 public:
  Weight() = default;

  // Stacks the outputs of several [n_i, k] tensors, as the merged query/key/value projection does.
  // `transposed` tensors are [k, n_i] (GPT-2's Conv1D). Pages of the file are given back when packed.
  static Weight pack(std::span<const TensorView* const> tensors, LoadType type, bool transposed = false);

  // Outputs that lie in a tensor at regular distances: element (i, j) of [n, k] is at data[i * row_stride + j * step]. Or in panels
  // that begin at data, where dtype says so.
  struct Part {
    const std::uint8_t* data = nullptr;
    DType dtype = DType::kF32;
    std::int64_t n = 0, row_stride = 0, step = 1;
    Parameter* parameter = nullptr;    // that data points into; null: it does not change
    const MappedFile* file = nullptr;  // whose pages may leave memory once they are packed; or null
  };
  static Weight pack(std::vector<Part> parts, std::int64_t k, LoadType type);

  // The same of a float32 matrix in memory, [n, k] row-major.
  static Weight pack(const float* values, std::int64_t n, std::int64_t k, Storage storage);

  std::int64_t n() const { return n_; }
  std::int64_t k() const { return k_; }
  Storage storage() const { return storage_; }
  const void* panel(std::int64_t p) const { return data_.get() + static_cast<std::size_t>(p) * panel_bytes_; }
  std::size_t panel_bytes() const { return panel_bytes_; }
  std::size_t bytes() const;

  // What the panels were packed from, where that can change; else none.
  std::span<const Part> parts() const { return parts_ ? std::span<const Part>(*parts_) : std::span<const Part>(); }
  bool trained() const;  // whether a gradient of its values is asked for

  // What the panels do not hold and linear() adds; and the weight without that.
  std::span<const LowRankChange> changes() const;
  Weight unchanged() const;

 private:
  static Weight pack_shared(std::span<const TensorView* const> tensors, std::vector<Part> parts, std::int64_t k, LoadType type, bool transposed);
  void fill(std::span<const Part> parts) const;
  void allocate(Storage storage, std::int64_t n, std::int64_t k);

  std::shared_ptr<std::uint8_t> data_;
  std::size_t panel_bytes_ = 0;
  std::int64_t n_ = 0, k_ = 0;
  Storage storage_ = Storage::kF32;
  std::shared_ptr<const std::vector<Part>> parts_;
  std::shared_ptr<const std::vector<LowRankChange>> changes_;
};

// Weights that several models share: what was packed from the same pages of a file in the same storage is packed once. The
// files must stay as long as this. Thread safe.
class SharedWeights {
 public:
  std::size_t size() const;

 private:
  friend class Weight;
  using Key = std::tuple<std::vector<std::pair<const std::uint8_t*, std::int64_t>>, Storage, bool>;  // pages and outputs of tensors, transposed
  mutable std::mutex mutex_;
  std::map<Key, Weight> packed_;
};

// While it lives, this thread's Weight::pack looks into a set of shared weights, and adds to it.
class ShareWeights {
 public:
  explicit ShareWeights(SharedWeights& weights);
  ~ShareWeights();
  ShareWeights(const ShareWeights&) = delete;

 private:
  SharedWeights* before_;
};

// A table of vectors, [entries, d], read from the checkpoint's pages as they are looked up.
class EmbeddingTable {
 public:
  EmbeddingTable() = default;
  explicit EmbeddingTable(const TensorView& tensor);

  std::int64_t entries() const { return rows_.n; }
  std::int64_t d() const { return d_; }
  // out: [d] <- entry i; i must be within the table.
  void read(std::int64_t i, float* out) const;

  Parameter* parameter() const { return rows_.parameter; }

 private:
  Weight::Part rows_;
  std::int64_t d_ = 0;
};

// How a tensor of a checkpoint, or rows of it, was taken.
struct WeightUse {
  TensorView tensor;
  Storage storage = Storage::kF32;
  bool transposed = false;
  bool table = false;  // by an EmbeddingTable, in the storage of the file
};

// Notes what this thread's Weight::pack and EmbeddingTable take while it lives: what a model makes of its checkpoint.
class RecordUses {
 public:
  explicit RecordUses(std::vector<WeightUse>& into);
  ~RecordUses();
  RecordUses(const RecordUses&) = delete;

 private:
  std::vector<WeightUse>* before_;
};

}  // namespace polymath
