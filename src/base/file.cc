#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace polymath {
namespace {

[[noreturn]] void fail(const std::string& path, const char* doing) {
  int number = errno;
  struct stat link {};
  if (number == ENOENT && ::lstat(path.c_str(), &link) == 0) throw Error(ErrorCode::kIo, "is a link to a file that is not there", path);
  auto code = number == ENOENT || number == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
  const std::string where = path.empty() ? "\"\"" : path;
  throw Error(code, number == ENOENT ? "no such file" : std::string("cannot ") + doing + ": " + std::strerror(number), where);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const std::string& path, int flags, mode_t mode = 0) : Descriptor(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (fd_ < 0) fail(path, flags & O_CREAT ? "create" : "open");
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
constexpr int kReadRegular = O_RDONLY | O_NONBLOCK;

std::uint64_t size_of(int fd, const std::string& path, bool only_regular) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail(path, "read");
  if (S_ISDIR(status.st_mode)) throw Error(ErrorCode::kIo, "is a folder, not a file", path);
  if (only_regular && !S_ISREG(status.st_mode)) throw Error(ErrorCode::kIo, S_ISFIFO(status.st_mode) ? "is a pipe, not a file" : "is a device, not a file", path);
  return static_cast<std::uint64_t>(status.st_size);
}

std::string read_all(int fd, std::uint64_t size, std::uint64_t limit, const std::string& path) {
  auto check = [&](std::uint64_t bytes) {
    if (bytes > limit) {
      throw Error(ErrorCode::kResource, "is larger than the limit of " + std::to_string(limit >> 20) + " MiB", path);
    }
  };
  check(size);
  std::string content(static_cast<std::size_t>(size), '\0');
  std::size_t have = 0;
  while (true) {  // to the real end: pipes and files in /proc do not say their size
    if (have == content.size()) content.resize(have + std::max<std::size_t>(65536, have / 2));
    ssize_t got = ::read(fd, content.data() + have, content.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, "read");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
    check(have);
  }
  content.resize(have);
  return content;
}

void write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "write");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  Descriptor file(path, kReadRegular);
  size_ = static_cast<std::size_t>(size_of(file.get(), path, /*only_regular=*/true));
  if (size_ == 0) return;
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (mapped == MAP_FAILED) fail(path, "map");
  data_ = static_cast<const std::uint8_t*>(mapped);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), path_(std::move(other.path_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

void MappedFile::drop(Bytes part) const {
  // Only whole pages inside the part: its neighbours may still be in use.
  auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
  auto end = reinterpret_cast<std::uintptr_t>(part.data() + part.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

bool file_exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool directory_exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

std::vector<std::string> files_below(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  std::error_code error, unknown;
  fs::recursive_directory_iterator entry(folder, error);
  std::string inside = folder;
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->is_regular_file(unknown)) files.push_back(entry->path().string());
    if (entry->is_directory(unknown)) inside = entry->path().string();
  }
  const bool missing = error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  if (error) throw Error(missing ? ErrorCode::kNotFound : ErrorCode::kIo, "cannot read this folder: " + error.message(), inside);
  std::sort(files.begin(), files.end());
  return files;
}

std::string read_text_file(const std::string& path, std::uint64_t limit) {
  Descriptor file(path, kReadRegular);
  return read_all(file.get(), size_of(file.get(), path, /*only_regular=*/true), limit, path);
}

std::string read_named_input(const std::string& path, std::uint64_t limit) {
  Descriptor file(path, O_RDONLY);
  return read_all(file.get(), size_of(file.get(), path, /*only_regular=*/false), limit, path);
}

namespace {

// Where a file is kept: what a link points to, so that the link stays. What is not there yet is `path` itself.
std::string target_of(const std::string& path) {
  std::error_code error;
  const auto target = std::filesystem::canonical(path, error);
  if (!error) return target.string();
  if (error != std::errc::no_such_file_or_directory) throw Error(ErrorCode::kIo, "cannot create: " + error.message(), path);
  return path;
}

// Writes the content under the name `temporary`. Where the system can, the name appears with the last byte, so that a
// process that is ended in between leaves nothing.
void write_new(const std::string& folder, const std::string& temporary, std::string_view content, const std::string& path) {
  Descriptor unnamed(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644));
  if (unnamed.get() >= 0) {
    write_all(unnamed.get(), content, path);
    if (::fsync(unnamed.get()) != 0) fail(path, "write");
    const std::string name = "/proc/self/fd/" + std::to_string(unnamed.get());
    ::unlink(temporary.c_str());
    if (::linkat(AT_FDCWD, name.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) == 0) return;
  }
  Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(file.get(), content, path);
  if (::fsync(file.get()) != 0) fail(path, "write");
}

}  // namespace

void write_file_atomically(const std::string& path, std::string_view content) {
  const std::string target = target_of(path);
  struct stat status {};
  if (::stat(target.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    if (S_ISDIR(status.st_mode)) throw Error(ErrorCode::kIo, "is a folder, not a file", path);
    Descriptor device(path, O_WRONLY);  // a pipe or a device is written to, not replaced
    return write_all(device.get(), content, path);
  }
  const std::string temporary = target + ".tmp" + std::to_string(::getpid());
  const std::string parent = std::filesystem::path(target).parent_path().string(), folder = parent.empty() ? "." : parent;
  try {
    write_new(folder, temporary, content, path);
    if (::rename(temporary.c_str(), target.c_str()) != 0) fail(path, "replace");
  } catch (Error& e) {
    ::unlink(temporary.c_str());
    const bool no_folder = e.code == ErrorCode::kNotFound;
    throw Error(e.code, no_folder ? "its folder is not there" : e.reason, path);
  }
  Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));  // may be closed to readers
  ::fsync(directory.get());  // some file systems refuse this for folders; the rename still happened
}

std::string join_path(const std::string& folder, const std::string& name) {
  return (std::filesystem::path(folder) / name).string();
}

std::string base_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::string user_cache_folder() {
  std::string base;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache == '/') base = cache;
  else if (const char* home = std::getenv("HOME"); home && *home) base = join_path(home, ".cache");
  else base = std::filesystem::temp_directory_path().string();
  std::string folder = join_path(base, "polymath");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ErrorCode::kIo, "cannot create: " + error.message(), folder);
  return folder;
}

}  // namespace polymath
