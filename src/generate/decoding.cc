#include "generate/decoding.h"

#include <algorithm>

#include "base/threads.h"
#include "polymath/error.h"

namespace polymath {
namespace {

// Rows of a pass: enough to keep the kernels busy; more would only use more memory.
constexpr std::size_t kRowsPerPass = 512;

struct Pass {
  Step step;
  std::size_t rows() const { return step.ids.size(); }

  void add(const Feed& feed, std::span<const std::int32_t> ids) {
    const auto first = static_cast<std::int32_t>(feed.cache->length());
    const std::size_t row = step.column.size();
    step.add_sequence(ids);
    for (std::size_t r = row; r < step.column.size(); ++r) step.column[r] += first;
    step.cache.push_back(feed.cache);
    if (feed.memory) step.memory.push_back(feed.memory);
    for (std::size_t i = std::min(feed.logits, ids.size()); i > 0; --i) step.head_rows.push_back(static_cast<std::int32_t>(step.column.size() - i));
  }
};

}  // namespace

Tensor next_logits(const Model& model, std::span<const Feed> feeds) {
  std::int64_t rows = 0, row = 0;
  for (const Feed& feed : feeds) rows += static_cast<std::int64_t>(feed.logits);
  Tensor all;
  for (std::size_t begin = 0, end = 0; begin < feeds.size(); begin = end) {
    Pass pass;
    for (; end < feeds.size() && (end == begin || pass.rows() + feeds[end].ids.size() <= kRowsPerPass); ++end) {
      const Feed& feed = feeds[end];
      std::span<const std::int32_t> ids = feed.ids;
      while (ids.size() > kRowsPerPass + feed.logits) {  // the rows whose logits are wanted stay together
        Pass piece;
        piece.add(feed, ids.first(kRowsPerPass));
        model.forward(piece.step);
        ids = ids.subspan(kRowsPerPass);
      }
      pass.add(feed, ids);
    }
    const auto outputs = model.forward(pass.step);
    const Tensor& logits = output_named(outputs, "logits");
    if (logits.rows() == rows) return logits;
    if (all.empty()) all = Tensor({rows, logits.dim(1)});
    std::copy(logits.data(), logits.data() + logits.size(), all.row(row));
    row += logits.rows();
  }
  return all;
}

Lengths lengths_of(const GenerationConfig& config, const DecodingInput& input) {
  const auto prompt = static_cast<std::int64_t>(input.ids.size());
  Lengths lengths{config.max_length, config.min_length};
  if (config.max_new_tokens) {
    lengths.max_length = *config.max_new_tokens + prompt;
  } else if (config.default_max_length && config.max_length == 20) {
    lengths.max_length += prompt;
    if (input.max_positions > 0) lengths.max_length = std::min(lengths.max_length, input.max_positions);
  }
  if (config.min_new_tokens) lengths.min_length = *config.min_new_tokens + prompt;
  if (prompt >= lengths.max_length) {
    throw Error(ErrorCode::kInvalidArgument,
                "is " + std::to_string(lengths.max_length) + ", but the prompt alone has " + std::to_string(prompt) + " tokens; max_new_tokens counts without it",
                "max_length");
  }
  return lengths;
}

std::vector<std::int32_t> visible_ids(const DecodingInput& input, std::size_t begin) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = begin; i < input.ids.size(); ++i) {
    if (input.mask.empty() || input.mask[i]) ids.push_back(input.ids[i]);
  }
  return ids;
}

ProcessorContext processor_context(const DecodingInput& input, const Lengths& lengths, std::size_t vocabulary) {
  return {.prompt_length = static_cast<std::int64_t>(input.ids.size()),
          .max_length = lengths.max_length,
          .min_length = lengths.min_length,
          .vocabulary = vocabulary,
          .encoder_ids = input.memory ? input.encoder_ids : input.ids};
}

void advance_all(const Model& model, std::span<Decoding* const> decodings) {
  std::vector<Feed> feeds;
  std::vector<std::int64_t> first;
  std::int64_t rows = 0;
  for (Decoding* decoding : decodings) {
    first.push_back(rows);
    for (const Feed& feed : decoding->feeds()) {
      feeds.push_back(feed);
      rows += static_cast<std::int64_t>(feed.logits);
    }
  }
  const Tensor logits = next_logits(model, feeds);
  ThreadPool::global().parallel_for(decodings.size(), [&](std::size_t i) { decodings[i]->step(logits, first[i]); });
}

}  // namespace polymath
