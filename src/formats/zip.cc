#include "formats/zip.h"

#include <algorithm>
#include <set>

#include "base/printable.h"

namespace polymath {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                        kEnd64Locator = 0x07064b50;
constexpr std::uint64_t kMostEntries = 1'000'000;
constexpr std::size_t kEndSize = 22, kLocatorSize = 20;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF;  // the value is in the zip64 extra field

[[noreturn]] void fail(const std::string& where, const std::string& reason) { throw Error(ErrorCode::kBadFile, reason, where); }

template <class T>
T number_at(Bytes file, std::uint64_t offset, const std::string& where) {
  return ByteReader(checked_slice(file, offset, sizeof(T), where), where).read<T>();
}

struct Directory {
  std::uint64_t offset = 0, size = 0, entries = 0;
};

// The end record is the file's last, but for a comment of up to 65,535 bytes.
std::size_t find_end(Bytes file, const std::string& where) {
  if (file.size() >= kEndSize) {
    const std::size_t last = file.size() - kEndSize, first = last - std::min<std::size_t>(last, 0xFFFF);
    for (std::size_t at = last + 1; at-- > first;) {
      if (number_at<std::uint32_t>(file, at, where) == kEnd && number_at<std::uint16_t>(file, at + 20, where) == last - at) return at;
    }
  }
  fail(where, "the zip archive has no end record: the file is cut off or damaged");
}

Directory find_directory(Bytes file, const std::string& where) {
  const std::size_t end = find_end(file, where);
  ByteReader reader(file.subspan(end, kEndSize), where);
  reader.take(4);
  const auto disk = reader.read<std::uint16_t>(), first_disk = reader.read<std::uint16_t>();
  reader.take(2);
  Directory d;
  d.entries = reader.read<std::uint16_t>();
  d.size = reader.read<std::uint32_t>();
  d.offset = reader.read<std::uint32_t>();
  if (end >= kLocatorSize && number_at<std::uint32_t>(file, end - kLocatorSize, where) == kEnd64Locator) {
    const auto at = number_at<std::uint64_t>(file, end - kLocatorSize + 8, where);
    ByteReader big(checked_slice(file, at, 56, where + ": zip64 end record"), where);
    if (big.read<std::uint32_t>() != kEnd64) fail(where, "the zip64 end record is not where its locator says");
    big.take(12);
    if (big.read<std::uint32_t>() != 0 || big.read<std::uint32_t>() != 0) fail(where, "the zip archive is split over several disks");
    big.take(8);
    d.entries = big.read<std::uint64_t>();
    d.size = big.read<std::uint64_t>();
    d.offset = big.read<std::uint64_t>();
  } else if (disk != 0 || first_disk != 0) fail(where, "the zip archive is split over several disks");
  if (d.entries > kMostEntries) fail(where, "the zip archive holds more than a million entries");
  return d;
}

// Replaces the 32-bit fields that say "see zip64" by those of the extra field 0x0001, which come in this order.
void read_zip64(Bytes extra, const std::string& where, std::uint64_t& size, std::uint64_t& stored, std::uint64_t& offset) {
  ByteReader reader(extra, where + ": its extra fields");
  while (reader.remaining() >= 4) {
    const auto id = reader.read<std::uint16_t>(), length = reader.read<std::uint16_t>();
    ByteReader field(reader.take(length), where + ": its zip64 field");
    if (id != 1) continue;
    for (std::uint64_t* value : {&size, &stored, &offset}) {
      if (*value == kIn64) *value = field.read<std::uint64_t>();
    }
    return;
  }
}

ZipEntry read_entry(Bytes file, ByteReader& reader, const std::string& archive) {
  if (reader.read<std::uint32_t>() != kCentralHeader) reader.fail("an entry of the zip directory does not begin as one");
  reader.take(4);
  const auto flags = reader.read<std::uint16_t>(), method = reader.read<std::uint16_t>();
  reader.take(8);
  std::uint64_t stored = reader.read<std::uint32_t>(), size = reader.read<std::uint32_t>();
  const auto name_size = reader.read<std::uint16_t>(), extra_size = reader.read<std::uint16_t>(), comment_size = reader.read<std::uint16_t>();
  reader.take(8);
  std::uint64_t offset = reader.read<std::uint32_t>();
  ZipEntry entry;
  entry.name = reader.text(name_size);
  const std::string where = archive + ": " + printable(entry.name);
  read_zip64(reader.take(extra_size), where, size, stored, offset);
  reader.take(comment_size);
  if (flags & 1) throw Error(ErrorCode::kUnsupported, "is encrypted", where);
  if (method != 0) {
    throw Error(ErrorCode::kUnsupported, "is compressed (method " + std::to_string(method) + "); torch.save stores its entries as they are", where);
  }
  if (stored != size) fail(where, "is stored in " + std::to_string(stored) + " bytes but said to have " + std::to_string(size));
  // The local header repeats the name; only its lengths are needed to find the data behind it.
  if (number_at<std::uint32_t>(file, offset, where) != kLocalHeader) fail(where, "is not where the zip directory says");
  const std::uint64_t names = checked_add(number_at<std::uint16_t>(file, checked_add(offset, 26, where), where),
                                          number_at<std::uint16_t>(file, checked_add(offset, 28, where), where), where);
  entry.data = checked_slice(file, checked_add(checked_add(offset, 30, where), names, where), size, where);
  return entry;
}

}  // namespace

bool looks_like_zip(Bytes file) { return file.size() >= 4 && number_at<std::uint32_t>(file, 0, "") == kLocalHeader; }

std::vector<ZipEntry> read_zip_directory(Bytes file, const std::string& where) {
  const Directory directory = find_directory(file, where);
  ByteReader reader(checked_slice(file, directory.offset, directory.size, where + ": zip directory"), where + ": zip directory");
  std::vector<ZipEntry> entries;
  std::set<std::string> names;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    entries.push_back(read_entry(file, reader, where));
    if (!names.insert(entries.back().name).second) fail(where + ": " + printable(entries.back().name), "is in the zip archive twice");
  }
  if (!reader.done()) reader.fail("holds more than its " + std::to_string(directory.entries) + " entries");
  return entries;
}

}  // namespace polymath
