// The one exception type of the library.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace polymath {

enum class ErrorCode {
  kInvalidArgument,  // a parameter, field or input value that cannot be used
  kNotFound,         // a file, tensor, model or name that is not there
  kBadFile,          // a file whose bytes break its format
  kUnsupported,      // well formed, but not something this program can do
  kIo,               // the system refused to read or write
  kResource,         // out of memory or above a stated limit
};

// Thrown by every function of the library that can fail. `where` names the
// file, tensor, field or parameter at fault (may be empty); `reason` is one
// clear sentence without a line break. what() is "where: reason".
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string reason, std::string where = {})
      : std::runtime_error(where.empty() ? reason : where + ": " + reason),
        code(code),
        reason(std::move(reason)),
        where(std::move(where)) {}

  ErrorCode code;
  std::string reason;
  std::string where;
};

}  // namespace polymath
