#include "tensor/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <type_traits>

#include "base/bytes.h"
#include "formats/dtype.h"
#include "formats/panels.h"

namespace polymath {
namespace {

using kernels::kBlock;
using kernels::kLanes;
using kernels::Q4Block;
using kernels::Q8Block;

static_assert(kPanelOutputs == kLanes && kPanelBlock == kBlock && kQ8BlockBytes == sizeof(Q8Block) && kQ4BlockBytes == sizeof(Q4Block));

// What a kind of block can hold, and the steps of its largest value that are tried: half a step beyond the least number
// still rounds to it.
template <class Block>
struct Numbers;
template <>
struct Numbers<Q8Block> {
  static constexpr float kLeast = -128;
  static constexpr float kLevels[] = {128.49f, 128.0f, 127.5f, 127.0f, 126.5f, 126.0f, 125.5f, 125.0f};
};
template <>
struct Numbers<Q4Block> {
  static constexpr float kLeast = -8;
  static constexpr float kLevels[] = {7.0f,  7.2f,  7.4f,  7.55f, 7.7f, 7.8f, 7.9f, 8.0f, 8.1f, 8.2f,
                                      8.3f, 8.45f, 8.6f, 8.8f, 9.0f, 9.3f, 9.6f};
};

// The byte that holds value i of a column, and how far up in it the number lies.
std::size_t byte_at(std::size_t i, std::size_t column) { return i / 4 * 64 + column * 4 + i % 4; }

void store(Q8Block& block, std::size_t i, std::size_t column, int q) { block.q[byte_at(i, column)] = static_cast<std::uint8_t>(q + 128); }
void store(Q4Block& block, std::size_t i, std::size_t column, int q) {
  std::uint8_t& both = block.q[byte_at(i % 16, column)];
  both = static_cast<std::uint8_t>(i < 16 ? q + 8 : both | (q + 8) << 4);
}

// Blocks of a file lie at any address, so they are read as bytes.
template <class Block>
const std::uint8_t* block_at(const std::uint8_t* panel, std::size_t block) { return panel + block * sizeof(Block); }
template <class Block>
int number(const std::uint8_t* block, std::size_t i, std::size_t column) {
  const std::uint8_t* q = block + offsetof(Block, q);
  if constexpr (std::is_same_v<Block, Q8Block>) return q[byte_at(i, column)] - 128;
  const int both = q[byte_at(i % 16, column)];
  return (i < 16 ? both & 15 : both >> 4) - 8;
}

// As float16, and not so small that the largest value is out of reach.
std::uint16_t stored_scale(float scale) {
  constexpr float kLargest = 65504.0f, kSmallestNormal = 6.103515625e-5f;
  const std::uint16_t bits = f32_to_f16(std::clamp(scale, -kLargest, kLargest));
  const bool below = std::fabs(scale) < kSmallestNormal && std::fabs(f16_to_f32(bits)) < std::fabs(scale);
  return below ? static_cast<std::uint16_t>(bits + 1) : bits;
}

template <class Block>
void quantize(const float* values, std::size_t k, Block* out) {
  constexpr float kLeast = Numbers<Block>::kLeast;
  for (std::size_t begin = 0; begin < k; begin += kBlock, ++out) {
    alignas(64) float x[kBlock * kLanes] = {}, scales[kLanes], inverse[kLanes];
    kernels::table().transpose16(values + begin, k, std::min(kBlock, k - begin), x);
    kernels::table().fit_scales(x, kLeast, Numbers<Block>::kLevels, std::size(Numbers<Block>::kLevels), scales);
    for (std::size_t c = 0; c < kLanes; ++c) {
      out->scale[c] = stored_scale(scales[c]);
      const float stored = f16_to_f32(out->scale[c]);
      inverse[c] = stored != 0 ? 1.0f / stored : 0.0f;
    }
    for (std::size_t i = 0; i < kBlock; ++i) {
      for (std::size_t c = 0; c < kLanes; ++c) {
        constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves no bits below one
        const float q = (x[i * kLanes + c] * inverse[c] + kRound) - kRound;
        store(*out, i, c, static_cast<int>(q > kLeast ? std::min(q, -1.0f - kLeast) : kLeast));  // NaN is the least
      }
    }
  }
}

template <class Block>
void dequantize(const std::uint8_t* panel, std::size_t column, std::size_t begin, std::size_t count, float* out) {
  for (std::size_t at = begin, end = begin + count; at < end;) {
    const std::uint8_t* block = block_at<Block>(panel, at / kBlock);
    std::uint16_t bits;
    std::memcpy(&bits, block + 2 * column, 2);
    const float scale = f16_to_f32(bits);
    for (const std::size_t stop = std::min(end, (at / kBlock + 1) * kBlock); at < stop; ++at) {
      *out++ = scale * static_cast<float>(number<Block>(block, at % kBlock, column));
    }
  }
}

template <class Block>
void copy(const std::uint8_t* from, std::size_t from_column, Block* to, std::size_t to_column, std::size_t k) {
  for (std::size_t block = 0; block * kBlock < k; ++block) {
    const std::uint8_t* source = block_at<Block>(from, block);
    std::memcpy(&to[block].scale[to_column], source + 2 * from_column, 2);
    for (std::size_t group = 0; group < sizeof to->q; group += 4 * kLanes) {
      std::memcpy(to[block].q + group + 4 * to_column, source + offsetof(Block, q) + group + 4 * from_column, 4);
    }
  }
}

// Calls body with the panel as blocks of its kind.
template <class Body>
void with_blocks(Storage storage, const Body& body) {
  if (storage == Storage::kQ8) body(static_cast<Q8Block*>(nullptr));
  else body(static_cast<Q4Block*>(nullptr));
}

}  // namespace

std::uint64_t bytes_of_panel(Storage storage, std::uint64_t k) {
  const std::uint64_t blocks = (k + kBlock - 1) / kBlock;
  switch (storage) {
    case Storage::kQ8: return checked_mul(blocks, sizeof(Q8Block), "weight");
    case Storage::kQ4: return checked_mul(blocks, sizeof(Q4Block), "weight");
    case Storage::kF32: return checked_mul(k, kLanes * 4, "weight");
    case Storage::kBf16: case Storage::kF16: break;
  }
  return checked_mul(k, kLanes * 2, "weight");
}

void quantize_panel(const float* values, std::size_t k, Storage storage, std::uint8_t* panel) {
  with_blocks(storage, [&](auto* kind) { quantize(values, k, reinterpret_cast<decltype(kind)>(panel)); });
}

void dequantize_column(const std::uint8_t* panel, std::size_t column, Storage storage, std::size_t begin, std::size_t count, float* out) {
  with_blocks(storage, [&]<class Block>(Block*) { dequantize<Block>(panel, column, begin, count, out); });
}

std::vector<float> dequantize(const TensorView& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  const auto k = static_cast<std::size_t>(tensor.transposed ? tensor.shape[0] : tensor.shape.back()), n = values.size() / k;
  const auto panel = static_cast<std::size_t>(bytes_of_panel(panels_of(tensor.dtype), k));
  std::vector<float> row(k);
  for (std::size_t i = 0; i < n; ++i) {
    dequantize_column(tensor.data.data() + i / kLanes * panel, i % kLanes, panels_of(tensor.dtype), 0, k, row.data());
    if (!tensor.transposed) std::copy(row.begin(), row.end(), values.begin() + static_cast<std::ptrdiff_t>(i * k));
    for (std::size_t j = 0; tensor.transposed && j < k; ++j) values[j * n + i] = row[j];
  }
  return values;
}

void copy_column(const std::uint8_t* from, std::size_t from_column, std::uint8_t* to, std::size_t to_column, Storage storage, std::size_t k) {
  with_blocks(storage, [&]<class Block>(Block*) { copy<Block>(from, from_column, reinterpret_cast<Block*>(to), to_column, k); });
}

}  // namespace polymath
