#include "train/batches.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"

namespace polymath {
namespace {

// Streams of random numbers that must not be the same.
constexpr std::uint64_t kOrder = 1, kOrderOfBatches = 2, kMasks = 3;

std::vector<std::vector<std::size_t>> cut(const TrainingSet& set, std::span<const std::size_t> order, const BatchOptions& o) {
  std::vector<std::vector<std::size_t>> batches;
  std::int64_t tokens = 0;
  for (const std::size_t i : order) {
    const std::int64_t more = set[i].tokens();
    if (batches.empty() || tokens + more > o.tokens || static_cast<std::int64_t>(batches.back().size()) >= o.sequences) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(i);
    tokens += more;
  }
  return batches;
}

void sort_by_length(const TrainingSet& set, std::span<std::size_t> order) {
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return set[a].tokens() > set[b].tokens(); });
}

}  // namespace

std::vector<std::size_t> shuffled(std::size_t n, std::uint64_t seed, std::uint64_t stream) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = n; i > 1; --i) {  // Fisher and Yates
    const auto j = static_cast<std::size_t>(uniform(seed, stream, i) * static_cast<double>(i));
    std::swap(order[i - 1], order[std::min(j, i - 1)]);
  }
  return order;
}

std::size_t streams_of(const TrainingSet& set, const BatchOptions& o) {
  std::int64_t longest = 1;
  for (std::size_t i = 0; i < set.size(); ++i) longest = std::max(longest, set[i].tokens());
  return static_cast<std::size_t>(std::clamp<std::int64_t>(o.tokens / longest, 1, std::min(o.sequences, static_cast<std::int64_t>(set.size()))));
}

namespace {

// Batch b holds the b-th piece of each stream. Streams are as long as each other, but for the first, which may have one piece more.
std::vector<std::vector<std::size_t>> stream_batches(const TrainingSet& set, const BatchOptions& o, std::uint64_t epoch) {
  const std::size_t streams = streams_of(set, o), length = set.size() / streams, longer = set.size() % streams;
  const std::size_t first = shuffled(set.size(), o.seed, kOrder + 16 * epoch)[0];
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t b = 0; b < length + (longer > 0); ++b) {
    auto& batch = batches.emplace_back();
    for (std::size_t s = 0; s < (b < length ? streams : longer); ++s) batch.push_back((first + s * length + std::min(s, longer) + b) % set.size());
  }
  return batches;
}

}  // namespace

std::vector<std::vector<std::size_t>> batches_of(const TrainingSet& set, const BatchOptions& o, std::uint64_t epoch) {
  if (set.size() > 0 && set.is_stream()) return stream_batches(set, o, epoch);
  std::vector<std::size_t> order = shuffled(set.size(), o.seed, kOrder + 16 * epoch);
  // Sequences of similar length are sought among the neighbours of about fifty batches, so that batches differ each time.
  const double mean = std::max(1.0, static_cast<double>(set.tokens()) / static_cast<double>(std::max<std::size_t>(set.size(), 1)));
  const auto per_batch = std::clamp(static_cast<double>(o.tokens) / mean, 1.0, static_cast<double>(o.sequences));
  const auto pool = static_cast<std::size_t>(50 * per_batch);
  for (std::size_t begin = 0; begin < order.size(); begin += pool) {
    sort_by_length(set, std::span(order).subspan(begin, std::min(pool, order.size() - begin)));
  }
  auto batches = cut(set, order, o);
  std::vector<std::vector<std::size_t>> mixed;
  for (const std::size_t b : shuffled(batches.size(), o.seed, kOrderOfBatches + 16 * epoch)) mixed.push_back(std::move(batches[b]));
  return mixed;
}

