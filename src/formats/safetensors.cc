#include "formats/safetensors.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include <simdjson.h>

#include "base/json.h"
#include "base/printable.h"

namespace polymath {
namespace {

constexpr std::uint64_t kMostHeader = 100'000'000;
constexpr std::uint64_t kMostBytes = INT64_MAX;  // so that products of the shape fit signed numbers
constexpr std::size_t kMostTensors = 1'000'000, kMostAxes = 8;

namespace sj = simdjson;

[[noreturn]] void fail(const std::string& where, const std::string& reason) { throw Error(ErrorCode::kBadFile, reason, where); }

std::uint64_t whole_number(sj::dom::element value, const std::string& where, const char* what) {
  std::uint64_t number = 0;
  if (value.get_uint64().get(number) != sj::SUCCESS) fail(where, std::string(what) + " is not a whole number of at least 0");
  return number;
}

struct Placed {
  std::uint64_t begin, end;
  std::size_t tensor;
};

TensorView parse_entry(std::string_view name, sj::dom::element value, Bytes data, const std::string& file, std::uint64_t& begin) {
  TensorView t;
  t.name = std::string(name);
  const std::string where = file + ": " + printable(name);
  sj::dom::object entry;
  if (value.get(entry) != sj::SUCCESS) fail(where, "its header entry is not an object");
  std::set<std::string_view> fields;
  for (auto [key, field] : entry) {
    if (!fields.insert(key).second) fail(where, "has the field " + printable(key) + " twice");
  }
  std::string_view dtype_text;
  if (entry["dtype"].get(dtype_text) != sj::SUCCESS) fail(where, "has no dtype");
  const auto dtype = dtype_named(dtype_text);
  if (!dtype) throw Error(ErrorCode::kUnsupported, "has the type \"" + printable(dtype_text) + "\", which is not known here", where);
  t.dtype = *dtype;
  sj::dom::array shape, offsets;
  if (entry["shape"].get(shape) != sj::SUCCESS) fail(where, "has no shape");
  if (shape.size() > kMostAxes) fail(where, "has more than 8 axes");
  std::uint64_t bytes = dtype_size(t.dtype);
  for (sj::dom::element n : shape) {
    const std::uint64_t length = whole_number(n, where, "its shape");
    bytes = checked_mul(bytes, length, where);
    if (bytes > kMostBytes || length > kMostBytes) fail(where, "its shape is too large");
    t.shape.push_back(static_cast<std::int64_t>(length));
  }
  if (entry["data_offsets"].get(offsets) != sj::SUCCESS || offsets.size() != 2) fail(where, "has no data_offsets of two numbers");
  begin = whole_number(offsets.at(0).value(), where, "data_offsets");
  const std::uint64_t end = whole_number(offsets.at(1).value(), where, "data_offsets");
  if (end < begin) fail(where, "data_offsets end before they begin");
  if (end - begin != bytes) {
    fail(where, "has " + std::to_string(end - begin) + " bytes where its shape and type need " + std::to_string(bytes));
  }
  t.data = checked_slice(data, begin, bytes, where);
  return t;
}

// A relative path whose every part is a plain name: it cannot leave the folder it is joined to.
bool stays_inside(std::string_view path) {
  if (path.find_first_of(std::string_view("\\\0", 2)) != std::string_view::npos) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace

std::int64_t TensorView::elements() const {
  std::int64_t n = 1;
  for (std::int64_t length : shape) n *= length;
  return n;
}

std::vector<TensorView> parse_safetensors(Bytes file, const std::string& where, const MappedFile* mapped, std::map<std::string, std::string>* metadata) {
  ByteReader reader(file, where);
  if (file.size() < 8) fail(where, "is too short for a safetensors file");
  const auto header_size = reader.read<std::uint64_t>();
  if (header_size > kMostHeader) fail(where, "its header of " + std::to_string(header_size) + " bytes is above the limit of 100 MB");
  if (header_size > reader.remaining()) fail(where, "is cut off inside its header");
  const std::string_view header = reader.text(header_size);
  const Bytes data = file.subspan(8 + static_cast<std::size_t>(header_size));
  if (!header.starts_with("{")) fail(where, "its header is not a JSON object");

  sj::dom::parser parser;
  sj::dom::object entries;
  if (auto error = parser.parse(header.data(), header.size()).get(entries); error != sj::SUCCESS) {
    fail(where, std::string("its header is not valid JSON: ") + sj::error_message(error));
  }
  std::vector<TensorView> tensors;
  std::vector<Placed> places;
  std::set<std::string_view> names;
  for (auto [name, value] : entries) {
    if (!names.insert(name).second) fail(where + ": " + printable(name), "is named twice");
    if (name == "__metadata__") {
      sj::dom::object strings;
      if (value.get(strings) != sj::SUCCESS) fail(where + ": __metadata__", "is not an object of strings");
      for (auto [key, text] : strings) {
        std::string_view content;
        if (text.get(content) != sj::SUCCESS) fail(where + ": __metadata__", "is not an object of strings");
        if (metadata) metadata->insert_or_assign(std::string(key), std::string(content));
      }
      continue;
    }
    if (tensors.size() >= kMostTensors) fail(where, "holds more than a million tensors");
    std::uint64_t begin = 0;
    tensors.push_back(parse_entry(name, value, data, where, begin));
    tensors.back().file = mapped;
    places.push_back({begin, begin + tensors.back().data.size(), tensors.size() - 1});
  }
  // The tensors must cover the data exactly, without overlap or hole.
  std::sort(places.begin(), places.end(), [](const Placed& a, const Placed& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t covered = 0;
  for (const Placed& p : places) {
    if (p.begin != covered) {
      fail(where + ": " + printable(tensors[p.tensor].name), p.begin < covered ? "overlaps another tensor" : "leaves a hole before it");
    }
    covered = p.end;
  }
  if (covered != data.size()) fail(where, "has " + std::to_string(data.size() - covered) + " bytes after its last tensor");
  return tensors;
}

std::map<std::string, std::string> parse_weight_map(std::string_view json, const std::string& where) {
  sj::dom::parser parser;
  sj::dom::object root, map;
  const sj::padded_string padded(json);
  if (auto error = parser.parse(padded).get(root); error != sj::SUCCESS) fail(where, std::string("is not a JSON object: ") + sj::error_message(error));
  if (root["weight_map"].get(map) != sj::SUCCESS) fail(where, "has no weight_map");
  std::map<std::string, std::string> files;
  for (auto [name, value] : map) {
    const std::string entry = where + ": weight_map: " + printable(name);
    std::string_view file;
    if (value.get(file) != sj::SUCCESS) fail(entry, "is not a file name");
    if (!stays_inside(file)) fail(entry, "\"" + printable(file) + "\" is not a file in this folder");
    if (files.size() >= kMostTensors) fail(where, "names more than a million tensors");
    if (!files.emplace(name, file).second) fail(entry, "is named twice");
  }
  return files;
}

namespace {

// The file up to its tensors.
std::string header_of(const std::string& path, const std::vector<NamedArray>& tensors, const std::function<std::uint64_t(std::size_t)>& bytes_of,
                      const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::uint64_t end = checked_add(offset, bytes_of(i), path);
    header[tensors[i].name] = {{"dtype", dtype_name(tensors[i].dtype)}, {"shape", tensors[i].shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the tensors are aligned
  const std::uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), 8) + text;
}

}  // namespace

void write_safetensors(const std::string& path, const std::vector<NamedArray>& tensors, const std::map<std::string, std::string>& metadata) {
  std::string content = header_of(path, tensors, [&](std::size_t i) { return tensors[i].data.size(); }, metadata);
  std::size_t size = content.size();
  for (const NamedArray& t : tensors) size += t.data.size();
  content.reserve(size);
  for (const NamedArray& t : tensors) content += as_text(t.data);
  write_file_atomically(path, content);
}

void write_safetensors_in_turn(const std::string& path, const std::vector<NamedArray>& tensors, const std::function<std::uint64_t(std::size_t)>& bytes_of,
                               const std::function<Bytes(std::size_t)>& content, const std::map<std::string, std::string>& metadata) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << header_of(path, tensors, bytes_of, metadata);
  for (std::size_t i = 0; file && i < tensors.size(); ++i) {
    const Bytes bytes = content(i);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  file.flush();
  if (!file) throw Error(ErrorCode::kIo, std::string("cannot be written: ") + std::strerror(errno), path);
}

}  // namespace polymath
