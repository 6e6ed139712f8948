#include "tensor/weight.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/threads.h"
#include "tensor/low_rank.h"
#include "tensor/quantize.h"

namespace polymath {
namespace {

using kernels::kLanes;

thread_local std::vector<WeightUse>* uses = nullptr;
thread_local SharedWeights* shared = nullptr;

void record(const TensorView& tensor, Storage storage, bool transposed, bool table) {
  if (uses) uses->push_back({tensor, storage, transposed, table});
}

// Where one output's k values lie: `step` elements apart, or in a column of a panel.
struct Row {
  const std::uint8_t* data = nullptr;  // or the panel
  DType dtype = DType::kF32;
  std::size_t step = 1, column = 0;
};

// Output i of a part of a matrix of k inputs.
Row row_of(const Weight::Part& part, std::int64_t i, std::int64_t k) {
  if (!is_panels(part.dtype)) {
    return {part.data + static_cast<std::size_t>(i * part.row_stride) * dtype_size(part.dtype), part.dtype, static_cast<std::size_t>(part.step)};
  }
  const auto row = static_cast<std::size_t>(i);
  const std::size_t panel = row / kLanes * static_cast<std::size_t>(bytes_of_panel(panels_of(part.dtype), static_cast<std::uint64_t>(k)));
  return {part.data + panel, part.dtype, 1, row % kLanes};
}

void to_f32(const Row& row, std::size_t begin, std::size_t count, float* out) {
  if (is_panels(row.dtype)) return dequantize_column(row.data, row.column, panels_of(row.dtype), begin, count, out);
  const std::size_t size = dtype_size(row.dtype);
  const std::uint8_t* from = row.data + begin * row.step * size;
  if (row.step == 1) return polymath::to_f32(row.dtype, from, count, out);
  for (std::size_t i = 0; i < count; ++i) out[i] = element_to_f32(row.dtype, from + i * row.step * size);
}

Storage stored_as(DType dtype, LoadType type) {
  switch (type) {
    case LoadType::kF32: return Storage::kF32;
    case LoadType::kBf16: return Storage::kBf16;
    case LoadType::kQ8: return Storage::kQ8;
    case LoadType::kQ4: return Storage::kQ4;
    case LoadType::kAuto: break;
  }
  if (dtype == DType::kBf16) return Storage::kBf16;
  if (dtype == DType::kF16) return Storage::kF16;
  return is_panels(dtype) ? panels_of(dtype) : Storage::kF32;
}

// A panel of which all rows are in panels of the same storage: nothing is computed.
void copy_panel(const Row* rows, std::size_t k, Storage storage, std::uint8_t* out) {
  bool whole = true;  // the panel as it lies there
  for (std::size_t c = 0; c < kLanes; ++c) whole &= rows[c].data == rows[0].data && rows[c].column == c;
  if (whole) {
    std::memcpy(out, rows[0].data, static_cast<std::size_t>(bytes_of_panel(storage, k)));
    return;
  }
  for (std::size_t c = 0; c < kLanes; ++c) {
    if (rows[c].data) copy_column(rows[c].data, rows[c].column, out, c, storage, k);
  }
}

// The pages that outputs [begin, end) of the stack of parts came from may leave memory.
void drop_rows(std::span<const Weight::Part> parts, std::int64_t k, std::size_t begin, std::size_t end) {
  for (const Weight::Part& part : parts) {
    const auto n = static_cast<std::size_t>(part.n);
    const std::size_t last = std::min(end, n) / kLanes * kLanes;  // whole panels, if it is in panels
    if (part.file && begin < last) {
      const std::uint8_t* from = row_of(part, static_cast<std::int64_t>(begin), k).data;
      part.file->drop({from, static_cast<std::size_t>(row_of(part, static_cast<std::int64_t>(last - 1), k).data - from)});
    }
    begin -= std::min(begin, n);
    end -= std::min(end, n);
  }
}

void pack_panel(const Row* rows, std::size_t k, Storage storage, std::uint8_t* out) {
  // [16][kStrip] values at a time: both sides of the transposition stay in the first cache.
  constexpr std::size_t kStrip = 64;
  if (is_quantized(storage)) {
    if (std::all_of(rows, rows + kLanes, [&](const Row& row) { return !row.data || (is_panels(row.dtype) && panels_of(row.dtype) == storage); })) {
      return copy_panel(rows, k, storage, out);
    }
    std::vector<float> values(kLanes * k, 0.0f);
    for (std::size_t c = 0; c < kLanes; ++c) {
      if (rows[c].data) to_f32(rows[c], 0, k, values.data() + c * k);
    }
    return quantize_panel(values.data(), k, storage, out);
  }
  const bool same_bits = storage != Storage::kF32 && std::all_of(rows, rows + kLanes, [&](const Row& row) {
    return !row.data || (row.step == 1 && row.dtype == (storage == Storage::kBf16 ? DType::kBf16 : DType::kF16));
  });
  if (same_bits) {
    auto* to = reinterpret_cast<std::uint16_t*>(out);
    for (std::size_t begin = 0; begin < k; begin += kStrip) {
      const std::size_t end = std::min(k, begin + kStrip);
      for (std::size_t c = 0; c < kLanes; ++c) {
        const std::uint8_t* from = rows[c].data;  // a file may hold it at an odd address
        for (std::size_t i = begin; i < end; ++i) {
          std::uint16_t bits = 0;
          if (from) std::memcpy(&bits, from + 2 * i, 2);
          to[i * kLanes + c] = bits;
        }
      }
    }
    return;
  }
  alignas(64) float strip[kLanes * kStrip] = {};
  for (std::size_t begin = 0; begin < k; begin += kStrip) {
    const std::size_t count = std::min(kStrip, k - begin);
    for (std::size_t c = 0; c < kLanes; ++c) {
      if (rows[c].data) to_f32(rows[c], begin, count, strip + c * kStrip);
    }
    if (storage == Storage::kF32) {
      kernels::table().transpose16(strip, kStrip, count, reinterpret_cast<float*>(out) + begin * kLanes);
    } else {
      auto* to = reinterpret_cast<std::uint16_t*>(out) + begin * kLanes;
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t c = 0; c < kLanes; ++c) {
          const float x = strip[c * kStrip + i];
          to[i * kLanes + c] = storage == Storage::kBf16 ? f32_to_bf16(x) : f32_to_f16(x);
        }
      }
    }
  }
}

}  // namespace