std::vector<std::vector<std::size_t>> batches_in_order(const TrainingSet& set, const BatchOptions& o) {
  std::vector<std::size_t> order(set.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  sort_by_length(set, order);
  return cut(set, order, o);
}

void TrainingSet::mask(Masking masking, std::vector<std::vector<std::int32_t>> words) {
  masking_ = std::move(masking);
  words_ = std::move(words);
}

std::int64_t TrainingSet::tokens() const {
  std::int64_t tokens = 0;
  for (const TrainingExample& e : examples_) tokens += e.tokens();
  return tokens;
}

void TrainingSet::add_masked(TrainingBatch& batch, std::size_t example, std::uint64_t draw) const {
  const TrainingExample& e = examples_[example];
  std::vector<std::int32_t> ids = e.ids, labels(e.ids.size(), kIgnored);
  const auto may = [&](std::size_t i) { return !std::binary_search(masking_.never.begin(), masking_.never.end(), e.ids[i]); };
  const auto number = [&](std::size_t i, std::uint64_t what) { return uniform(masking_.seed ^ kMasks, example, draw, 4 * i + what); };
  const auto hide = [&](std::size_t i) {
    labels[i] = e.ids[i];
    const double kind = number(i, 1);
    if (kind < 0.8) ids[i] = masking_.mask;
    else if (kind < 0.9) ids[i] = std::min(static_cast<std::int32_t>(number(i, 2) * masking_.vocabulary), masking_.vocabulary - 1);
  };
  bool some = false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!may(i)) continue;
    std::size_t of_word = i;  // the token whose number decides
    if (!words_.empty()) {
      const auto& words = words_[example];
      while (of_word > 0 && words[i] >= 0 && words[of_word - 1] == words[i]) --of_word;
    }
    if (number(of_word, 0) >= masking_.share) continue;
    hide(i);
    some = true;
  }
  for (std::size_t i = 0; i < ids.size() && !some; ++i) {  // a short text, too, asks for something
    if (may(i) && number(i, 3) * static_cast<double>(ids.size() - i) < 1) {
      hide(i);
      some = true;
    }
  }
  batch.step.add_sequence(ids, e.type_ids);
  batch.labels.of_rows.insert(batch.labels.of_rows.end(), labels.begin(), labels.end());
}

TrainingBatch TrainingSet::batch(std::span<const std::size_t> which, std::uint64_t draw) const {
  TrainingBatch batch;
  for (const std::size_t i : which) {
    const TrainingExample damaged = damage_ ? damage_(examples_[i], i, draw) : TrainingExample();
    const TrainingExample& e = damage_ ? damaged : examples_[i];
    if (masking_.share > 0) {
      add_masked(batch, i, draw);
      continue;
    }
    batch.step.add_sequence(e.ids, e.type_ids);
    if (!e.second.empty()) batch.step.add_sequence(e.second);
    if (!e.target.empty()) {
      if (!batch.target) batch.target = std::make_unique<Step>();
      batch.target->add_sequence(e.target);
    }
    Labels& l = batch.labels;
    switch (kind_) {
      case LabelKind::kRows: l.of_rows.insert(l.of_rows.end(), e.of_rows.begin(), e.of_rows.end()); break;
      case LabelKind::kSequences: l.of_sequences.push_back(e.of_sequence); break;
      case LabelKind::kValues: l.values.insert(l.values.end(), e.values.begin(), e.values.end()); break;
      case LabelKind::kSpans:
        l.start.push_back(e.start);
        l.end.push_back(e.end);
        break;
    }
  }
  batch.step.target = batch.target.get();
  if (kind_ == LabelKind::kRows) {
    batch.weight = static_cast<double>(std::count_if(batch.labels.of_rows.begin(), batch.labels.of_rows.end(), [](std::int32_t l) { return l != kIgnored; }));
  } else {
    batch.weight = static_cast<double>(which.size());
  }
  return batch;
}

std::uint64_t TrainingSet::fingerprint() const {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a over 32-bit words
  const auto add = [&](std::uint32_t word) { hash = (hash ^ word) * 0x100000001b3u; };
  const auto add_all = [&](const std::vector<std::int32_t>& words) {
    add(static_cast<std::uint32_t>(words.size()));
    for (const std::int32_t w : words) add(static_cast<std::uint32_t>(w));
  };
  for (const TrainingExample& e : examples_) {
    for (const auto* words : {&e.ids, &e.type_ids, &e.second, &e.target, &e.of_rows}) add_all(*words);
    for (const std::int32_t w : {e.of_sequence, e.start, e.end}) add(static_cast<std::uint32_t>(w));
    for (const float v : e.values) add(static_cast<std::uint32_t>(static_cast<std::int64_t>(static_cast<double>(v) * 65536)));
  }
  return hash;
}

}  // namespace polymath
