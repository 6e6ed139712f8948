#include "text/normalizer.h"

#include <utility>
#include <vector>

#include "text/charsmap.h"
#include "text/pattern.h"
#include "text/unicode.h"

namespace polymath {
namespace {

using unicode::Change;

template <class Function>
class Simple final : public Normalizer {
 public:
  explicit Simple(Function function) : function_(std::move(function)) {}
  void operator()(NormalizedString& s) const override { function_(s); }

 private:
  Function function_;
};

template <class Function>
std::shared_ptr<const Normalizer> simple(Function function) {
  return std::make_shared<Simple<Function>>(std::move(function));
}

bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

void clean_text(NormalizedString& s) {
  auto is_kept = [](char32_t c) {
    if (c < 0x7F) return c >= ' ' || c == '\t' || c == '\n' || c == '\r';
    return c != 0xFFFD && !unicode::has(c, unicode::kControl);
  };
  auto blank = [](char32_t c) -> char32_t { return unicode::is_whitespace(c) ? ' ' : c; };
  s.filter(is_kept);
  s.map(blank);
}

void space_chinese(NormalizedString& s) {
  std::vector<Change> changes;
  bool found = false;
  for (CodePoints points(s.text); !points.done();) {
    const char32_t c = points.next();
    if (!is_chinese(c)) {
      changes.push_back({c, 0});
      continue;
    }
    found = true;
    changes.insert(changes.end(), {{' ', 0}, {c, 1}, {' ', 1}});
  }
  if (found) s.transform(changes, 0);
}

void strip_accents(NormalizedString& s) {
  s.to_form(unicode::Form::kNfd);
  s.filter([](char32_t c) { return c < 0x300 || !unicode::has(c, unicode::kMarkNonspacing); });
}

// ASCII without control characters: only white space and capitals change, byte by byte.
bool clean_ascii(std::string& text, bool lowercase) {
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte >= 0x7F || (byte < ' ' && c != '\t' && c != '\n' && c != '\r')) return false;
  }
  for (char& c : text) {
    if (c < ' ') c = ' ';
    else if (lowercase && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return true;
}

std::shared_ptr<const Normalizer> make_bert(const spec::Normalizer& part) {
  return simple([clean = part.clean_text, chinese = part.handle_chinese_chars, lowercase = part.lowercase,
                 accents = part.strip_accents.value_or(part.lowercase)](NormalizedString& s) {
    if (clean && clean_ascii(s.text, lowercase)) return;
    if (clean) clean_text(s);
    if (unicode::is_ascii(s.text)) {
      if (lowercase) s.lowercase();
      return;
    }
    if (chinese) space_chinese(s);
    if (accents) strip_accents(s);
    if (lowercase) s.lowercase();
  });
}

void nmt(NormalizedString& s) {
  s.filter([](char32_t c) {
    return !((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F);
  });
  s.map([](char32_t c) -> char32_t {
    switch (c) {
      case 9: case 0xA: case 0xC: case 0xD: case 0x1680: case 0x200B: case 0x200C: case 0x200D: case 0x200E: case 0x200F:
      case 0x2028: case 0x2029: case 0x2581: case 0xFEFF: case 0xFFFD: return ' ';
      default: return c;
    }
  });
}

void replace(NormalizedString& s, const TextPattern& pattern, const std::vector<Change>& content, std::size_t content_bytes) {
  if (s.text.empty()) return;
  std::vector<Match> matches;
  pattern.find(s.text, matches);
  std::size_t removed_bytes = 0, found = 0;
  for (const Match& match : matches) {
    if (match.is_match) removed_bytes += match.end - match.begin, ++found;
  }
  if (found == 0) return;
  if (s.text.size() - removed_bytes + found * content_bytes > s.most) fail_growth("normalizer", s.text.size());
  // One pass: each match becomes the content, which stands for the match's last byte (or, where the match is
  // empty, the byte before it).
  std::string made;
  made.reserve(s.text.size() - removed_bytes + found * content_bytes);
  std::vector<Span> align;
  for (const Match& match : matches) {
    if (!match.is_match) {
      made.append(s.text, match.begin, match.end - match.begin);
      if (s.tracked) align.insert(align.end(), s.align.begin() + match.begin, s.align.begin() + match.end);
      continue;
    }
    Span from = {s.original_begin, s.original_begin};
    if (s.tracked && match.end > match.begin) from = s.align[match.end - 1];
    else if (s.tracked && !align.empty()) from = align.back();
    for (const Change& change : content) utf8_append(made, change.code);
    if (s.tracked) align.insert(align.end(), content_bytes, from);
  }
  s.text = std::move(made);
  s.align = std::move(align);
}

std::shared_ptr<const Normalizer> make_replace(const spec::Normalizer& part, const std::string& where) {
  auto pattern = make_pattern(part.pattern, where);
  std::vector<Change> content;
  for (CodePoints points(part.content); !points.done();) content.push_back({points.next(), 1});
  return simple([pattern, content, size = part.content.size()](NormalizedString& s) { replace(s, *pattern, content, size); });
}

// What the character map says for grapheme clusters of at most 5 bytes, else for each code point.
void precompiled(NormalizedString& s, const Charsmap& map) {
  std::vector<Change> changes;
  bool modified = false;
  auto append = [&](std::string_view old_part, std::string_view new_part) {
    modified = true;
    if (changes.size() > s.most) fail_growth("normalizer", s.text.size());
    const auto difference = static_cast<std::ptrdiff_t>(utf8_length(new_part)) - static_cast<std::ptrdiff_t>(utf8_length(old_part));
    for (CodePoints points(new_part); !points.done();) changes.push_back({points.next(), 0});
    // The crate marks the last ones as inserted, even those of an earlier part.
    for (std::ptrdiff_t i = 0; i < difference && i < static_cast<std::ptrdiff_t>(changes.size()); ++i) changes[changes.size() - 1 - static_cast<std::size_t>(i)].change = 1;
    if (difference < 0 && !changes.empty()) changes.back().change += static_cast<std::int32_t>(difference);
  };
  std::string_view rest = s.text;
  while (!rest.empty()) {
    const std::size_t length = unicode::grapheme_length(rest);
    const std::string_view grapheme = rest.substr(0, length);
    rest.remove_prefix(length);
    if (length < 6) {
      if (auto norm = map.transform(grapheme)) {
        append(grapheme, *norm);
        continue;
      }
    }
    for (CodePoints points(grapheme); !points.done();) {
      const std::size_t at = points.position();
      const char32_t c = points.next();
      const std::string_view part = grapheme.substr(at, points.position() - at);
      if (auto norm = map.transform(part)) append(part, *norm);
      else changes.push_back({c, 0});
    }
  }
  if (modified) s.transform(changes, 0);
}

// One step after the other; sequences in sequences are the same.
void append_steps(const spec::Normalizer& part, const std::string& where, std::vector<std::shared_ptr<const Normalizer>>& steps) {
  if (part.kind != spec::Normalizer::kSequence) return steps.push_back(make_normalizer(part, where));
  for (const spec::Normalizer& item : part.normalizers) append_steps(item, where, steps);
}

}  // namespace

std::shared_ptr<const Normalizer> make_normalizer(const spec::Normalizer& part, const std::string& where) {
  using N = spec::Normalizer;
  using unicode::Form;
  auto form = [](Form f) { return simple([f](NormalizedString& s) { s.to_form(f); }); };
  switch (part.kind) {
    case N::kBert: return make_bert(part);
    case N::kStrip: return simple([left = part.strip_left, right = part.strip_right](NormalizedString& s) { s.strip(left, right); });
    case N::kStripAccents:
      return simple([](NormalizedString& s) { s.filter([](char32_t c) { return c < 0x300 || !unicode::has(c, unicode::kCombiningMark); }); });
    case N::kNfc: return form(Form::kNfc);
    case N::kNfd: return form(Form::kNfd);
    case N::kNfkc: return form(Form::kNfkc);
    case N::kNfkd: return form(Form::kNfkd);
    case N::kLowercase: return simple([](NormalizedString& s) { s.lowercase(); });
    case N::kNmt: return simple(nmt);
    case N::kPrecompiled:
      return simple([map = Charsmap(part.precompiled_charsmap, where)](NormalizedString& s) { precompiled(s, map); });
    case N::kReplace: return make_replace(part, where);
    case N::kPrepend: return simple([prefix = part.content](NormalizedString& s) { s.prepend(prefix); });
    case N::kByteLevel: return simple([](NormalizedString& s) { s.to_bytes(); });
    case N::kSequence: break;
  }
  std::vector<std::shared_ptr<const Normalizer>> steps;
  append_steps(part, where, steps);
  return simple([steps](NormalizedString& s) {
    const std::size_t before = s.text.size();
    s.most = growth_limit(before);
    for (const auto& step : steps) {
      (*step)(s);
      if (s.text.size() > s.most) fail_growth("normalizer", before);
    }
  });
}

}  // namespace polymath
