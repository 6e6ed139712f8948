// JSON values whose objects keep the order of their keys, as Python's dicts do.
//
// For bodies, configs and results. Large files (tokenizer.json, safetensors
// headers) are read with simdjson where they are parsed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace polymath {

using Json = nlohmann::ordered_json;

// Deeper nesting is refused: recursion over a value stays bounded.
inline constexpr int kMaxJsonDepth = 64;

// Parses one JSON value. Accepts NaN, Infinity and -Infinity, which Python's json module writes.
// Throws Error{kInvalidArgument} naming `where` and the byte at fault.
Json parse_json(std::string_view text, std::string_view where);

// As parse_json, of a file's content; at most 64 MiB. Throws Error{kBadFile or kIo}.
Json read_json_file(const std::string& path);

// Writes JSON as Python's json.dumps(ensure_ascii=False) would: ", " and ": "
// between items, floats with the shortest digits that read back to the same
// double, NaN/Infinity spelled as Python spells them, invalid UTF-8 replaced by U+FFFD.
std::string dump_json(const Json& value);

// The name of a value's JSON type as a person says it: "a number", "a string", ...
const char* json_kind(const Json& value);

}  // namespace polymath
