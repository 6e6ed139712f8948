#include "train/denoising.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "nn/scalar_math.h"

namespace polymath {
namespace {

// `total` as a sum of `parts` numbers that are at least 1, each such sum as likely as another.
std::vector<std::size_t> random_parts(std::size_t total, std::size_t parts, Draws& draws) {
  std::vector<std::size_t> sizes{1};
  std::size_t cuts = parts - 1;
  for (std::size_t place = total - 1; place > 0; --place) {  // between two items, `place` of which are left
    if (draws.below(place) < cuts) {
      --cuts;
      sizes.push_back(1);
    } else {
      ++sizes.back();
    }
  }
  return sizes;
}

std::size_t rounded(double x) { return static_cast<std::size_t>(std::llround(x)); }

}  // namespace

double Draws::uniform() { return polymath::uniform(seed_, example_, draw_, count_++); }

std::size_t Draws::below(std::size_t n) { return std::min(static_cast<std::size_t>(uniform() * static_cast<double>(n)), n - 1); }

std::int64_t Draws::poisson(double mean) {
  double left = uniform(), p = scalar_exp(-mean);
  std::int64_t k = 0;
  for (; left > p && k < 1000; p *= mean / static_cast<double>(++k)) left -= p;
  return k;
}

SpanCorruption corrupt_spans(std::span<const std::int32_t> ids, std::span<const std::int32_t> sentinels, double share, double mean, Draws& draws) {
  const std::size_t length = ids.size();
  const std::size_t taken = std::clamp<std::size_t>(rounded(static_cast<double>(length) * share), 1, length - 1);
  const std::size_t spans = std::min({std::max<std::size_t>(rounded(static_cast<double>(taken) / mean), 1), length - taken, sentinels.size()});
  const std::vector<std::size_t> gone = random_parts(taken, spans, draws), kept = random_parts(length - taken, spans, draws);
  SpanCorruption c;
  for (std::size_t s = 0, at = 0; s < spans; ++s) {
    c.source.insert(c.source.end(), ids.begin() + static_cast<std::ptrdiff_t>(at), ids.begin() + static_cast<std::ptrdiff_t>(at + kept[s]));
    at += kept[s];
    c.source.push_back(sentinels[s]);
    c.target.push_back(sentinels[s]);
    c.target.insert(c.target.end(), ids.begin() + static_cast<std::ptrdiff_t>(at), ids.begin() + static_cast<std::ptrdiff_t>(at + gone[s]));
    at += gone[s];
  }
  return c;
}

std::vector<std::int32_t> infill(std::span<const std::int32_t> ids, std::int32_t mask, double share, double mean, Draws& draws) {
  std::size_t left = std::min(std::max<std::size_t>(rounded(static_cast<double>(ids.size()) * share), 1), ids.size()), insertions = 0;
  std::vector<std::size_t> spans;
  const std::size_t masked = left;
  while (left > 0) {
    const auto length = std::min(static_cast<std::size_t>(draws.poisson(mean)), left);
    if (length == 0) ++insertions;
    else spans.push_back(length);
    left -= length;
  }
  // Each span is put before a token that stays, or at the end, each way as likely as another.
  const std::size_t kept = ids.size() - masked;
  std::vector<bool> is_span;
  for (std::size_t spans_left = spans.size(), all = kept + spans.size(); all > 0; --all) {
    const bool span = draws.below(all) < spans_left;
    spans_left -= span;
    is_span.push_back(span);
  }
  std::vector<std::int32_t> out;
  for (std::size_t at = 0, s = 0; const bool span : is_span) {
    out.push_back(span ? mask : ids[at]);
    at += span ? spans[s++] : 1;
  }
  for (; insertions > 0; --insertions) out.insert(out.begin() + static_cast<std::ptrdiff_t>(draws.below(out.size() + 1)), mask);
  return out;
}

std::vector<std::int32_t> permute_sentences(std::span<const std::int32_t> ids, std::span<const std::size_t> begins, Draws& draws) {
  std::vector<std::size_t> order(begins.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[draws.below(i)]);  // Fisher and Yates
  std::vector<std::int32_t> out;
  for (const std::size_t s : order) {
    const std::size_t end = s + 1 < begins.size() ? begins[s + 1] : ids.size();
    out.insert(out.end(), ids.begin() + static_cast<std::ptrdiff_t>(begins[s]), ids.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return out;
}

std::vector<std::size_t> sentence_begins(std::string_view text) {
  std::vector<std::size_t> begins{0};
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool space = text[i] == ' ' || text[i] == '\n' || text[i] == '\t';
    if (space && std::string_view(".!?").find(text[i - 1]) != std::string_view::npos) begins.push_back(i);
  }
  return begins;
}

}  // namespace polymath
