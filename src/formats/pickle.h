// A pickle read as data: the values that its opcodes describe, without ever importing or calling anything.
// Source: the opcodes' comments in CPython's Lib/pickletools.py (protocols 2 to 4, what torch.save writes of a state dict).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace polymath {

enum class PickleKind { kNone, kBool, kInt, kLong, kFloat, kText, kTuple, kList, kDict, kGlobal, kCall, kPersistent };

using PickleId = std::uint32_t;  // an index into Pickle::values

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  std::int64_t number = 0;         // kBool, kInt
  std::string_view text;           // kText; kLong: its little-endian bytes; kGlobal and kCall: "module.name"
  std::vector<PickleId> items;     // kTuple, kList; kDict: key, value, key, value...; kCall: the arguments; kPersistent: the id
};

// Values refer to each other by index, so a pickle that contains itself is no danger; it is never walked recursively.
struct Pickle {
  std::vector<PickleValue> values;
  PickleId root = 0;
  const PickleValue& operator[](PickleId id) const { return values[id]; }
};

// True for the globals that may appear ("module.name"). A call of collections.OrderedDict becomes a kDict, of any other a kCall.
using GlobalIsAllowed = bool (*)(std::string_view name);

// Reads one pickle, up to its STOP. Texts refer to the reader's bytes and to `names`, which must live as long.
// Throws Error that names the opcode or global at fault. Limits: 4 million values, as many on the stack and in the memo.
Pickle read_pickle(ByteReader& reader, GlobalIsAllowed allowed, std::vector<std::unique_ptr<std::string>>& names);

}  // namespace polymath
