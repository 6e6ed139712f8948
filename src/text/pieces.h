// A normalized text while it is cut into words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/tokenizer_json.h"
#include "text/encoding.h"
#include "text/normalized_string.h"

namespace polymath {

// A part of `Pieces::text`.
struct Piece {
  std::uint32_t begin, end;
  std::uint32_t original_begin;  // where it starts in the original text; 0 without tracking
  std::int32_t id;               // an added token; -1: a piece that is still to be tokenized
};

// A part of a text that a pattern did or did not match.
struct Match {
  std::uint32_t begin, end;
  bool is_match;
};

class Pieces {
 public:
  explicit Pieces(bool tracked) : tracked_(tracked) {}

  const std::string& text() const { return text_; }
  std::string_view text_of(const Piece& piece) const { return std::string_view(text_).substr(piece.begin, piece.end - piece.begin); }
  const std::vector<Piece>& list() const { return list_; }
  const std::vector<Span>& align() const { return align_; }
  bool tracked() const { return tracked_; }

  void append(NormalizedString&& s, std::int32_t id);  // empty ones are left out

  // Cuts every piece where `find(text, matches)` says; what it yields covers the text without gaps.
  template <class Find>
  void split(spec::SplitBehavior behavior, const Find& find) {
    std::vector<Piece> cut;
    cut.reserve(list_.size() + text_.size() / 4);
    std::vector<Match> matches;
    for (const Piece& piece : list_) {
      if (piece.id >= 0) {
        cut.push_back(piece);
        continue;
      }
      matches.clear();
      find(text_of(piece), matches);
      join(behavior, matches);
      for (const Match& match : matches) {
        if (match.is_match || match.begin == match.end) continue;  // join marks what is removed as a match
        cut.push_back(part_of(piece, match.begin, match.end));
      }
    }
    list_ = std::move(cut);
  }

  // Cuts at every code point that is a match. `Is` is a function of a code point.
  template <class Is>
  void split_at(spec::SplitBehavior behavior, const Is& is) {
    split(behavior, [&](std::string_view text, std::vector<Match>& matches) {
      std::uint32_t begin = 0;
      for (CodePoints points(text); !points.done();) {
        const auto at = static_cast<std::uint32_t>(points.position());
        if (!is(points.next())) continue;
        const auto end = static_cast<std::uint32_t>(points.position());
        if (begin < at) matches.push_back({begin, at, false});
        matches.push_back({at, end, true});
        begin = end;
      }
      if (begin < text.size()) matches.push_back({begin, static_cast<std::uint32_t>(text.size()), false});
    });
  }

  // Changes the text of every piece.
  template <class Function>
  void normalize(const Function& function) {
    Pieces made(tracked_);
    made.text_.reserve(text_.size() * 2);
    for (const Piece& piece : list_) {
      NormalizedString s = take(piece);
      if (piece.id < 0) function(s);
      made.append(std::move(s), piece.id);
    }
    *this = std::move(made);
  }

  void to_bytes();  // normalize(&NormalizedString::to_bytes) at one stroke

 private:
  NormalizedString take(const Piece& piece) const;
  Piece part_of(const Piece& piece, std::uint32_t begin, std::uint32_t end) const {
    const std::uint32_t at = piece.begin + begin;
    return {at, piece.begin + end, tracked_ ? align_[at][0] : piece.original_begin + begin, -1};
  }
  static void join(spec::SplitBehavior behavior, std::vector<Match>& matches);

  std::string text_;
  std::vector<Span> align_;  // as NormalizedString::align
  bool tracked_;
  std::vector<Piece> list_;
};

}  // namespace polymath
