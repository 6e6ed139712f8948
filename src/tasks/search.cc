#include "tasks/search.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/utf8.h"
#include "polymath/error.h"

namespace polymath {
namespace {

constexpr std::size_t kPassageBytes = 600;     // a passage is closed when it is longer
constexpr std::uint64_t kMostFile = 64 << 20;  // bytes

// FNV-1a over 64 bits, twice with different seeds: names of cache files, not a defence.
std::string hash_of(const std::string& text) {
  std::string out;
  for (std::uint64_t hash : {0xcbf29ce484222325ull, 0x84222325cbf29ce4ull}) {
    for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ull;
    char digits[20];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
    out += digits;
  }
  return out;
}

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r\f\v") == std::string_view::npos; }

std::string_view trimmed(std::string_view line) {
  const auto begin = line.find_first_not_of(" \t\r\f\v");
  return begin == std::string_view::npos ? "" : line.substr(begin, line.find_last_not_of(" \t\r\f\v") - begin + 1);
}

}  // namespace

std::vector<Passage> passages_of(const std::string& file, const std::string& text) {
  std::vector<Passage> passages;
  Passage open{.file = file};
  const auto close = [&] {
    if (!open.text.empty()) passages.push_back(open);
    open = {.file = file};
  };
  int number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    ++number;
    const bool heading = line.starts_with("#");
    const bool only_heading = open.text.starts_with("#") && open.first_line == open.last_line;
    if ((blank(line) && !only_heading) || heading || open.text.size() > kPassageBytes) close();
    line = trimmed(line);
    // A line of its own may be a whole book: in pieces, cut at spaces.
    while (!line.empty()) {
      std::size_t take = line.size();
      if (take > 2 * kPassageBytes) {
        take = line.rfind(' ', kPassageBytes);
        if (take == std::string_view::npos || take == 0) take = kPassageBytes;
        while (take < line.size() && (static_cast<unsigned char>(line[take]) & 0xC0) == 0x80) ++take;
      }
      if (open.text.empty()) open.first_line = number;
      else open.text += ' ';
      open.text += line.substr(0, take);
      open.last_line = number;
      line = trimmed(line.substr(take));
      if (!line.empty()) close();
    }
  }
  close();
  return passages;
}

std::string model_key_of(const std::string& folder) {
  std::vector<std::string> parts;
  for (const std::string& file : files_below(folder)) {
    std::error_code gone;  // between being listed and here: then it counts as empty
    const auto size = std::filesystem::file_size(file, gone);
    const auto time = std::filesystem::last_write_time(file, gone);
    parts.push_back(file.substr(folder.size()) + " " + std::to_string(size) + " " + std::to_string(time.time_since_epoch().count()));
  }
  std::string all = std::filesystem::absolute(folder).string();
  for (const std::string& part : parts) all += "\n" + part;
  return hash_of(all);
}

std::string SearchIndex::cache_path(const std::string& content) const {
  return cache_folder_.empty() ? "" : join_path(cache_folder_, hash_of(model_key_ + content) + ".embeddings");
}

bool SearchIndex::read_cache(const std::string& path, std::size_t count, std::vector<float>& vectors) {
  if (path.empty() || !file_exists(path)) return false;
  const auto d = static_cast<std::size_t>(encoder_.dimension());
  try {
    const std::string bytes = read_text_file(path);
    if (bytes.size() != count * d * sizeof(float)) return false;
    vectors.resize(count * d);
    if (!bytes.empty()) std::memcpy(vectors.data(), bytes.data(), bytes.size());
  } catch (const Error& e) {
    cache_problem_ = e.what();
    return false;
  }
  // A damaged file would give wrong answers for ever: what is not of length 1 (or nothing at all) is made anew.
  for (std::size_t i = 0; i < count; ++i) {
    double squares = 0;
    for (std::size_t k = 0; k < d; ++k) squares += static_cast<double>(vectors[i * d + k]) * static_cast<double>(vectors[i * d + k]);
    if (squares == 0 || std::fabs(squares - 1) < 1e-3) continue;
    vectors.clear();
    return false;
  }
  return true;
}

void SearchIndex::write_cache(const std::string& path, const std::vector<float>& vectors) {
  try {
    write_file_atomically(path, {reinterpret_cast<const char*>(vectors.data()), vectors.size() * sizeof(float)});
  } catch (const Error& e) {
    cache_problem_ = e.what();
  }
}

void SearchIndex::add_files(const std::vector<std::string>& files, const std::function<void(std::size_t, std::size_t)>& progress) {
  struct Pending {
    std::vector<Passage> passages;
    std::string cache;
    std::vector<float> vectors;
    bool cached = false;
  };
  std::vector<Pending> all;
  std::size_t total = 0, done = 0;
  for (const std::string& file : files) {
    const std::string content = utf8_lossy(read_named_input(file, kMostFile));
    Pending p{.passages = passages_of(file, content), .cache = cache_path(content)};
    p.cached = read_cache(p.cache, p.passages.size(), p.vectors);
    if (!p.cached) total += p.passages.size();
    all.push_back(std::move(p));
  }
  for (Pending& p : all) {
    constexpr std::size_t kAtOnce = 64;
    for (std::size_t begin = 0; !p.cached && begin < p.passages.size(); begin += kAtOnce) {
      std::vector<std::string> texts;
      for (std::size_t i = begin; i < std::min(p.passages.size(), begin + kAtOnce); ++i) texts.push_back(p.passages[i].text);
      for (auto& vector : encoder_.encode(texts)) {
        to_unit_length(vector);
        p.vectors.insert(p.vectors.end(), vector.begin(), vector.end());
      }
      done += texts.size();
      if (progress) progress(done, total);
    }
    if (!p.cached && !p.cache.empty()) write_cache(p.cache, p.vectors);
    passages_.insert(passages_.end(), p.passages.begin(), p.passages.end());
    vectors_.insert(vectors_.end(), p.vectors.begin(), p.vectors.end());
  }
}

std::vector<SearchHit> SearchIndex::search(const std::string& query, std::size_t top_k) const {
  auto vector = encoder_.encode({query})[0];
  to_unit_length(vector);
  std::vector<std::pair<float, std::size_t>> scores;
  for (std::size_t i = 0; i < passages_.size(); ++i) {
    float score = 0;
    for (std::size_t d = 0; d < vector.size(); ++d) score += vector[d] * vectors_[i * vector.size() + d];
    scores.emplace_back(-score, i);
  }
  std::sort(scores.begin(), scores.end());
  std::vector<SearchHit> hits;
  for (std::size_t i = 0; i < std::min(top_k, scores.size()); ++i) hits.push_back({passages_[scores[i].second], -scores[i].first});
  return hits;
}

}  // namespace polymath
