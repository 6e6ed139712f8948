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
using kernels::Q4Block;
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
  if (row.step == 1) {
    switch (row.dtype) {
      case DType::kF32: std::memcpy(out, from, count * 4); return;
      case DType::kBf16: kernels::table().bf16_to_f32(reinterpret_cast<const std::uint16_t*>(from), count, out); return;
      case DType::kF16: kernels::table().f16_to_f32(reinterpret_cast<const std::uint16_t*>(from), count, out); return;
      default: break;
    }
  }
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
    case LoadType::kQ4: return Storage::kQ4;
    case LoadType::kAuto: break;
  }
  if (dtype == DType::kBf16) return Storage::kBf16;
  if (dtype == DType::kF16) return Storage::kF16;
  return Storage::kF32;
}

bool is_quantized(Storage storage) { return storage == Storage::kQ8 || storage == Storage::kQ4; }

std::uint64_t bytes_of_panel(Storage storage, std::uint64_t k) {
  switch (storage) {
    case Storage::kQ8: return checked_mul((k + kBlock - 1) / kBlock, sizeof(Q8Block), "weight");
    case Storage::kQ4: return checked_mul((k + kBlock - 1) / kBlock, sizeof(Q4Block), "weight");
    case Storage::kF32: return checked_mul(k, kLanes * 4, "weight");
    case Storage::kBf16: case Storage::kF16: break;
  }
  return checked_mul(k, kLanes * 2, "weight");
}

constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves no bits below one

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
        const float q = i < count ? (std::clamp(x[i] * inverse, -127.0f, 127.0f) + kRound) - kRound : 0.0f;
        out[block].q[i / 4 * 64 + column * 4 + i % 4] = static_cast<std::uint8_t>(static_cast<int>(q) + 128);
      }
    }
  }
}

void quantize_panel(const float* values, std::size_t k, Q4Block* out) {
  constexpr float kLargestHalf = 65504.0f;
  for (std::size_t begin = 0; begin < k; begin += kBlock, ++out) {
    alignas(64) float x[kBlock * kLanes] = {}, scales[kLanes], inverse[kLanes];
    kernels::table().transpose16(values + begin, k, std::min(kBlock, k - begin), x);
    kernels::table().q4_scales(x, scales);
    for (std::size_t c = 0; c < kLanes; ++c) {
      out->scale[c] = f32_to_f16(std::clamp(scales[c], -kLargestHalf, kLargestHalf));
      const float stored = f16_to_f32(out->scale[c]);
      inverse[c] = stored != 0 ? 1.0f / stored : 0.0f;
    }
    const auto number = [&](std::size_t i, std::size_t c) {
      const float q = (x[i * kLanes + c] * inverse[c] + kRound) - kRound;
      return static_cast<unsigned>(static_cast<int>(q > -8.0f ? std::min(q, 7.0f) : -8.0f) + 8);  // NaN is -8
    };
    for (std::size_t i = 0; i < kBlock / 2; ++i) {
      for (std::size_t c = 0; c < kLanes; ++c) {
        out->q[i / 4 * 64 + c * 4 + i % 4] = static_cast<std::uint8_t>(number(i, c) | number(i + kBlock / 2, c) << 4);
      }
    }
  }
}

void pack_panel(const Row* rows, std::size_t k, Storage storage, std::uint8_t* out) {
  // [16][kStrip] values at a time: both sides of the transposition stay in the first cache.
  constexpr std::size_t kStrip = 64;
  if (is_quantized(storage)) {
    std::vector<float> values(kLanes * k, 0.0f);
    for (std::size_t c = 0; c < kLanes; ++c) {
      if (rows[c].data) to_f32(rows[c], 0, k, values.data() + c * k);
    }
    if (storage == Storage::kQ8) quantize_panel(values.data(), k, reinterpret_cast<Q8Block*>(out));
    else quantize_panel(values.data(), k, reinterpret_cast<Q4Block*>(out));
    return;
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
  std::vector<Row> rows;
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
    const std::size_t size = dtype_size(tensor->dtype);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto offset = static_cast<std::size_t>(transposed ? i : i * columns) * size;
      rows.push_back({tensor->data.data() + offset, tensor->dtype, transposed ? static_cast<std::size_t>(n) : 1});
    }
  }
  Weight w;
  w.allocate(stored_as(tensors[0]->dtype, type), static_cast<std::int64_t>(rows.size()), *k);
  rows.resize((rows.size() + kLanes - 1) / kLanes * kLanes);
  constexpr std::size_t kPanelsPerTask = 4;
  const std::size_t panels = rows.size() / kLanes;
  ThreadPool::global().parallel_for((panels + kPanelsPerTask - 1) / kPanelsPerTask, [&](std::size_t task) {
    for (std::size_t p = task * kPanelsPerTask; p < std::min(panels, (task + 1) * kPanelsPerTask); ++p) {
      pack_panel(&rows[p * kLanes], static_cast<std::size_t>(*k), w.storage_, w.data_.get() + p * w.panel_bytes_);
    }
  });
  for (const TensorView* tensor : tensors) tensor->drop();
  return w;
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
}

void EmbeddingTable::read(std::int64_t i, float* out) const {
  const std::size_t size = dtype_size(tensor_->dtype), d = static_cast<std::size_t>(d_);
  to_f32({tensor_->data.data() + static_cast<std::size_t>(i) * d * size, tensor_->dtype, 1}, 0, d, out);
}

std::vector<float> read_f32(const TensorView& tensor) {
  std::size_t count = 1;
  for (std::int64_t n : tensor.shape) count *= static_cast<std::size_t>(n);
  std::vector<float> values(count);
  to_f32({tensor.data.data(), tensor.dtype, 1}, 0, count, values.data());
  return values;
}

}  // namespace polymath
