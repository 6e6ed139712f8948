#include "text/pieces.h"

#include "polymath/error.h"

namespace polymath {
namespace {

constexpr std::size_t kMostBytes = UINT32_MAX;  // positions are 32-bit

[[noreturn]] void fail_size() { throw Error(ErrorCode::kResource, "the text grows beyond 4 GiB while it is tokenized"); }

}  // namespace

void Pieces::append(NormalizedString&& s, std::int32_t id) {
  if (s.text.empty()) return;
  if (s.text.size() > kMostBytes - text_.size()) fail_size();
  const auto begin = static_cast<std::uint32_t>(text_.size());
  if (text_.empty()) {
    text_ = std::move(s.text);
    align_ = std::move(s.align);
  } else {
    text_ += s.text;
    align_.insert(align_.end(), s.align.begin(), s.align.end());
  }
  list_.push_back({begin, static_cast<std::uint32_t>(text_.size()), s.original_begin, id});
}

NormalizedString Pieces::take(const Piece& piece) const {
  NormalizedString s;
  s.text = text_of(piece);
  s.tracked = tracked_;
  s.original_begin = piece.original_begin;
  if (tracked_) {
    s.align.assign(align_.begin() + piece.begin, align_.begin() + piece.end);
    s.original_end = s.align.empty() ? s.original_begin : s.align.back()[1];
  }
  return s;
}

void Pieces::to_bytes() {
  NormalizedString whole;
  whole.text = std::move(text_);
  whole.align = std::move(align_);
  whole.tracked = tracked_;
  // Where each byte goes: pieces move with their bytes, but added tokens keep theirs.
  Pieces made(tracked_);
  if (whole.text.size() > kMostBytes / 2) fail_size();
  made.text_.reserve(whole.text.size() * 2);
  for (Piece piece : list_) {
    const auto begin = static_cast<std::uint32_t>(made.text_.size());
    if (piece.id >= 0) {
      made.text_.append(whole.text, piece.begin, piece.end - piece.begin);
      if (tracked_) made.align_.insert(made.align_.end(), whole.align.begin() + piece.begin, whole.align.begin() + piece.end);
    } else {
      for (std::uint32_t i = piece.begin; i < piece.end; ++i) {
        const int size = append_byte_character(made.text_, static_cast<std::uint8_t>(whole.text[i]));
        if (tracked_) made.align_.insert(made.align_.end(), static_cast<std::size_t>(size), whole.align[i]);
      }
    }
    piece.begin = begin;
    piece.end = static_cast<std::uint32_t>(made.text_.size());
    made.list_.push_back(piece);
  }
  *this = std::move(made);
}

// Joins neighbours as the behavior asks; afterwards is_match marks what is to be removed.
void Pieces::join(spec::SplitBehavior behavior, std::vector<Match>& matches) {
  using enum spec::SplitBehavior;
  if (behavior == kRemoved) return;
  if (behavior == kIsolated) {
    for (Match& match : matches) match.is_match = false;
    return;
  }
  std::size_t kept = 0;
  bool previous = false;
  if (behavior == kMergedWithNext) {  // from the back
    std::vector<Match> joined;
    for (auto it = matches.rbegin(); it != matches.rend(); ++it) {
      if (it->is_match && !previous && !joined.empty()) joined.back().begin = it->begin;
      else joined.push_back({it->begin, it->end, false});
      previous = it->is_match;
    }
    matches.assign(joined.rbegin(), joined.rend());
    return;
  }
  for (const Match match : matches) {
    const bool joins = behavior == kContiguous ? match.is_match == previous : match.is_match && !previous;
    if (joins && kept > 0) matches[kept - 1].end = match.end;
    else matches[kept++] = {match.begin, match.end, false};
    previous = match.is_match;
  }
  matches.resize(kept);
}

}  // namespace polymath
