#include "formats/sentencepiece_model.h"

#include <cmath>
#include <functional>
#include <unordered_set>

#include "base/file.h"
#include "base/printable.h"
#include "base/utf8.h"

namespace polymath {
namespace {

constexpr std::size_t kMostPieces = 2'000'000, kMostPieceBytes = 4096;

[[noreturn]] void fail(const std::string& where, const std::string& reason) { throw Error(ErrorCode::kBadFile, reason, where); }

std::uint64_t read_varint(ByteReader& reader) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    const auto byte = reader.read<std::uint8_t>();
    if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (!(byte & 0x80)) return value;
  }
  reader.fail("a number of the protocol buffer has more than ten bytes");
}

// One field of a message: its number, and its content by wire type.
struct Field {
  std::uint64_t number = 0;
  int wire = 0;
  std::uint64_t varint = 0;  // wire 0
  std::string_view bytes;    // wire 2; also the 4 or 8 bytes of wires 5 and 1

  std::string_view text(const ByteReader& reader) const {
    if (wire != 2) reader.fail("field " + std::to_string(number) + " is not a text");
    return bytes;
  }
  bool flag(const ByteReader& reader) const { return whole(reader) != 0; }
  std::int64_t whole(const ByteReader& reader) const {
    if (wire != 0) reader.fail("field " + std::to_string(number) + " is not a whole number");
    return static_cast<std::int64_t>(varint);
  }
  int integer(const ByteReader& reader) const {
    const std::int64_t value = whole(reader);
    if (value < INT32_MIN || value > INT32_MAX) reader.fail("field " + std::to_string(number) + " is out of range");
    return static_cast<int>(value);
  }
  float number32(const ByteReader& reader) const {
    if (wire != 5) reader.fail("field " + std::to_string(number) + " is not a float");
    float value;
    std::memcpy(&value, bytes.data(), 4);
    return value;
  }
};

Field read_field(ByteReader& reader) {
  const std::uint64_t key = read_varint(reader);
  Field field{key >> 3, static_cast<int>(key & 7), 0, {}};
  if (field.number == 0) reader.fail("the protocol buffer has a field numbered 0");
  switch (field.wire) {
    case 0: field.varint = read_varint(reader); break;
    case 1: field.bytes = reader.text(8); break;
    case 2: field.bytes = reader.text(read_varint(reader)); break;
    case 5: field.bytes = reader.text(4); break;
    default: reader.fail("the protocol buffer has a field of the unknown wire type " + std::to_string(field.wire));
  }
  return field;
}

using OnField = std::function<void(const Field&, const ByteReader&)>;

void read_message(std::string_view message, const std::string& where, const OnField& on_field) {
  ByteReader reader(as_bytes(message), where);
  while (!reader.done()) {
    const Field field = read_field(reader);
    on_field(field, reader);
  }
}

SentencePieceEntry read_piece(std::string_view message, const std::string& where) {
  SentencePieceEntry entry;
  read_message(message, where, [&](const Field& f, const ByteReader& r) {
    if (f.number == 1) entry.piece = f.text(r);
    else if (f.number == 2) entry.score = f.number32(r);
    else if (f.number == 3) {
      const int type = f.integer(r);
      if (type < 1 || type > 6) fail(where, "its type " + std::to_string(type) + " is not known");
      entry.type = static_cast<PieceType>(type);
    }
  });
  if (entry.piece.empty()) fail(where, "is empty");
  if (entry.piece.size() > kMostPieceBytes) fail(where, "is longer than 4096 bytes");
  if (!utf8_valid(entry.piece)) fail(where, "is not UTF-8");
  if (!std::isfinite(entry.score)) fail(where, "its score is not a finite number");
  return entry;
}

void read_trainer(std::string_view message, SentencePieceModel& model, const std::string& where) {
  read_message(message, where + ": trainer_spec", [&](const Field& f, const ByteReader& r) {
    switch (f.number) {
      case 3: {
        const int type = f.integer(r);
        if (type < 1 || type > 4) r.fail("model_type " + std::to_string(type) + " is not known");
        model.model_type = static_cast<SentencePieceModel::Type>(type);
        break;
      }
      case 24: model.treat_whitespace_as_suffix = f.flag(r); break;
      case 35: model.byte_fallback = f.flag(r); break;
      case 40: model.trainer_unk_id = f.integer(r); break;
      case 41: model.bos_id = f.integer(r); break;
      case 42: model.eos_id = f.integer(r); break;
      case 43: model.pad_id = f.integer(r); break;
      case 44: model.unk_surface = utf8_lossy(f.text(r)); break;
      case 45: model.unk_piece = utf8_lossy(f.text(r)); break;
      default: break;
    }
  });
}

void read_normalizer(std::string_view message, SentencePieceModel& model, const std::string& where) {
  read_message(message, where + ": normalizer_spec", [&](const Field& f, const ByteReader& r) {
    switch (f.number) {
      case 1: model.normalizer_name = utf8_lossy(f.text(r)); break;
      case 2: model.precompiled_charsmap = f.text(r); break;
      case 3: model.add_dummy_prefix = f.flag(r); break;
      case 4: model.remove_extra_whitespaces = f.flag(r); break;
      case 5: model.escape_whitespaces = f.flag(r); break;
      default: break;
    }
  });
}

