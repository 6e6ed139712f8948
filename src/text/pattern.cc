#include "text/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

#include "base/printable.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "text/pattern_syntax.h"
#include "text/unicode.h"

namespace polymath {
namespace {

// Appends a match and what lies between it and the one before.
class Cover {
 public:
  Cover(std::string_view text, std::vector<Match>& out) : size_(static_cast<std::uint32_t>(text.size())), out_(out) {}
  void match(std::size_t begin, std::size_t end) {
    const auto b = static_cast<std::uint32_t>(begin), e = static_cast<std::uint32_t>(end);
    if (done_ != b) out_.push_back({done_, b, false});
    out_.push_back({b, e, true});
    done_ = e;
  }
  void finish() {
    if (done_ != size_) out_.push_back({done_, size_, false});
  }

 private:
  std::uint32_t size_, done_ = 0;
  std::vector<Match>& out_;
};

class Literal final : public TextPattern {
 public:
  explicit Literal(std::string text) : text_(std::move(text)) {}
  void find(std::string_view text, std::vector<Match>& out) const override {
    Cover cover(text, out);
    if (text_.empty()) {  // matches between all characters, and at both ends
      CodePoints points(text);
      cover.match(0, 0);
      while (!points.done()) {
        points.next();
        cover.match(points.position(), points.position());
      }
      return;
    }
    for (std::size_t at = text.find(text_); at != std::string_view::npos; at = text.find(text_, at + text_.size())) cover.match(at, at + text_.size());
    cover.finish();
  }

 private:
  std::string text_;
};

// PCRE2 knows the Unicode version it was built with, Oniguruma version 16. A code point whose category may differ between
// versions is matched through another of the same category and the same length in UTF-8 that has been there long.
class StandIns {
 public:
  static const StandIns& get() {
    static const StandIns instance;
    return instance;
  }

  // `text`, or a copy in `storage` of the same length.
  std::string_view apply(std::string_view text, std::string& storage) const {
    if (unicode::is_ascii(text)) return text;
    bool copied = false;
    for (CodePoints points(text); !points.done();) {
      const std::size_t at = points.position();
      const char32_t c = points.next();
      if (c < 0x80 || !unicode::has(c, unicode::kUnsettled)) continue;
      const std::size_t size = points.position() - at;
      const bool is_han = c >= 0x20000 && c <= 0x3FFFF && unicode::category(c) == unicode::Lo;
      const char32_t other = is_han ? 0x20000 : found_[unicode::category(c)][size];
      if (other == 0) continue;
      if (!copied) storage = text;
      copied = true;
      std::string encoded;
      utf8_append(encoded, other);
      storage.replace(at, size, encoded);
    }
    return copied ? std::string_view(storage) : text;
  }

