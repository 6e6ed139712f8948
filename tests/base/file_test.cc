#include "base/file.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

namespace polymath {
namespace {

// A folder of this process, gone when it ends.
struct Scratch {
  std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / ("polymath_file_test_" + std::to_string(::getpid()));
  Scratch() { std::filesystem::create_directories(folder); }
  ~Scratch() { std::filesystem::remove_all(folder); }
};

std::string scratch(const std::string& name) {
  static const Scratch kScratch;
  return (kScratch.folder / name).string();
}

TEST(File, WritesWholeFilesAndReadsThemBack) {
  std::string path = scratch("a.bin"), content("x\0y\n", 4);
  write_file_atomically(path, "old");
  write_file_atomically(path, content);
  EXPECT_EQ(read_text_file(path), content);
  EXPECT_EQ(as_text(MappedFile(path).bytes()), content);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch("")), {}), 1) << "a temporary file was left";
}

TEST(File, NamesTheFileInErrors) {
  for (const std::string& path : {scratch("missing"), scratch("")}) {
    try {
      read_text_file(path);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.where, path);
    }
  }
  EXPECT_THROW(write_file_atomically(scratch("no/folder/x"), "y"), Error);
  write_file_atomically(scratch("big"), std::string(100, 'x'));
  EXPECT_THROW(read_text_file(scratch("big"), 99), Error);
}

TEST(File, MapsAnEmptyFile) {
  write_file_atomically(scratch("empty"), "");
  EXPECT_TRUE(MappedFile(scratch("empty")).bytes().empty());
}

TEST(Bytes, RefusesWhatReachesPastTheEnd) {
  std::string four = "abcd";
  EXPECT_EQ(checked_slice(as_bytes(four), 4, 0, "t").size(), 0u);
  EXPECT_THROW(checked_slice(as_bytes(four), 5, 0, "t"), Error);
  EXPECT_THROW(checked_slice(as_bytes(four), 1, 4, "t"), Error);
  EXPECT_THROW(checked_slice(as_bytes(four), ~0ull, 2, "t"), Error);
  EXPECT_THROW(checked_mul(1ull << 33, 1ull << 33, "t"), Error);
  ByteReader reader(as_bytes(four), "t");
  EXPECT_EQ(reader.read<std::uint16_t>(), 0x6261);
  EXPECT_THROW(reader.read<std::uint32_t>(), Error);
}

}  // namespace
}  // namespace polymath