// What sentencepiece itself demands when it loads a model.
void check(SentencePieceModel& model, const std::string& where) {
  std::unordered_set<std::string_view> normal, reserved;
  std::vector<bool> bytes(256, false);
  std::size_t byte_count = 0;
  int unknown = -1;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePieceEntry& e = model.pieces[id];
    const std::string at = where + ": piece " + std::to_string(id);
    const bool is_normal = e.type == PieceType::kNormal || e.type == PieceType::kUserDefined || e.type == PieceType::kUnused;
    if (!(is_normal ? normal : reserved).insert(e.piece).second) fail(at, "\"" + printable(e.piece) + "\" is there twice");
    if (e.type == PieceType::kUnknown) {
      if (unknown >= 0) fail(at, "is a second unknown piece");
      unknown = static_cast<int>(id);
    }
    if (e.type != PieceType::kByte) continue;
    const int byte = byte_of_piece(e.piece);
    if (!model.byte_fallback) fail(at, "is a byte, but byte_fallback is off");
    if (byte < 0) fail(at, "\"" + printable(e.piece) + "\" is not a byte");
    if (!bytes[static_cast<std::size_t>(byte)]) ++byte_count;
    bytes[static_cast<std::size_t>(byte)] = true;
  }
  if (unknown < 0) fail(where, "has no unknown piece");
  if (model.byte_fallback && byte_count != 256) fail(where, "has " + std::to_string(byte_count) + " byte pieces, not 256");
  model.unk_id = unknown;
  NormalizationRules(model.precompiled_charsmap, where + ": normalizer_spec");
  NormalizationRules(model.denormalizer_charsmap, where + ": denormalizer_spec");
}

}  // namespace

int byte_of_piece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  const int high = digit(piece[3]), low = digit(piece[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

SentencePieceModel parse_sentencepiece_model(Bytes file, const std::string& where) {
  SentencePieceModel model;
  read_message(as_text(file), where, [&](const Field& f, const ByteReader& r) {
    switch (f.number) {
      case 1:
        if (model.pieces.size() >= kMostPieces) fail(where, "has more than 2 million pieces");
        model.pieces.push_back(read_piece(f.text(r), where + ": piece " + std::to_string(model.pieces.size())));
        break;
      case 2: read_trainer(f.text(r), model, where); break;
      case 3: read_normalizer(f.text(r), model, where); break;
      case 5:
        read_message(f.text(r), where + ": denormalizer_spec", [&](const Field& inner, const ByteReader& reader) {
          if (inner.number == 2) model.denormalizer_charsmap = inner.text(reader);
        });
        break;
      default: break;  // the self test
    }
  });
  if (model.pieces.empty()) fail(where, "is not a sentencepiece model: it has no pieces");
  check(model, where);
  return model;
}

SentencePieceModel read_sentencepiece_model(const std::string& path) {
  const MappedFile file(path);
  return parse_sentencepiece_model(file.bytes(), path);
}

NormalizationRules::NormalizationRules(std::string_view precompiled, const std::string& where) {
  if (precompiled.empty()) return;
  ByteReader reader(as_bytes(precompiled), where + ": precompiled_charsmap");
  const auto size = reader.read<std::uint32_t>();
  if (size == 0 || size % 4 != 0) reader.fail("its trie of " + std::to_string(size) + " bytes is not made of 4-byte units");
  const Bytes trie = reader.take(size);
  units_.resize(trie.size() / 4);
  std::memcpy(units_.data(), trie.data(), trie.size());
  texts_ = reader.text(reader.remaining());
  if (texts_.empty() || texts_.back() != '\0') reader.fail("its texts do not end with a zero byte");
}

std::size_t NormalizationRules::longest_match(std::string_view text, std::string_view& replacement) const {
  // Of a unit: bit 8 says that a value hangs below, bits 10 to 30 (or, with bit 9, shifted by 8) where the children are.
  const auto children = [](std::uint32_t unit) { return std::size_t{unit >> 10} << ((unit & (1u << 9)) >> 6); };
  if (units_.empty()) return 0;
  std::size_t longest = 0, at = children(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto label = static_cast<std::uint8_t>(text[i]);
    at ^= label;
    if (at >= units_.size() || (units_[at] & (1u << 31 | 0xFF)) != label) break;
    const std::uint32_t unit = units_[at];
    at ^= children(unit);
    if (unit & (1u << 8)) {
      const std::size_t value = at < units_.size() ? units_[at] & 0x7FFFFFFF : texts_.size();
      if (value >= texts_.size()) break;
      longest = i + 1;
      replacement = std::string_view(texts_).substr(value);
      replacement = replacement.substr(0, replacement.find('\0'));
    }
  }
  return longest;
}

}  // namespace polymath
