#include "cli/streams.h"

#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "polymath/error.h"

namespace polymath::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // of a line or a body: /dev/zero has no end

[[noreturn]] void too_large(const std::string& where) { throw Error(ErrorCode::kResource, "is larger than the limit of 1024 MiB", where); }

[[noreturn]] void fail(const char* doing, const std::string& where) {
  throw Error(ErrorCode::kIo, std::string("cannot be ") + doing + (errno ? std::string(": ") + std::strerror(errno) : ""), where);
}

}  // namespace

Lines::Lines(const std::string& name) : name_(name == "-" ? "standard input" : name), in_(&std::cin) {
  if (name == "-") return;
  if (directory_exists(name)) throw Error(ErrorCode::kIo, "is a folder, not a file", name);
  errno = 0;
  file_.open(name, std::ios::binary);
  if (!file_ && errno == ENOENT) throw Error(ErrorCode::kNotFound, "no such file", name);
  if (!file_) fail("opened", name);
  in_ = &file_;
}

bool Lines::next(std::string& line) {
  line.clear();
  std::vector<char>& part = buffer_;
  while (true) {
    errno = 0;
    in_->getline(part.data(), static_cast<std::streamsize>(part.size()));
    auto count = static_cast<std::size_t>(in_->gcount());
    if (in_->bad()) fail("read", name_);
    const bool ended = in_->eof(), full = !ended && in_->fail();
    if (!ended && !full) --count;  // the line break
    line.append(part.data(), count);
    if (ended && line.empty() && count == 0) return false;
    if (line.size() > kMostBytes) too_large(name_ + " line " + std::to_string(number_ + 1));
    if (!full) break;
    in_->clear();
  }
  ++number_;
  return true;
}

std::string Lines::where() const { return name_ + " line " + std::to_string(number_); }

std::string read_standard_input() {
  std::string all;
  std::vector<char> part(std::size_t{1} << 16);
  do {
    errno = 0;
    std::cin.read(part.data(), static_cast<std::streamsize>(part.size()));
    if (std::cin.bad()) fail("read", "standard input");
    all.append(part.data(), static_cast<std::size_t>(std::cin.gcount()));
    if (all.size() > kMostBytes) too_large("standard input");
  } while (std::cin);
  return all;
}

void flush_output() {
  errno = 0;
  if (!std::cout.flush()) fail("written", "standard output");
}

}  // namespace polymath::cli
