// Files: mapped, read whole, or replaced at one stroke. POSIX.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace polymath {

// A whole file mapped read-only. The bytes are those on disk; pages are read
// when touched. Movable; the mapping ends with the object. Const use from many
// threads is safe. Truncating the file while it is mapped is not survived.
class MappedFile {
 public:
  // Throws Error{kNotFound or kIo} naming the path, kIo for pipes, devices and folders too. An empty file maps to no bytes.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;

  Bytes bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }

  // Tells the system that these bytes are no longer needed in memory; they stay readable.
  void drop(Bytes part) const;

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::string path_;
};

// Whether there is anything of that name, or nobody can know: what is no file, or cannot be opened, is then refused where it is
// read instead of being overlooked.
bool file_exists(const std::string& path);
bool directory_exists(const std::string& path);  // a directory (links followed)

// The regular files of a folder and the folders in it, in order of their paths. Links to files are followed, links to folders
// are not; links that lead nowhere are left out. Throws Error{kNotFound or kIo} naming a folder that cannot be read.
std::vector<std::string> files_below(const std::string& folder);

// The file's bytes. Throws Error{kNotFound, kIo (a pipe, device or folder too) or kResource if larger than `limit`}.
std::string read_text_file(const std::string& path, std::uint64_t limit = std::uint64_t{1} << 32);
// The same of what a user named: also a pipe, as <(command) gives, or a device.
std::string read_named_input(const std::string& path, std::uint64_t limit = std::uint64_t{1} << 32);

// Replaces `path` by `content` so that a reader, or a crash at any moment, sees the
// old file or the new one, never a part: a temporary file beside it, fsync, rename.
// A link stays a link; a pipe or device is written to.
void write_file_atomically(const std::string& path, std::string_view content);

std::string join_path(const std::string& folder, const std::string& name);
std::string base_name(const std::string& path);  // "a/b.txt" -> "b.txt"

// The folder for what can be computed again: $XDG_CACHE_HOME/polymath or ~/.cache/polymath; created.
std::string user_cache_folder();

}  // namespace polymath
