#include "text/pre_tokenizer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "text/pattern.h"
#include "text/unicode.h"

namespace polymath {
namespace {

using spec::SplitBehavior;

// A pre-tokenizer that is a function.
template <class Function>
class Simple final : public PreTokenizer {
 public:
  Simple(Function function, bool needs_tracking) : function_(std::move(function)), needs_tracking_(needs_tracking) {}
  void operator()(Pieces& pieces) const override { function_(pieces); }
  bool needs_tracking() const override { return needs_tracking_; }

 private:
  Function function_;
  bool needs_tracking_;
};

template <class Function>
std::shared_ptr<const PreTokenizer> simple(Function function, bool needs_tracking = false) {
  return std::make_shared<Simple<Function>>(std::move(function), needs_tracking);
}

// White space goes, and every punctuation mark is a word: one pass for both.
void split_bert(Pieces& pieces) {
  pieces.split(SplitBehavior::kRemoved, [](std::string_view text, std::vector<Match>& out) {
    std::uint32_t begin = 0;
    for (CodePoints points(text); !points.done();) {
      const auto at = static_cast<std::uint32_t>(points.position());
      const char32_t c = points.next();
      const bool space = unicode::is_whitespace(c);
      if (!space && !unicode::is_punctuation(c)) continue;
      const auto end = static_cast<std::uint32_t>(points.position());
      if (begin < at) out.push_back({begin, at, false});
      if (!space) out.push_back({at, end, false});
      begin = end;
    }
    if (begin < text.size()) out.push_back({begin, static_cast<std::uint32_t>(text.size()), false});
  });
}

// \w+|[^\w\s]+ are the words.
void split_words(Pieces& pieces) {
  pieces.split(SplitBehavior::kRemoved, [](std::string_view text, std::vector<Match>& out) {
    int last = 0;  // 0: white space, 1: word characters, 2: others
    std::uint32_t begin = 0;
    CodePoints points(text);
    while (!points.done()) {
      const auto at = static_cast<std::uint32_t>(points.position());
      const char32_t c = points.next();
      const int kind = unicode::is_whitespace(c) ? 0 : unicode::has(c, unicode::kWord) ? 1 : 2;
      if (kind == last) continue;
      if (last != 0) out.push_back({begin, at, false});
      begin = at;
      last = kind;
    }
    if (last != 0) out.push_back({begin, static_cast<std::uint32_t>(text.size()), false});
  });
}

void split_scripts(Pieces& pieces) {
  pieces.split(SplitBehavior::kIsolated, [](std::string_view text, std::vector<Match>& out) {
    std::uint8_t last = 0;
    bool started = false;  // the crate drops what comes before the first code point of a script
    std::uint32_t begin = 0;
    for (CodePoints points(text); !points.done();) {
      const auto at = static_cast<std::uint32_t>(points.position());
      const std::uint8_t script = unicode::script_class(points.next());
      if (script == 0 || script == last) continue;
      if (started) out.push_back({begin, at, false});
      started = true;
      begin = at;
      last = script;
    }
    if (started) out.push_back({begin, static_cast<std::uint32_t>(text.size()), false});
  });
}

void split_fixed(Pieces& pieces, std::uint32_t length) {
  pieces.split(SplitBehavior::kIsolated, [length](std::string_view text, std::vector<Match>& out) {
    CodePoints points(text);
    while (!points.done()) {
      const auto begin = static_cast<std::uint32_t>(points.position());
      for (std::uint32_t i = 0; i < length && !points.done(); ++i) points.next();
      out.push_back({begin, static_cast<std::uint32_t>(points.position()), false});
    }
  });
}

std::shared_ptr<const PreTokenizer> make_byte_level(const spec::PreTokenizer& part) {
  std::shared_ptr<const TextPattern> pattern = part.use_regex ? gpt2_pattern() : nullptr;
  return simple([add_prefix_space = part.add_prefix_space, pattern](Pieces& pieces) {
    if (add_prefix_space) {
      pieces.normalize([](NormalizedString& s) {
        if (!s.text.starts_with(' ')) s.prepend(" ");
      });
    }
    if (pattern) {
      pieces.split(SplitBehavior::kIsolated, [&](std::string_view text, std::vector<Match>& out) { pattern->find(text, out); });
    }
    pieces.to_bytes();
  });
}

std::shared_ptr<const PreTokenizer> make_metaspace(const spec::PreTokenizer& part) {
  std::string replacement;
  utf8_append(replacement, part.replacement);
  const spec::PrependScheme scheme = part.prepend_scheme;
  auto apply = [replacement, mark = part.replacement, scheme, split = part.split](Pieces& pieces) {
    pieces.normalize([&](NormalizedString& s) {
      s.map([&](char32_t c) { return c == ' ' ? mark : c; });
      if (scheme == spec::PrependScheme::kNever || s.text.starts_with(replacement)) return;
      if (scheme == spec::PrependScheme::kAlways || s.original_begin == 0) s.prepend(replacement);
    });
    if (split) pieces.split_at(SplitBehavior::kMergedWithNext, [&](char32_t c) { return c == mark; });
  };
  return simple(std::move(apply), scheme == spec::PrependScheme::kFirst);
}

std::shared_ptr<const PreTokenizer> make_split(const spec::PreTokenizer& part, const std::string& where) {
  auto pattern = make_pattern(part.pattern, where);
  return simple([pattern, behavior = part.behavior, invert = part.invert](Pieces& pieces) {
    pieces.split(behavior, [&](std::string_view text, std::vector<Match>& out) {
      pattern->find(text, out);
      if (invert) {
        for (Match& match : out) match.is_match = !match.is_match;
      }
    });
  });
}

// One step after the other; sequences in sequences are the same.
void append_steps(const spec::PreTokenizer& part, const std::string& where, std::vector<std::shared_ptr<const PreTokenizer>>& steps) {
  if (part.kind != spec::PreTokenizer::kSequence) return steps.push_back(make_pre_tokenizer(part, where));
  for (const spec::PreTokenizer& item : part.pretokenizers) append_steps(item, where, steps);
}

std::shared_ptr<const PreTokenizer> make_sequence(const spec::PreTokenizer& part, const std::string& where) {
  std::vector<std::shared_ptr<const PreTokenizer>> steps;
  append_steps(part, where, steps);
  const bool needs_tracking = std::any_of(steps.begin(), steps.end(), [](const auto& step) { return step->needs_tracking(); });
  return simple([steps](Pieces& pieces) {
    const std::size_t before = pieces.text().size();
    for (const auto& step : steps) {
      (*step)(pieces);
      if (pieces.text().size() > growth_limit(before)) fail_growth("pre_tokenizer", before);
    }
  }, needs_tracking);
}

}  // namespace

std::shared_ptr<const PreTokenizer> make_pre_tokenizer(const spec::PreTokenizer& part, const std::string& where) {
  using P = spec::PreTokenizer;
  switch (part.kind) {
    case P::kSequence: return make_sequence(part, where);
    case P::kBert: return simple(split_bert);
    case P::kByteLevel: return make_byte_level(part);
    case P::kMetaspace: return make_metaspace(part);
    case P::kWhitespace: return simple(split_words);
    case P::kWhitespaceSplit: return simple([](Pieces& pieces) { pieces.split_at(SplitBehavior::kRemoved, unicode::is_whitespace); });
    case P::kSplit: return make_split(part, where);
    case P::kPunctuation:
      return simple([behavior = part.behavior](Pieces& pieces) { pieces.split_at(behavior, unicode::is_punctuation); });
    case P::kDigits:
      return simple([behavior = part.individual_digits ? SplitBehavior::kIsolated : SplitBehavior::kContiguous](Pieces& pieces) {
        pieces.split_at(behavior, [](char32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : unicode::has(c, unicode::kNumber); });
      });
    case P::kCharDelimiterSplit:
      return simple([delimiter = part.delimiter](Pieces& pieces) {
        pieces.split_at(SplitBehavior::kRemoved, [delimiter](char32_t c) { return c == delimiter; });
      });
    case P::kUnicodeScripts: return simple(split_scripts);
    case P::kFixedLength: break;
  }
  return simple([length = part.length](Pieces& pieces) { split_fixed(pieces, length); });
}

}  // namespace polymath
