// Encoded examples and the batches that they go into: sequences of similar length, packed without padding.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "train/objective.h"

namespace polymath {

// One sequence with its labels. Which labels are there hangs on the class of the model (Labels in objective.h).
struct TrainingExample {
  std::vector<std::int32_t> ids, type_ids;
  std::vector<std::int32_t> second;   // of a pair of texts that are sequences of their own: the second one's
  std::vector<std::int32_t> target;   // an encoder-decoder's input on the decoder's side
  std::vector<std::int32_t> of_rows;  // a label for each token (of the target, where there is one)
  std::int32_t of_sequence = kIgnored;
  std::vector<float> values;          // numbers, or whether each class is right
  std::int32_t start = kIgnored, end = kIgnored;  // of a span

  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size() + second.size() + target.size()); }
};

// Which kinds of labels count, and so how many of them a batch has.
enum class LabelKind { kRows, kSequences, kValues, kSpans };

// How tokens are hidden that a masked language model is to find (Devlin et al. 2019): of those chosen, 80 % become the mask,
// 10 % a random token, 10 % stay.
struct Masking {
  double share = 0;  // 0: nothing is masked
  std::int32_t mask = 0, vocabulary = 0;
  std::vector<std::int32_t> never;  // special tokens, sorted
  std::uint64_t seed = 0;
};

// Makes of an example (its number) what is trained on; another draw makes something else.
using Damage = std::function<TrainingExample(const TrainingExample& example, std::size_t number, std::uint64_t draw)>;

struct TrainingBatch {
  Step step;
  std::unique_ptr<Step> target;
  Labels labels;
  double weight = 0;  // how many labels count
};

class TrainingSet {
 public:
  TrainingSet() = default;
  TrainingSet(std::vector<TrainingExample> examples, LabelKind kind) : examples_(std::move(examples)), kind_(kind) {}

  // words: [examples][tokens], which word a token belongs to, below 0 none; empty: each token is masked by itself.
  void mask(Masking masking, std::vector<std::vector<std::int32_t>> words = {});

  // Each batch gets what this makes of its examples.
  void damage(Damage damage) { damage_ = std::move(damage); }
  // The examples are one text in pieces, in order: an epoch reads it in several streams at once, and a sequence goes on from the
  // state that the one in its place of the batch before left behind.
  void read_as_stream() { stream_ = true; }
  bool is_stream() const { return stream_; }

  std::size_t size() const { return examples_.size(); }
  const TrainingExample& operator[](std::size_t i) const { return examples_[i]; }
  std::int64_t tokens() const;
  // draw: another one masks other tokens, and does other damage.
  TrainingBatch batch(std::span<const std::size_t> which, std::uint64_t draw) const;
  // A number that another set of examples will hardly have.
  std::uint64_t fingerprint() const;

 private:
  void add_masked(TrainingBatch& batch, std::size_t example, std::uint64_t draw) const;

  std::vector<TrainingExample> examples_;
  LabelKind kind_ = LabelKind::kRows;
  Masking masking_;
  Damage damage_;
  std::vector<std::vector<std::int32_t>> words_;
  bool stream_ = false;
};

struct BatchOptions {
  std::int64_t tokens = 1024;   // of a batch, at most (a longer sequence is a batch of its own)
  std::int64_t sequences = 64;  // of a batch, at most
  std::uint64_t seed = 0;
};

// How many streams a text in pieces is read in.
std::size_t streams_of(const TrainingSet& set, const BatchOptions& options);

// The batches of an epoch, in a random order that hangs on seed and epoch alone; of streams in their own, from another place each time.
std::vector<std::vector<std::size_t>> batches_of(const TrainingSet& set, const BatchOptions& options, std::uint64_t epoch);
// The batches of a pass over all that is not for training: in order of length.
std::vector<std::vector<std::size_t>> batches_in_order(const TrainingSet& set, const BatchOptions& options);

// A random order of n things that hangs on the seed and the stream alone.
std::vector<std::size_t> shuffled(std::size_t n, std::uint64_t seed, std::uint64_t stream);

}  // namespace polymath