std::size_t Weight::bytes() const { return static_cast<std::size_t>((n_ + 15) / 16) * panel_bytes_; }

void Weight::allocate(Storage storage, std::int64_t n, std::int64_t k) {
  storage_ = storage;
  n_ = n;
  k_ = k;
  const auto panels = (static_cast<std::uint64_t>(n) + kLanes - 1) / kLanes;
  panel_bytes_ = bytes_of_panel(storage, static_cast<std::uint64_t>(k));
  const std::size_t total = std::max<std::size_t>(checked_mul(panels, panel_bytes_, "weight"), 1);
  // Mapped, not allocated: large pages where the system gives them, and all of it returned at the end.
  void* memory = ::mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw Error(ErrorCode::kResource, "out of memory for a weight of " + std::to_string(total >> 20) + " MiB");
  if (total >= (std::size_t{4} << 20)) ::madvise(memory, total, MADV_HUGEPAGE);
  data_ = std::shared_ptr<std::uint8_t>(static_cast<std::uint8_t*>(memory), [total](std::uint8_t* p) { ::munmap(p, total); });
}

Weight Weight::pack(std::span<const TensorView* const> tensors, LoadType type, bool transposed) {
  std::vector<Part> parts;
  std::optional<std::int64_t> k;
  for (const TensorView* tensor : tensors) {
    if (tensor->shape.size() != 2) {
      throw Error(ErrorCode::kBadFile, "has " + std::to_string(tensor->shape.size()) + " axes instead of 2", tensor->name);
    }
    const std::int64_t n = tensor->shape[transposed ? 1 : 0], columns = tensor->shape[transposed ? 0 : 1];
    if (k && *k != columns) {
      throw Error(ErrorCode::kBadFile, "has " + std::to_string(columns) + " inputs where its neighbour has " + std::to_string(*k), tensor->name);
    }
    k = columns;
    if (tensor->transposed != (transposed && is_panels(tensor->dtype))) {
      throw Error(ErrorCode::kBadFile, "is quantized along the other axis than the model reads it", tensor->name);
    }
    parts.push_back({tensor->data.data(), tensor->dtype, n, transposed ? 1 : columns, transposed ? n : 1, tensor->parameter,
                     transposed ? nullptr : tensor->file});
  }
  Weight w = pack_shared(tensors, std::move(parts), *k, type, transposed);
  for (const TensorView* tensor : tensors) {
    tensor->drop();
    record(*tensor, w.storage_, transposed, /*table=*/false);
  }
  if (auto changes = low_rank_changes(tensors, transposed); !changes.empty()) {
    w.changes_ = std::make_shared<const std::vector<LowRankChange>>(std::move(changes));
  }
  return w;
}

Weight Weight::pack_shared(std::span<const TensorView* const> tensors, std::vector<Part> parts, std::int64_t k, LoadType type, bool transposed) {
  // Pages of a file do not change; other memory could be another tensor's by the time the next model is loaded.
  const bool in_file = std::all_of(tensors.begin(), tensors.end(), [](const TensorView* t) { return t->file && !t->parameter; });
  if (!shared || !in_file) return pack(std::move(parts), k, type);
  SharedWeights::Key key{{}, stored_as(parts[0].dtype, type), transposed};
  for (const TensorView* tensor : tensors) std::get<0>(key).emplace_back(tensor->data.data(), tensor->shape[transposed ? 1 : 0]);
  const std::lock_guard lock(shared->mutex_);
  const auto found = shared->packed_.find(key);
  if (found != shared->packed_.end()) return found->second;
  return shared->packed_.emplace(std::move(key), pack(std::move(parts), k, type)).first->second;
}

