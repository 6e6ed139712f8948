#include "text/sentencepiece.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <queue>

#include "base/utf8.h"

namespace polymath {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr float kUnknownPenalty = 10.0f, kResetAt = 100000.0f;

// The length that the first byte promises, as sentencepiece walks over text that it has normalized.
std::size_t char_length(std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text[0]);
  const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return std::min(length, text.size());
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(from, begin)) != std::string::npos; begin = at + from.size()) {
    out.append(text, begin, at - begin);
    out += to;
  }
  if (begin > 0) text = out.append(text, begin);
}

// Bytes to text: what is not UTF-8 gives U+FFFD for every byte.
std::string bytes_to_text(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size();) {
    const Utf8Char c = utf8_decode(bytes.substr(i));
    const std::size_t length = c.valid ? static_cast<std::size_t>(c.length) : 1;
    out += c.valid ? bytes.substr(i, length) : kReplacement;
    i += length;
  }
  return out;
}

}  // namespace

SentencePiece SentencePiece::load(const std::string& path) { return SentencePiece(read_sentencepiece_model(path), path); }

SentencePiece::SentencePiece(SentencePieceModel model, const std::string& where)
    : model_(std::move(model)), charsmap_(model_.precompiled_charsmap, where), denormalizer_(model_.denormalizer_charsmap, where) {
  if (model_.model_type != SentencePieceModel::kUnigram && model_.model_type != SentencePieceModel::kBpe) {
    throw Error(ErrorCode::kUnsupported, "is a word or char model (known: unigram, bpe)", where);
  }
  min_score_ = FLT_MAX;
  for (int id = 0; id < size(); ++id) {
    const SentencePieceEntry& e = model_.pieces[static_cast<std::size_t>(id)];
    const bool normal = e.type == PieceType::kNormal || e.type == PieceType::kUserDefined || e.type == PieceType::kUnused;
    (normal ? normal_ : reserved_).emplace(e.piece, id);
    if (normal && model_.model_type == SentencePieceModel::kUnigram) trie_.add(e.piece, id);
    if (e.type == PieceType::kUserDefined) user_defined_.add(e.piece, id);
    if (e.type == PieceType::kNormal) min_score_ = std::min(min_score_, e.score);
  }
}

int SentencePiece::piece_to_id(std::string_view piece) const {
  for (const auto* pieces : {&reserved_, &normal_}) {
    if (const auto found = pieces->find(piece); found != pieces->end()) return found->second;
  }
  return model_.unk_id;
}

// What replaces the beginning of `text` (not empty), and how many bytes that is.
void SentencePiece::normalize_prefix(std::string_view text, std::string_view& replacement, std::size_t& consumed) const {
  if (const std::size_t length = user_defined_.longest_match(text); length > 0) {
    replacement = text.substr(0, length);
    consumed = length;
    return;
  }
  consumed = charsmap_.longest_match(text, replacement);
  if (consumed > 0) return;
  const Utf8Char c = utf8_decode(text);
  consumed = c.valid ? static_cast<std::size_t>(c.length) : 1;
  replacement = c.valid ? text.substr(0, consumed) : kReplacement;
}

std::string SentencePiece::normalize(std::string_view text) const {
  std::string out;
  std::string_view part;
  std::size_t consumed = 0;
  const std::string_view space = model_.escape_whitespaces ? kSpace : " ";
  const bool squeeze = model_.remove_extra_whitespaces;
  while (squeeze && !text.empty()) {
    normalize_prefix(text, part, consumed);
    if (part != " ") break;
    text.remove_prefix(consumed);
  }
  if (text.empty()) return out;
  out.reserve(text.size() * 3 / 2);
  if (model_.add_dummy_prefix && !model_.treat_whitespace_as_suffix) out += space;
  bool after_space = squeeze;
  while (!text.empty()) {
    normalize_prefix(text, part, consumed);
    while (after_space && part.starts_with(" ")) part.remove_prefix(1);
    if (!part.empty()) {
      for (char c : part) {
        if (c == ' ') out += space;
        else out += c;
      }
      after_space = squeeze && part.ends_with(" ");
    }
    text.remove_prefix(consumed);
  }
  while (squeeze && std::string_view(out).ends_with(space)) out.resize(out.size() - space.size());
  if (model_.add_dummy_prefix && model_.treat_whitespace_as_suffix) out += space;
  return out;
}

