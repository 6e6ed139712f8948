#include "formats/panels.h"

#include <algorithm>

#include "base/json.h"
#include "base/printable.h"

namespace polymath {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& reason) { throw Error(ErrorCode::kBadFile, reason, where); }

void apply(TensorView& t, const Json& entry, const std::string& where) {
  if (!entry.is_object()) fail(where, "is not an object");
  const auto storage = entry.find("storage"), shape = entry.find("shape"), transposed = entry.find("transposed");
  if (storage == entry.end() || (*storage != "q8" && *storage != "q4")) fail(where, "its storage is not q8 or q4");
  if (shape == entry.end() || !shape->is_array() || shape->size() < 2 || shape->size() > 3) fail(where, "its shape is not a list of two or three sizes");
  if (transposed != entry.end() && !transposed->is_boolean()) fail(where, "transposed is not true or false");
  if (t.dtype != DType::kU8 || t.shape.size() != 1) fail(where, "is not a list of bytes in this file");
  std::vector<std::int64_t> sizes;
  for (const Json& size : *shape) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() == 0 || size.get<std::uint64_t>() > INT32_MAX) fail(where, "has a size that is not from 1 to 2147483647");
    sizes.push_back(size.get<std::int64_t>());
  }
  t.transposed = transposed != entry.end() && transposed->get<bool>();
  if (sizes.size() == 3 && (t.transposed || sizes[1] % static_cast<std::int64_t>(kPanelOutputs) != 0)) {
    fail(where, "matrices on top of each other need outputs by sixteens, not transposed");
  }
  t.dtype = *storage == "q8" ? DType::kQ8 : DType::kQ4;
  t.shape = sizes;
  auto n = static_cast<std::uint64_t>(sizes[sizes.size() - 2]), k = static_cast<std::uint64_t>(sizes.back());
  if (t.transposed) std::swap(n, k);
  if (sizes.size() == 3) n = checked_mul(n, static_cast<std::uint64_t>(sizes[0]), where);
  if (const auto needed = panels_bytes(t.dtype, n, k, where); needed != t.data.size()) {
    fail(where, "has " + std::to_string(t.data.size()) + " bytes where its shape and storage need " + std::to_string(needed));
  }
}

}  // namespace

std::uint64_t panels_bytes(DType dtype, std::uint64_t n, std::uint64_t k, const std::string& where) {
  const std::uint64_t block = dtype == DType::kQ8 ? kQ8BlockBytes : kQ4BlockBytes;
  return checked_mul(checked_mul((n + kPanelOutputs - 1) / kPanelOutputs, (k + kPanelBlock - 1) / kPanelBlock, where), block, where);
}

void apply_panels(std::vector<TensorView>& tensors, const std::map<std::string, std::string>& metadata, const std::string& where) {
  const auto found = metadata.find(kPanelsKey);
  if (found == metadata.end()) return;
  const std::string place = where + ": " + kPanelsKey;
  const Json root = parse_json(found->second, place);
  if (!root.is_object() || !root.contains("version") || !root.contains("tensors") || !root["tensors"].is_object()) fail(place, "is not an object with version and tensors");
  if (root["version"] != kPanelsVersion) {
    throw Error(ErrorCode::kUnsupported, "has the version " + printable(dump_json(root["version"])) + "; this program knows " + std::to_string(kPanelsVersion), place);
  }
  std::map<std::string, TensorView*> by_name;
  for (TensorView& t : tensors) by_name.emplace(t.name, &t);
  for (const auto& [name, entry] : root["tensors"].items()) {
    const auto tensor = by_name.find(name);
    if (tensor == by_name.end()) fail(place + ": " + printable(name), "is not in this file");
    apply(*tensor->second, entry, place + ": " + printable(name));
  }
}

std::string panels_metadata(const std::vector<PanelsEntry>& entries) {
  Json tensors = Json::object();
  for (const PanelsEntry& e : entries) {
    tensors[e.name] = {{"storage", e.dtype == DType::kQ8 ? "q8" : "q4"}, {"shape", e.shape}};
    if (e.transposed) tensors[e.name]["transposed"] = true;
  }
  return dump_json({{"version", kPanelsVersion}, {"tensors", tensors}});
}

}  // namespace polymath
