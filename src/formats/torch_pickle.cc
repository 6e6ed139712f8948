#include "formats/torch_pickle.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/printable.h"
#include "base/utf8.h"
#include "formats/pickle.h"
#include "formats/zip.h"

namespace polymath {
namespace {

constexpr std::size_t kMostAxes = 8, kMostPickle = 64u << 20;
constexpr std::uint64_t kMostBytes = INT64_MAX;
// torch/serialization.py: MAGIC_NUMBER 0x1950a86a20f9469cfc6c and PROTOCOL_VERSION of the legacy container.
constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t kLegacyVersion = 1001;

[[noreturn]] void fail(const std::string& where, const std::string& reason) { throw Error(ErrorCode::kBadFile, reason, where); }

std::optional<DType> storage_type(std::string_view name) {
  static const std::map<std::string_view, DType> kTypes = {
      {"torch.DoubleStorage", DType::kF64}, {"torch.FloatStorage", DType::kF32}, {"torch.HalfStorage", DType::kF16},
      {"torch.BFloat16Storage", DType::kBf16}, {"torch.LongStorage", DType::kI64}, {"torch.IntStorage", DType::kI32},
      {"torch.ShortStorage", DType::kI16}, {"torch.CharStorage", DType::kI8}, {"torch.ByteStorage", DType::kU8},
      {"torch.BoolStorage", DType::kBool}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

bool global_is_allowed(std::string_view name) {
  return name == "collections.OrderedDict" || name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_parameter" ||
         storage_type(name);
}

// What a persistent id describes: ("storage", type, key, location, elements[, view of it]).
struct Storage {
  std::string key;
  DType dtype = DType::kF32;
  std::uint64_t elements = 0;  // of the whole storage
  std::uint64_t view_offset = 0, view_elements = 0;
};

std::uint64_t size_of(const Pickle& pickle, PickleId id, const std::string& where, const char* what) {
  const PickleValue& value = pickle[id];
  if (value.kind != PickleKind::kInt || value.number < 0) fail(where, std::string(what) + " is not a whole number of at least 0");
  return static_cast<std::uint64_t>(value.number);
}

Storage read_storage(const Pickle& pickle, const PickleValue& persistent, const std::string& where) {
  const PickleValue& id = pickle[persistent.items[0]];
  const auto text = [&](std::size_t i) { return pickle[id.items[i]].kind == PickleKind::kText ? pickle[id.items[i]].text : std::string_view(); };
  if (id.kind != PickleKind::kTuple || id.items.size() < 5 || id.items.size() > 6 || text(0) != "storage") {
    fail(where, "its pickle refers to something outside that is not a storage");
  }
  Storage s;
  const PickleValue& type = pickle[id.items[1]];
  const auto dtype = type.kind == PickleKind::kGlobal ? storage_type(type.text) : std::nullopt;
  if (!dtype) fail(where, "a storage has no type");
  s.dtype = *dtype;
  s.key = text(2);
  const std::string storage = where + ": storage " + printable(s.key);
  s.elements = s.view_elements = size_of(pickle, id.items[4], storage, "its size");
  if (id.items.size() == 6 && pickle[id.items[5]].kind != PickleKind::kNone) {  // legacy: (view's key, offset, size)
    const PickleValue& view = pickle[id.items[5]];
    if (view.kind != PickleKind::kTuple || view.items.size() != 3) fail(storage, "its view is not a tuple of three");
    s.view_offset = size_of(pickle, view.items[1], storage, "its view's offset");
    s.view_elements = size_of(pickle, view.items[2], storage, "its view's size");
  }
  if (checked_add(s.view_offset, s.view_elements, storage) > s.elements) fail(storage, "its view reaches past its end");
  return s;
}

// The arguments of _rebuild_tensor_v2 behind the storage.
struct Layout {
  std::uint64_t offset = 0;
  std::vector<std::uint64_t> shape, strides;  // in elements
};

class Builder {
 public:
  Builder(const Pickle& pickle, const std::map<std::string, Bytes>& storages, Bytes file, const std::string& where, const MappedFile* mapped)
      : pickle_(pickle), storages_(storages), where_(where), mapped_(mapped), copy_limit_(checked_mul(file.size(), 4, where)) {}

  TorchFile build() {
    const PickleValue& root = pickle_[pickle_.root];
    if (root.kind != PickleKind::kDict) fail(where_, "does not hold a dict of tensors");
    std::map<std::string_view, PickleId> last;  // a key set twice keeps its place and takes the later value, as a dict does
    std::vector<std::string_view> order;
    for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
      const PickleValue& key = pickle_[root.items[i]];
      if (key.kind != PickleKind::kText || !utf8_valid(key.text)) fail(where_, "a key of its dict is not a text");
      if (!last.contains(key.text)) order.push_back(key.text);
      last[key.text] = root.items[i + 1];
    }
    for (std::string_view name : order) add(name, last[name]);
    return std::move(out_);
  }

 private:
  void add(std::string_view name, PickleId id) {
    const std::string where = where_ + ": " + printable(name);
    const PickleValue* value = &pickle_[id];
    if (value->kind == PickleKind::kCall && value->text == "torch._utils._rebuild_parameter") {
      if (value->items.empty()) fail(where, "is a parameter without a tensor");
      value = &pickle_[value->items[0]];
    }
    if (value->kind != PickleKind::kCall) return;  // a number or a text beside the tensors
    if (value->text != "torch._utils._rebuild_tensor_v2" || value->items.size() < 4) fail(where, "is not a tensor");
    const PickleValue& persistent = pickle_[value->items[0]];
    if (persistent.kind != PickleKind::kPersistent) fail(where, "has no storage");
    const Storage storage = read_storage(pickle_, persistent, where);
    const auto bytes = storages_.find(storage.key);
    if (bytes == storages_.end()) fail(where, "its storage " + printable(storage.key) + " is not in the file");
    const std::uint64_t size = dtype_size(storage.dtype);
    if (bytes->second.size() != checked_mul(storage.elements, size, where)) {
      fail(where, "its storage " + printable(storage.key) + " has " + std::to_string(bytes->second.size()) + " bytes, not " +
                      std::to_string(storage.elements) + " elements");
    }
    const Bytes data = checked_slice(bytes->second, checked_mul(storage.view_offset, size, where), checked_mul(storage.view_elements, size, where), where);
    const Layout layout = read_layout(*value, where);
    TensorView t;
    t.name = std::string(name);
    t.dtype = storage.dtype;
    std::uint64_t elements = 1;
    for (std::uint64_t n : layout.shape) {
      t.shape.push_back(static_cast<std::int64_t>(n));
      elements = checked_mul(elements, n, where);
    }
    const std::uint64_t total = checked_mul(elements, size, where);
    if (total > kMostBytes) fail(where, "its shape is too large");
    place(t, layout, data, elements, total, where);
    out_.tensors.push_back(std::move(t));
  }

  Layout read_layout(const PickleValue& call, const std::string& where) const {
    const PickleValue &shape = pickle_[call.items[2]], &strides = pickle_[call.items[3]];
    if (shape.kind != PickleKind::kTuple || strides.kind != PickleKind::kTuple) fail(where, "its shape or strides are not a tuple");
    if (shape.items.size() > kMostAxes) fail(where, "has more than 8 axes");
    if (shape.items.size() != strides.items.size()) fail(where, "has " + std::to_string(shape.items.size()) + " axes but " + std::to_string(strides.items.size()) + " strides");
    Layout layout;
    layout.offset = size_of(pickle_, call.items[1], where, "its offset");
    for (PickleId id : shape.items) layout.shape.push_back(size_of(pickle_, id, where, "its shape"));
    for (PickleId id : strides.items) layout.strides.push_back(size_of(pickle_, id, where, "a stride"));
    return layout;
  }

  void place(TensorView& t, const Layout& layout, Bytes data, std::uint64_t elements, std::uint64_t total, const std::string& where) {
    if (elements == 0) return;
    const std::uint64_t size = dtype_size(t.dtype);
    std::uint64_t last = layout.offset, dense = 1;
    bool contiguous = true;
    for (std::size_t axis = layout.shape.size(); axis-- > 0;) {
      const std::uint64_t n = layout.shape[axis], stride = layout.strides[axis];
      last = checked_add(last, checked_mul(n - 1, stride, where), where);
      if (n != 1 && stride != dense) contiguous = false;
      dense = checked_mul(dense, n, where);
    }
    if (checked_mul(checked_add(last, 1, where), size, where) > data.size()) {
      fail(where, "reaches element " + std::to_string(last) + " of a storage of " + std::to_string(data.size() / size));
    }
    if (contiguous) {
      t.data = checked_slice(data, checked_mul(layout.offset, size, where), total, where);
      t.file = mapped_;
      return;
    }
    copied_ = checked_add(copied_, total, where);
    if (copied_ > copy_limit_) {
      throw Error(ErrorCode::kResource, "its views need " + std::to_string(copied_) + " bytes, more than 4 times the file", where);
    }
    t.data = rearrange(layout, data, elements, size);
  }

  // The elements in the order of the shape's axes, made contiguous.
  Bytes rearrange(const Layout& layout, Bytes data, std::uint64_t elements, std::uint64_t size) {
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(static_cast<std::size_t>(elements * size));
    std::vector<std::uint64_t> index(layout.shape.size(), 0);
    std::uint64_t at = layout.offset;
    for (std::uint64_t i = 0; i < elements; ++i) {
      std::memcpy(bytes->data() + i * size, data.data() + at * size, static_cast<std::size_t>(size));
      for (std::size_t axis = index.size(); axis-- > 0;) {
        at += layout.strides[axis];
        if (++index[axis] < layout.shape[axis]) break;
        at -= layout.strides[axis] * layout.shape[axis];
        index[axis] = 0;
      }
    }
    out_.owned.push_back(bytes);
    return {bytes->data(), bytes->size()};
  }

  const Pickle& pickle_;
  const std::map<std::string, Bytes>& storages_;
  const std::string& where_;
  const MappedFile* mapped_;
  std::uint64_t copy_limit_, copied_ = 0;
  TorchFile out_;
};

using Names = std::vector<std::unique_ptr<std::string>>;

// FOLDER/data.pkl, FOLDER/data/KEY for each storage, FOLDER/byteorder; the folder's name is free.
TorchFile parse_zip(Bytes file, const std::string& where, const MappedFile* mapped) {
  std::map<std::string, Bytes> entries;
  std::string folder;
  for (ZipEntry& entry : read_zip_directory(file, where)) {
    if (entry.name.ends_with("/data.pkl") && folder.empty()) folder = entry.name.substr(0, entry.name.size() - 8);
    entries.emplace(std::move(entry.name), entry.data);
  }
  if (folder.empty()) fail(where, "is a zip archive without data.pkl: torch.save did not write it");
  if (entries.contains(folder + "constants.pkl")) throw Error(ErrorCode::kUnsupported, "is a TorchScript program, not a file of tensors", where);
  if (const auto order = entries.find(folder + "byteorder"); order != entries.end() && as_text(order->second) != "little") {
    throw Error(ErrorCode::kUnsupported, "was written on a big-endian machine", where);
  }
  std::map<std::string, Bytes> storages;
  const std::string prefix = folder + "data/";
  for (const auto& [name, data] : entries) {
    if (name.starts_with(prefix)) storages.emplace(name.substr(prefix.size()), data);
  }
  const Bytes program = entries.at(folder + "data.pkl");
  if (program.size() > kMostPickle) throw Error(ErrorCode::kResource, "its pickle is larger than 64 MB", where);
  ByteReader reader(program, where + ": data.pkl");
  Names names;
  const Pickle pickle = read_pickle(reader, global_is_allowed, names);
  return Builder(pickle, storages, file, where, mapped).build();
}

// Pickles one after the other: the magic number, the version, facts of the system, the dict, the storages' keys;
// then for each key the number of elements (int64) and the elements.
TorchFile parse_legacy(Bytes file, const std::string& where, const MappedFile* mapped) {
  ByteReader reader(file, where);
  Names names;
  const auto next = [&] { return read_pickle(reader, global_is_allowed, names); };
  const Pickle magic = next();
  if (magic[magic.root].kind != PickleKind::kLong || magic[magic.root].text != kLegacyMagic) {
    fail(where, "is neither a zip archive nor a legacy file of torch.save");
  }
  const Pickle version = next();
  if (version[version.root].kind != PickleKind::kInt || version[version.root].number != kLegacyVersion) {
    fail(where, "is a legacy file of torch.save in an unknown version");
  }
  const Pickle system = next();
  const PickleValue& facts = system[system.root];
  if (facts.kind != PickleKind::kDict) fail(where, "its facts of the system are not a dict");
  for (std::size_t i = 0; i + 1 < facts.items.size(); i += 2) {
    const PickleValue& value = system[facts.items[i + 1]];
    if (system[facts.items[i]].text == "little_endian" && value.kind == PickleKind::kBool && !value.number) {
      throw Error(ErrorCode::kUnsupported, "was written on a big-endian machine", where);
    }
  }
  const Pickle pickle = next();
  std::map<std::string, Storage> described;
  for (const PickleValue& value : pickle.values) {
    if (value.kind != PickleKind::kPersistent) continue;
    const Storage s = read_storage(pickle, value, where);
    described.emplace(s.key, s);
  }
  const Pickle keys = next();
  if (keys[keys.root].kind != PickleKind::kList) fail(where, "its keys of storages are not a list");
  std::map<std::string, Bytes> storages;
  for (PickleId id : keys[keys.root].items) {
    const std::string key(keys[id].text);
    const auto storage = described.find(key);
    if (storage == described.end()) fail(where, "holds the storage " + printable(key) + ", which no tensor describes");
    const auto elements = reader.read<std::uint64_t>();
    if (elements != storage->second.elements) {
      fail(where + ": storage " + printable(key), "has " + std::to_string(elements) + " elements, not " + std::to_string(storage->second.elements));
    }
    const Bytes data = reader.take(checked_mul(elements, dtype_size(storage->second.dtype), where));
    if (!storages.emplace(key, data).second) fail(where + ": storage " + printable(key), "is in the file twice");
  }
  return Builder(pickle, storages, file, where, mapped).build();
}

}  // namespace

TorchFile parse_torch_file(Bytes file, const std::string& where, const MappedFile* mapped) {
  return looks_like_zip(file) ? parse_zip(file, where, mapped) : parse_legacy(file, where, mapped);
}

}  // namespace polymath