// Viterbi over the pieces; a character that no piece covers is unknown. Sums are floats, as in sentencepiece: rounding decides ties.
std::vector<SentencePiece::Segment> SentencePiece::unigram(std::string_view text) const {
  struct Best {
    int id = -1;
    float score = 0;
    std::int64_t begin = -1;
  };
  std::vector<Best> best(text.size() + 1);
  const float unknown_score = min_score_ - kUnknownPenalty;
  std::size_t frontier = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    float before = best[begin].score;
    if (std::fabs(before) > kResetAt) {  // long texts: begin again from zero, so that sums keep their digits
      for (std::size_t i = begin; i <= frontier; ++i) {
        if (i == begin || best[i].begin >= 0) best[i].score -= before;
      }
      before = 0;
    }
    const std::size_t length = char_length(text.substr(begin));
    const auto offer = [&](std::size_t end, int id, float score) {
      frontier = std::max(frontier, end);
      const float candidate = score + before;
      if (best[end].begin >= 0 && !(candidate > best[end].score)) return;
      best[end] = {id, candidate, static_cast<std::int64_t>(begin)};
    };
    bool covered = false;
    int node = 0;
    for (std::size_t end = begin; end < text.size();) {
      node = trie_.child(node, text[end++]);
      if (node < 0) break;
      const int id = trie_.id_at(node);
      if (id < 0 || is(id, PieceType::kUnused)) continue;
      // A user-defined piece gets a bonus, so that it is always chosen, and the longer one.
      const float score = is(id, PieceType::kUserDefined) ? static_cast<float>(0.1 * static_cast<double>(end - begin - 1))
                                                          : model_.pieces[static_cast<std::size_t>(id)].score;
      offer(end, id, score);
      covered = covered || end - begin == length;
    }
    if (!covered) offer(begin + length, model_.unk_id, unknown_score);
    begin += length;
  }
  std::vector<Segment> segments;
  for (std::size_t end = text.size(); end > 0;) {
    const Best& b = best[end];
    const auto begin = static_cast<std::size_t>(b.begin);
    segments.push_back({text.substr(begin, end - begin), b.id});
    end = begin;
  }
  std::reverse(segments.begin(), segments.end());
  return segments;
}

