#include "train/repeated_parts.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/threads.h"
#include "polymath/error.h"

namespace polymath {

std::vector<std::pair<std::u32string, std::uint32_t>> repeated_parts(const std::vector<std::u32string>& texts, std::size_t longest) {
  std::u32string all;  // each text with a U+0000 behind it
  for (const std::u32string& text : texts) {
    all += text;
    all += U'\0';
  }
  if (all.size() > std::numeric_limits<std::uint32_t>::max()) throw Error(ErrorCode::kResource, "the different words have more than 4 billion characters");
  // Suffixes by their first characters, as far as parts reach; a text's end is a character, and the last.
  std::unordered_map<char32_t, std::vector<std::uint32_t>> by_first;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (all[i] != 0) by_first[all[i]].push_back(i);
  }
  std::vector<std::vector<std::uint32_t>> groups;
  for (auto& [unused, group] : by_first) groups.push_back(std::move(group));
  // Characters that two suffixes share, at most one more than parts have.
  const auto shared = [&](std::uint32_t a, std::uint32_t b) {
    std::size_t n = 0;
    while (n <= longest && all[a + n] == all[b + n]) {
      if (all[a + n++] == 0) break;
    }
    return n;
  };
  std::vector<std::vector<std::pair<std::u32string, std::uint32_t>>> found(groups.size());
  ThreadPool::global().parallel_for(groups.size(), [&](std::size_t g) {
    std::vector<std::uint32_t>& group = groups[g];
    std::sort(group.begin(), group.end(), [&](std::uint32_t a, std::uint32_t b) {
      const std::size_t n = shared(a, b);
      return n <= longest && all[a + n - 1] != 0 && all[a + n] < all[b + n];
    });
    // Intervals of suffixes that share as many characters, from the inside out.
    struct Interval {
      std::size_t length;
      std::size_t begin;
    };
    std::vector<Interval> open = {{0, 0}};
    for (std::size_t i = 1; i <= group.size(); ++i) {
      const std::size_t length = i < group.size() ? shared(group[i - 1], group[i]) : 0;
      std::size_t begin = i - 1;
      while (open.back().length > length) {
        const Interval closed = open.back();
        open.pop_back();
        begin = closed.begin;
        const std::uint32_t at = group[begin];
        if (closed.length >= 2 && closed.length <= longest && all[at + closed.length - 1] != 0) {
          found[g].push_back({all.substr(at, closed.length), static_cast<std::uint32_t>(i - begin)});
        }
      }
      if (open.back().length < length) open.push_back({length, begin});
    }
  });
  std::vector<std::pair<std::u32string, std::uint32_t>> parts;
  for (auto& group : found) std::move(group.begin(), group.end(), std::back_inserter(parts));
  std::sort(parts.begin(), parts.end());
  return parts;
}

}  // namespace polymath