std::size_t SharedWeights::size() const {
  const std::lock_guard lock(mutex_);
  return packed_.size();
}

ShareWeights::ShareWeights(SharedWeights& weights) : before_(shared) { shared = &weights; }
ShareWeights::~ShareWeights() { shared = before_; }

std::span<const LowRankChange> Weight::changes() const { return changes_ ? std::span<const LowRankChange>(*changes_) : std::span<const LowRankChange>(); }

Weight Weight::unchanged() const {
  Weight w = *this;
  w.changes_ = nullptr;
  return w;
}

Weight Weight::pack(std::vector<Part> parts, std::int64_t k, LoadType type) {
  std::int64_t n = 0;
  for (const Part& part : parts) n += part.n;
  Weight w;
  w.allocate(stored_as(parts[0].dtype, type), n, k);
  w.fill(parts);
  const auto changing = std::find_if(parts.begin(), parts.end(), [](const Part& part) { return part.parameter != nullptr; });
  if (changing == parts.end()) return w;
  w.parts_ = std::make_shared<const std::vector<Part>>(parts);
  for (const Part& part : parts) {
    if (part.parameter) part.parameter->ask_for_gradient();
  }
  changing->parameter->on_change.push_back([w] { w.fill(w.parts()); });
  return w;
}

bool Weight::trained() const {
  return std::any_of(parts().begin(), parts().end(), [](const Part& part) { return part.parameter && part.parameter->trained; });
}

void Weight::fill(std::span<const Part> parts) const {
  std::vector<Row> rows;
  rows.reserve(static_cast<std::size_t>(n_ + 15));
  for (const Part& part : parts) {
    for (std::int64_t i = 0; i < part.n; ++i) rows.push_back(row_of(part, i, k_));
  }
  rows.resize((rows.size() + kLanes - 1) / kLanes * kLanes);
  // A few megabytes at a time, whose pages in the file leave memory before the next come in: never two copies of a large one.
  constexpr std::size_t kPanelsPerTask = 4, kBytesTogether = std::size_t{16} << 20;
  const std::size_t panels = rows.size() / kLanes;
  const std::size_t together = std::max(kBytesTogether / std::max<std::size_t>(panel_bytes_, 1), 8 * kPanelsPerTask) / kPanelsPerTask * kPanelsPerTask;
  for (std::size_t begin = 0; begin < panels; begin += together) {
    const std::size_t end = std::min(panels, begin + together);
    ThreadPool::global().parallel_for((end - begin + kPanelsPerTask - 1) / kPanelsPerTask, [&](std::size_t task) {
      for (std::size_t p = begin + task * kPanelsPerTask; p < std::min(end, begin + (task + 1) * kPanelsPerTask); ++p) {
        pack_panel(&rows[p * kLanes], static_cast<std::size_t>(k_), storage_, data_.get() + p * panel_bytes_);
      }
    });
    if (end < panels) drop_rows(parts, k_, begin * kLanes, end * kLanes);
  }
}

Weight Weight::pack(const float* values, std::int64_t n, std::int64_t k, Storage storage) {
  Weight w;
  w.allocate(storage, n, k);
  for (std::int64_t p = 0; p * 16 < n; ++p) {
    Row rows[kLanes];
    for (std::int64_t c = 0; c < 16 && p * 16 + c < n; ++c) {
      rows[c] = {reinterpret_cast<const std::uint8_t*>(values + (p * 16 + c) * k), DType::kF32, 1};
    }
    pack_panel(rows, static_cast<std::size_t>(k), storage, w.data_.get() + static_cast<std::size_t>(p) * w.panel_bytes_);
  }
  return w;
}

EmbeddingTable::EmbeddingTable(const TensorView& tensor) {
  if (tensor.shape.size() != 2) {
    throw Error(ErrorCode::kBadFile, "has " + std::to_string(tensor.shape.size()) + " axes instead of 2", tensor.name);
  }
  if (tensor.transposed) throw Error(ErrorCode::kBadFile, "is quantized along the other axis than the model reads it", tensor.name);
  d_ = tensor.shape[1];
  rows_ = {tensor.data.data(), tensor.dtype, tensor.shape[0], d_, 1, tensor.parameter};
  record(tensor, stored_as(tensor.dtype, LoadType::kAuto), /*transposed=*/false, /*table=*/true);
  if (tensor.parameter) tensor.parameter->ask_for_gradient();
}

void EmbeddingTable::read(std::int64_t i, float* out) const { to_f32(row_of(rows_, i, d_), 0, static_cast<std::size_t>(d_), out); }

RecordUses::RecordUses(std::vector<WeightUse>& into) : before_(uses) { uses = &into; }
RecordUses::~RecordUses() { uses = before_; }

}  // namespace polymath
