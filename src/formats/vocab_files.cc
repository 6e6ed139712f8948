#include "formats/vocab_files.h"

#include <set>
#include <unordered_map>

#include <simdjson.h>

#include "base/file.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "polymath/error.h"

namespace polymath {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
constexpr std::size_t kMostEntries = 2'000'000;
constexpr std::size_t kClipMerges = 49152 - 256 - 2;  // tokenization_clip.py

[[noreturn]] void fail(const std::string& where, const std::string& reason) { throw Error(ErrorCode::kBadFile, reason, where); }

// Python's text mode: "\r\n" and "\r" end lines as "\n" does.
void unify_line_ends(std::string& text) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < text.size(); ++from) {
    if (text[from] == '\r') {
      if (from + 1 < text.size() && text[from + 1] == '\n') ++from;
      text[to++] = '\n';
    } else text[to++] = text[from];
  }
  text.resize(to);
}

void check_text(std::string_view text, const std::string& where) {
  if (!utf8_valid(text)) fail(where, "is not UTF-8");
}

// Last id, first place.
class Builder {
 public:
  Builder(VocabFile& out, const std::string& where) : out_(out), where_(where) {}
  void add(std::string_view token, std::int64_t id) {
    if (id < 0 || id > INT32_MAX) fail(where_ + ": " + printable(token), "its id " + std::to_string(id) + " is out of range");
    if (out_.tokens.size() >= kMostEntries) throw Error(ErrorCode::kResource, "holds more than 2 million tokens", where_);
    const auto [found, fresh] = places_.try_emplace(token, out_.tokens.size());
    if (fresh) out_.tokens.emplace_back(token, static_cast<std::int32_t>(id));
    else out_.tokens[found->second].second = static_cast<std::int32_t>(id);
  }

 private:
  VocabFile& out_;
  const std::string& where_;
  std::unordered_map<std::string_view, std::size_t> places_;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return lines;
    begin = end + 1;
  }
}

// The words of a line, as str.split() of ASCII whitespace gives them.
std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kSpaces = " \t\v\f\r\x1c\x1d\x1e\x1f";
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = line.find_first_not_of(kSpaces, at)) != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kSpaces, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace

VocabFile parse_vocab_txt(std::string text, const std::string& where) {
  check_text(text, where);
  unify_line_ends(text);
  const auto storage = std::make_shared<const std::string>(std::move(text));
  VocabFile out{{}, storage};
  Builder builder(out, where);
  std::string_view rest = *storage;
  for (std::int64_t id = 0; !rest.empty(); ++id) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    builder.add(rest.substr(0, end), id);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (out.tokens.empty()) fail(where, "holds no tokens");
  return out;
}

VocabFile parse_vocab_json(std::string_view json, const std::string& where) {
  namespace sj = simdjson;
  sj::dom::parser parser;
  sj::dom::object object;
  const sj::padded_string padded(json);
  if (const auto error = parser.parse(padded).get(object); error != sj::SUCCESS) {
    fail(where, std::string("is not a JSON object: ") + sj::error_message(error));
  }
  // One text holds all tokens; it is filled before views are taken, for it may move while it grows.
  auto storage = std::make_shared<std::string>();
  std::vector<std::size_t> ends;
  std::vector<std::int64_t> ids;
  for (auto [token, value] : object) {
    std::int64_t id = -1;
    if (value.get(id) != sj::SUCCESS) fail(where + ": " + printable(token), "its id is not a whole number");
    if (ids.size() >= kMostEntries) throw Error(ErrorCode::kResource, "holds more than 2 million tokens", where);
    storage->append(token);
    ends.push_back(storage->size());
    ids.push_back(id);
  }
  VocabFile out{{}, storage};
  Builder builder(out, where);
  for (std::size_t i = 0, begin = 0; i < ids.size(); begin = ends[i++]) builder.add(std::string_view(*storage).substr(begin, ends[i] - begin), ids[i]);
  if (out.tokens.empty()) fail(where, "holds no tokens");
  return out;
}

MergesFile parse_merges(std::string text, MergesStyle style, const std::string& where) {
  check_text(text, where);
  unify_line_ends(text);
  const auto storage = std::make_shared<const std::string>(std::move(text));
  MergesFile out{{}, storage};
  std::vector<std::string_view> lines = lines_of(*storage);
  std::size_t begin = 0, end = lines.size();
  if (style == MergesStyle::kSkippingHeader) begin = lines[0].starts_with("#version:") ? 1 : 0;
  else begin = std::min<std::size_t>(1, end), end -= 1;
  if (style == MergesStyle::kClip) {
    while (end > begin && words_of(lines[end - 1]).empty()) --end;  // the text is stripped first
    if (!words_of(lines.back()).empty()) end = lines.size();
    end = std::min(end, begin + kClipMerges);
  }
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::size_t i = begin; i < end; ++i) {
    const auto words = words_of(lines[i]);
    if (words.empty() && style == MergesStyle::kSkippingHeader) continue;
    if (words.size() != 2) fail(where + ": line " + std::to_string(i + 1), "has " + std::to_string(words.size()) + " words where a merge has two");
    if (out.merges.size() >= kMostEntries) throw Error(ErrorCode::kResource, "holds more than 2 million merges", where);
    if (seen.emplace(words[0], words[1]).second) out.merges.emplace_back(words[0], words[1]);
  }
  return out;
}

VocabFile read_vocab_txt(const std::string& path) { return parse_vocab_txt(read_text_file(path, kMostBytes), path); }
VocabFile read_vocab_json(const std::string& path) { return parse_vocab_json(read_text_file(path, kMostBytes), path); }
MergesFile read_merges(const std::string& path, MergesStyle style) { return parse_merges(read_text_file(path, kMostBytes), style, path); }

}  // namespace polymath
