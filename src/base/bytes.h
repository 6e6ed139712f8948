// Checked size arithmetic and little-endian reads over untrusted bytes.
//
// Every size that comes from a file or a request goes through checked_add and
// checked_mul; formats/ never computes sizes with plain operators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "polymath/error.h"

namespace polymath {

using Bytes = std::span<const std::uint8_t>;

inline std::uint64_t checked_add(std::uint64_t a, std::uint64_t b, std::string_view where) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) throw Error(ErrorCode::kBadFile, "size overflows 64 bits", std::string(where));
  return sum;
}

inline std::uint64_t checked_mul(std::uint64_t a, std::uint64_t b, std::string_view where) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw Error(ErrorCode::kBadFile, "size overflows 64 bits", std::string(where));
  return product;
}

// The `size` bytes of `whole` from `offset`; an Error naming `where` if they reach past its end.
inline Bytes checked_slice(Bytes whole, std::uint64_t offset, std::uint64_t size, std::string_view where) {
  if (offset > whole.size() || size > whole.size() - offset) {
    throw Error(ErrorCode::kBadFile,
                "needs bytes " + std::to_string(offset) + " to " + std::to_string(checked_add(offset, size, where)) +
                    " but there are only " + std::to_string(whole.size()),
                std::string(where));
  }
  return whole.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

// A cursor over bytes in which every read is checked. Not thread safe.
class ByteReader {
 public:
  ByteReader(Bytes bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  bool done() const { return position_ == bytes_.size(); }
  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  const std::string& where() const { return where_; }

  Bytes take(std::uint64_t size) {
    Bytes part = checked_slice(bytes_, position_, size, where_);
    position_ += part.size();
    return part;
  }

  // Reads a little-endian number.
  template <class T>
  T read() {
    static_assert(std::is_arithmetic_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::string_view text(std::uint64_t size) {
    Bytes part = take(size);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

  [[noreturn]] void fail(const std::string& reason) const { throw Error(ErrorCode::kBadFile, reason, where_); }

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
  std::string where_;
};

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace polymath
