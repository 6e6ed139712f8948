#include "generate/proposer.h"

#include <algorithm>

#include "generate/decoding.h"

namespace polymath {
namespace {

// The tokens after the last place where `run` stands in `text`, its end excepted.
std::vector<std::int32_t> after(std::span<const std::int32_t> text, std::span<const std::int32_t> run, std::size_t most) {
  for (std::size_t end = text.size(); end-- > run.size();) {
    if (!std::equal(run.begin(), run.end(), text.begin() + static_cast<std::ptrdiff_t>(end - run.size()))) continue;
    const auto found = text.subspan(end).first(std::min(most, text.size() - end));
    return std::vector<std::int32_t>(found.begin(), found.end());
  }
  return {};
}

}  // namespace

std::vector<std::int32_t> PromptLookup::propose(std::span<const std::int32_t> ids, std::size_t most) {
  for (std::size_t n = std::min(longest_, ids.size()); n > 0; --n) {
    const auto run = ids.last(n);
    for (const auto text : {beside_, ids}) {
      auto found = after(text, run, most);
      if (!found.empty()) return found;
    }
  }
  return {};
}

std::vector<std::int32_t> DraftModel::propose(std::span<const std::int32_t> ids, std::size_t most) {
  const auto shared = static_cast<std::size_t>(std::mismatch(read_.begin(), read_.end(), ids.begin(), ids.end()).first - read_.begin());
  read_.resize(std::min(shared, ids.size() - 1));
  cache_.truncate(static_cast<std::int64_t>(read_.size()));
  const auto rest = ids.subspan(read_.size());
  std::vector<std::int32_t> unread(rest.begin(), rest.end()), proposed;
  while (proposed.size() < most) {
    const Feed feed{.cache = &cache_, .ids = unread};
    const Tensor logits = next_logits(model_, {&feed, 1});
    for (const std::int32_t id : unread) read_.push_back(id);
    const auto next = static_cast<std::int32_t>(std::max_element(logits.row(0), logits.row(0) + logits.dim(1)) - logits.row(0));
    proposed.push_back(next);
    unread = {next};
  }
  return proposed;
}

}  // namespace polymath