 private:
  StandIns() {
    for (char32_t c = 0x80; c < 0x110000; ++c) {
      if (c == 0xD800) c = 0xE000;
      if (unicode::has(c, unicode::kUnsettled)) continue;
      char32_t& slot = found_[unicode::category(c)][utf8_size(c)];
      if (slot == 0) slot = c;
    }
    found_[unicode::Cn][3] = 0xFDD0;  // never to be assigned
    found_[unicode::Cn][4] = 0x1FFFE;
  }
  std::array<std::array<char32_t, 5>, 30> found_{};
};

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct ContextDeleter {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

class Regex final : public TextPattern {
 public:
  Regex(const std::string& pattern, const std::string& where) {
    const std::string rewritten = pcre_pattern(pattern, where);
    int error = 0;
    PCRE2_SIZE at = 0;
    std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> compile(pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
    if (!compile) throw std::bad_alloc();
    pcre2_set_newline(compile.get(), PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(compile.get(), 100);
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(rewritten.data()), rewritten.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &at, compile.get()));
    if (!code_) {
      PCRE2_UCHAR message[256] = {};
      pcre2_get_error_message(error, message, sizeof message);
      throw Error(ErrorCode::kBadFile, "the pattern \"" + printable(pattern) + "\" cannot be read: " + reinterpret_cast<const char*>(message), where);
    }
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // without it matching is slower, and the same
    context_.reset(pcre2_match_context_create(nullptr));
    if (!context_) throw std::bad_alloc();
    pcre2_set_match_limit(context_.get(), kFirstSteps);
    pcre2_set_depth_limit(context_.get(), 250'000);
    pcre2_set_heap_limit(context_.get(), 256 << 10);  // KiB
    pattern_ = printable(pattern);
  }

  void find(std::string_view text, std::vector<Match>& out) const override {
    std::string storage;
    const std::string_view subject = StandIns::get().apply(text, storage);
    std::unique_ptr<pcre2_match_data, MatchDeleter> data(pcre2_match_data_create(1, nullptr));
    if (!data) throw std::bad_alloc();
    Cover cover(text, out);
    // Backtracking steps for the searches that need more than kFirstSteps: a long run of white space or of capitals does; a
    // pattern that tries everything again and again has soon used them up.
    std::size_t steps = 100'000 + 100 * text.size();
    std::size_t from = 0;
    bool has_last = false;
    std::size_t last_end = 0;
    while (from <= text.size()) {
      if (!search(subject, from, data.get(), steps)) break;
      const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data.get());
      const std::size_t begin = ends[0], end = ends[1];
      if (end < begin) break;  // \K in a lookahead
      // No empty match right behind the last match.
      if (begin == end && has_last && last_end == end) {
        from += from < text.size() ? static_cast<std::size_t>(utf8_decode(text.substr(from)).length) : 1;
        continue;
      }
      from = last_end = end;
      has_last = true;
      cover.match(begin, end);
    }
    cover.finish();
  }

 private:
  static constexpr std::size_t kFirstSteps = 2000;

  int attempt(std::string_view text, std::size_t from, pcre2_match_data* data, pcre2_match_context* context) const {
    const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const int result = pcre2_match(code_.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK, data, context);
    if (result != PCRE2_ERROR_JIT_STACKLIMIT) return result;
    return pcre2_match(code_.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, context);  // keeps its stack on the heap
  }

  bool search(std::string_view text, std::size_t from, pcre2_match_data* data, std::size_t& steps) const {
    int result = attempt(text, from, data, context_.get());
    for (std::size_t limit = kFirstSteps; result == PCRE2_ERROR_MATCHLIMIT && steps > 0;) {
      limit = std::min<std::size_t>({limit * 16, steps, UINT32_MAX});
      steps -= limit;
      const std::unique_ptr<pcre2_match_context, ContextDeleter> more(pcre2_match_context_copy(context_.get()));
      if (!more) throw std::bad_alloc();
      pcre2_set_match_limit(more.get(), static_cast<std::uint32_t>(limit));
      result = attempt(text, from, data, more.get());
    }
    if (result >= 0) return true;
    if (result == PCRE2_ERROR_NOMATCH) return false;
    throw Error(ErrorCode::kResource, "the tokenizer's pattern \"" + pattern_ + "\" needs too long on this text");
  }

  std::unique_ptr<pcre2_code, CodeDeleter> code_;
  std::unique_ptr<pcre2_match_context, ContextDeleter> context_;
  std::string pattern_;
};

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ by hand.
class Gpt2 final : public TextPattern {
 public:
  void find(std::string_view text, std::vector<Match>& out) const override {
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t end = match_at(text, at);
      out.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end), true});
      at = end;
    }
  }

 private:
  enum Kind : std::uint8_t { kSpace, kLetter, kNumber, kOther };

  static Kind kind_of(char32_t c) {
    if (unicode::is_whitespace(c)) return kSpace;
    const unicode::Category category = unicode::category(c);
    if (category >= unicode::Lu && category <= unicode::Lo) return kLetter;
    return category >= unicode::Nd && category <= unicode::No ? kNumber : kOther;
  }

  static Kind next_kind(std::string_view text, std::size_t at, std::size_t& length) {
    static const std::array<Kind, 128> kAscii = [] {
      std::array<Kind, 128> kinds{};
      for (char32_t c = 0; c < 128; ++c) kinds[c] = kind_of(c);
      return kinds;
    }();
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte < 0x80) return length = 1, kAscii[byte];
    const Utf8Char c = utf8_decode(text.substr(at));
    length = static_cast<std::size_t>(c.length);
    return kind_of(c.code);
  }

  static std::size_t match_at(std::string_view text, std::size_t at) {
    if (text[at] == '\'') {
      const std::string_view rest = text.substr(at + 1);
      for (const char* ending : {"s", "t", "re", "ve", "m", "ll", "d"}) {
        if (rest.starts_with(ending)) return at + 1 + std::string_view(ending).size();
      }
    }
    std::size_t length = 0;
    Kind kind = next_kind(text, at, length);
    std::size_t end = at + length;
    if (text[at] == ' ' && end < text.size()) {  // one space belongs to the word behind it
      const Kind word = next_kind(text, end, length);
      if (word != kSpace) {
        kind = word;
        end += length;
      }
    }
    std::size_t last = at;  // where the run's last code point begins
    while (end < text.size() && next_kind(text, end, length) == kind) {
      last = end;
      end += length;
    }
    // White space before a word leaves its last code point to it.
    return kind == kSpace && end < text.size() && last > at ? last : end;
  }
};

}  // namespace

std::shared_ptr<const TextPattern> gpt2_pattern() {
  static const auto pattern = std::make_shared<const Gpt2>();
  return pattern;
}

std::shared_ptr<const TextPattern> make_pattern(const spec::Pattern& pattern, const std::string& where) {
  if (!pattern.is_regex) return std::make_shared<Literal>(pattern.text);
  if (pattern.text == R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)") return gpt2_pattern();
  return std::make_shared<Regex>(pattern.text, where);
}

}  // namespace polymath
