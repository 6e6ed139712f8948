#include "tensor/weight.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/threads.h"

namespace polymath {
namespace {

using kernels::kBlock;
using kernels::kLanes;
using kernels::Q8Block;

// Where one output's k values lie: `step` elements apart.
struct Row {
  const std::uint8_t* data = nullptr;
  DType dtype = DType::kF32;
  std::size_t step = 1;
};

void to_f32(const Row& row, std::size_t begin, std::size_t count, float* out) {
  const std::size_t size = dtype_size(row.dtype);
  const std::uint8_t* from = row.data + begin * row.step * size;
  if (row.step == 1) return polymath::to_f32(row.dtype, from, count, out);
  for (std::size_t i = 0; i < count; ++i) out[i] = element_to_f32(row.dtype, from + i * row.step * size);
}

std::uint16_t round_to_bf16(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<std::uint16_t>(bits >> 16 | 0x40);  // NaN stays NaN
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

Storage stored_as(DType dtype, LoadType type) {
  switch (type) {
    case LoadType::kF32: return Storage::kF32;
    case LoadType::kBf16: return Storage::kBf16;
    case LoadType::kQ8: return Storage::kQ8;
    case LoadType::kAuto: break;
  }
  if (dtype == DType::kBf16) return Storage::kBf16;
  if (dtype == DType::kF16) return Storage::kF16;
  return Storage::kF32;
}

std::size_t element_bytes(Storage storage) { return storage == Storage::kF32 ? 4 : 2; }

// values: [16][k] of a panel's outputs, zero rows beyond n.
void quantize_panel(const float* values, std::size_t k, Q8Block* out) {
  for (std::size_t begin = 0, block = 0; begin < k; begin += kBlock, ++block) {
    const std::size_t count = std::min(kBlock, k - begin);
    for (std::size_t column = 0; column < kLanes; ++column) {
      const float* x = values + column * k + begin;
      float largest = 0;
      for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(x[i]));
      const std::uint16_t scale = f32_to_f16(largest / 127.0f);
      const float stored = f16_to_f32(scale), inverse = stored > 0 ? 1.0f / stored : 0.0f;
      out[block].scale[column] = scale;
      for (std::size_t i = 0; i < kBlock; ++i) {
        constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves no bits below one
        const float q = i < count ? (std::clamp(x[i] * inverse, -127.0f, 127.0f) + kRound) - kRound : 0.0f;
        out[block].q[i / 4 * 64 + column * 4 + i % 4] = static_cast<std::uint8_t>(static_cast<int>(q) + 128);
      }
    }
  }
}

void pack_panel(const Row* rows, std::size_t k, Storage storage, std::uint8_t* out) {
  // [16][kStrip] values at a time: both sides of the transposition stay in the first cache.
  constexpr std::size_t kStrip = 64;
  if (storage == Storage::kQ8) {
    std::vector<float> values(kLanes * k, 0.0f);
    for (std::size_t c = 0; c < kLanes; ++c) {
      if (rows[c].data) to_f32(rows[c], 0, k, values.data() + c * k);
    }
    return quantize_panel(values.data(), k, reinterpret_cast<Q8Block*>(out));
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
          to[i * kLanes + c] = storage == Storage::kBf16 ? round_to_bf16(x) : f32_to_f16(x);
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
  const auto columns = static_cast<std::uint64_t>(k);
  const auto panels = (static_cast<std::uint64_t>(n) + kLanes - 1) / kLanes;
  panel_bytes_ = storage == Storage::kQ8 ? checked_mul((columns + kBlock - 1) / kBlock, sizeof(Q8Block), "weight")
                                         : checked_mul(columns, kLanes * element_bytes(storage), "weight");
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
    parts.push_back({tensor->data.data(), tensor->dtype, n, transposed ? 1 : columns, transposed ? n : 1, tensor->parameter});
  }
  Weight w = pack(std::move(parts), *k, type);
  for (const TensorView* tensor : tensors) tensor->drop();
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
    const std::size_t size = dtype_size(part.dtype);
    for (std::int64_t i = 0; i < part.n; ++i) {
      rows.push_back({part.data + static_cast<std::size_t>(i * part.row_stride) * size, part.dtype, static_cast<std::size_t>(part.step)});
    }
  }
  rows.resize((rows.size() + kLanes - 1) / kLanes * kLanes);
  constexpr std::size_t kPanelsPerTask = 4;
  const std::size_t panels = rows.size() / kLanes;
  ThreadPool::global().parallel_for((panels + kPanelsPerTask - 1) / kPanelsPerTask, [&](std::size_t task) {
    for (std::size_t p = task * kPanelsPerTask; p < std::min(panels, (task + 1) * kPanelsPerTask); ++p) {
      pack_panel(&rows[p * kLanes], static_cast<std::size_t>(k_), storage_, data_.get() + p * panel_bytes_);
    }
  });
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

EmbeddingTable::EmbeddingTable(const TensorView& tensor) : tensor_(&tensor) {
  if (tensor.shape.size() != 2) {
    throw Error(ErrorCode::kBadFile, "has " + std::to_string(tensor.shape.size()) + " axes instead of 2", tensor.name);
  }
  entries_ = tensor.shape[0];
  d_ = tensor.shape[1];
  if (tensor.parameter) tensor.parameter->ask_for_gradient();
}

void EmbeddingTable::read(std::int64_t i, float* out) const {
  const std::size_t size = dtype_size(tensor_->dtype), d = static_cast<std::size_t>(d_);
  to_f32({tensor_->data.data() + static_cast<std::size_t>(i) * d * size, tensor_->dtype, 1}, 0, d, out);
}

}  // namespace polymath