// Merges the neighbours whose union has the best score, the leftmost first, until none is a piece.
std::vector<SentencePiece::Segment> SentencePiece::bpe(std::string_view text) const {
  struct Symbol {
    std::string_view piece;
    int previous, next;
    bool frozen;  // user-defined pieces are not merged
  };
  struct Merge {
    int left, right;
    float score;
    std::size_t size;
    bool operator<(const Merge& other) const { return score < other.score || (score == other.score && left > other.left); }
  };
  std::vector<Symbol> symbols;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = user_defined_.longest_match(text.substr(at));
    const bool frozen = length > 0;
    if (!frozen) length = char_length(text.substr(at));
    const int i = static_cast<int>(symbols.size());
    symbols.push_back({text.substr(at, length), i - 1, i + 1, frozen});
    at += length;
  }
  if (symbols.empty()) return {};
  symbols.back().next = -1;
  const auto symbol = [&](int i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };

  std::priority_queue<Merge> merges;
  std::unordered_map<std::string_view, std::pair<std::string_view, std::string_view>> parts;  // of unused pieces, which are split again
  const auto consider = [&](int left, int right) {
    if (left < 0 || right < 0 || symbol(left).frozen || symbol(right).frozen) return;
    const std::string_view l = symbol(left).piece, joined(l.data(), l.size() + symbol(right).piece.size());
    const auto found = normal_.find(joined);
    if (found == normal_.end()) return;
    merges.push({left, right, model_.pieces[static_cast<std::size_t>(found->second)].score, joined.size()});
    if (is(found->second, PieceType::kUnused)) parts[joined] = {l, symbol(right).piece};
  };
  for (int i = 1; i < static_cast<int>(symbols.size()); ++i) consider(i - 1, i);
  while (!merges.empty()) {
    const Merge top = merges.top();
    merges.pop();
    Symbol &left = symbol(top.left), &right = symbol(top.right);
    if (left.piece.empty() || right.piece.empty() || left.piece.size() + right.piece.size() != top.size) continue;  // merged otherwise since
    left.piece = {left.piece.data(), top.size};
    left.next = right.next;
    if (right.next >= 0) symbol(right.next).previous = top.left;
    right.piece = {};
    consider(left.previous, top.left);
    consider(top.left, left.next);
  }

  std::vector<Segment> segments;
  std::vector<std::string_view> pending;
  for (int i = 0; i >= 0; i = symbol(i).next) {
    pending.push_back(symbol(i).piece);
    while (!pending.empty()) {
      const std::string_view piece = pending.back();
      pending.pop_back();
      const auto found = normal_.find(piece);
      const int id = found == normal_.end() ? model_.unk_id : found->second;
      const auto split = is(id, PieceType::kUnused) ? parts.find(piece) : parts.end();
      if (split == parts.end()) segments.push_back({piece, id});
      else {
        pending.push_back(split->second.second);
        pending.push_back(split->second.first);
      }
    }
  }
  return segments;
}

std::vector<SentencePieceToken> SentencePiece::encode(std::string_view text) const {
  const std::string normalized = normalize(text);
  const auto segments = model_.model_type == SentencePieceModel::kUnigram ? unigram(normalized) : bpe(normalized);
  std::vector<SentencePieceToken> tokens;
  bool after_unknown = false;
  for (const Segment& s : segments) {
    const bool unknown = s.id == model_.unk_id;
    if (unknown && model_.byte_fallback) {
      constexpr const char* kHex = "0123456789ABCDEF";
      for (char c : s.piece) {
        const auto byte = static_cast<std::uint8_t>(c);
        const std::string piece = {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
        tokens.push_back({piece, piece_to_id(piece)});
      }
    } else if (unknown && after_unknown) tokens.back().piece += s.piece;
    else tokens.push_back({std::string(s.piece), s.id});
    after_unknown = unknown;
  }
  return tokens;
}

std::string SentencePiece::decode(const std::vector<std::string>& pieces) const {
  std::string text, bytes;
  bool at_begin = true, took_space = false;
  const auto flush = [&] {
    text += bytes_to_text(bytes);
    bytes.clear();
  };
  for (const std::string& piece : pieces) {
    const int id = piece_to_id(piece);
    if (is(id, PieceType::kByte)) {
      bytes += static_cast<char>(byte_of_piece(piece));
      continue;
    }
    flush();
    if (took_space || !text.empty()) at_begin = false;
    took_space = false;
    if (is(id, PieceType::kControl)) continue;
    if (id == model_.unk_id) {
      text += piece == model_.pieces[static_cast<std::size_t>(id)].piece ? model_.unk_surface : piece;
      continue;
    }
    std::string_view surface = piece;
    if (at_begin && (model_.add_dummy_prefix || model_.remove_extra_whitespaces) && surface.starts_with(kSpace)) {
      surface.remove_prefix(kSpace.size());
      took_space = !model_.remove_extra_whitespaces;
    }
    std::string part(surface);
    replace_all(part, kSpace, " ");
    text += part;
  }
  flush();
  if (denormalizer_.empty()) return text;
  std::string out;
  for (std::string_view rest = text, replacement; !rest.empty();) {
    std::size_t consumed = denormalizer_.longest_match(rest, replacement);
    if (consumed == 0) {
      consumed = static_cast<std::size_t>(utf8_decode(rest).length);
      replacement = rest.substr(0, consumed);
    }
    out += replacement;
    rest.remove_prefix(consumed);
  }
  return out;
}

}  // namespace polymath
