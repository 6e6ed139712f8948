// polymath bench DIR --train: whole steps of training, on random ids or on the lines of a file.
#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/utf8.h"
#include "cli/bench.h"
#include "polymath/error.h"
#include "tensor/tape.h"
#include "text/pretrained_tokenizer.h"
#include "train/objective.h"
#include "train/optimizer.h"

namespace polymath::cli {
namespace {

struct Work {
  Step step, target;
  Labels labels;
};

// Labels for all that the class is trained on: one of seven tokens of a masked language model, each token of a causal one.
void add_labels(Work& work, const LoadedModel& model) {
  const Step& step = work.step;
  const auto classes = static_cast<std::int32_t>(std::max<std::int64_t>(1, model.config().num_labels()));
  switch (model.head()) {
    case Head::kMaskedLm:
    case Head::kPreTraining:
      for (std::size_t i = 0; i < step.ids.size(); ++i) work.labels.of_rows.push_back(i % 7 == 3 ? step.ids[i] : kIgnored);
      work.labels.of_sequences.assign(static_cast<std::size_t>(step.sequences()), 0);
      break;
    case Head::kCausalLm:
      for (int s = 0; s < step.sequences(); ++s) {
        const auto begin = static_cast<std::size_t>(step.begin[static_cast<std::size_t>(s)]), end = static_cast<std::size_t>(step.begin[static_cast<std::size_t>(s) + 1]);
        for (std::size_t i = begin; i < end; ++i) work.labels.of_rows.push_back(i + 1 < end ? step.ids[i + 1] : kIgnored);
      }
      break;
    case Head::kConditionalGeneration:
      work.target = step;
      work.labels.of_rows = step.ids;
      break;
    case Head::kTokenClassification:
      for (std::size_t i = 0; i < step.ids.size(); ++i) work.labels.of_rows.push_back(static_cast<std::int32_t>(i) % classes);
      break;
    case Head::kQuestionAnswering:
      work.labels.start.assign(static_cast<std::size_t>(step.sequences()), 0);
      work.labels.end = work.labels.start;
      break;
    default:
      for (int s = 0; s < step.sequences(); ++s) work.labels.of_sequences.push_back(s % classes);
  }
}

std::vector<Work> works_of(const BenchOptions& a, const LoadedModel& model) {
  std::vector<std::vector<std::int32_t>> sequences;
  if (a.lines.empty()) {
    for (int s = 0; s < a.batch; ++s) sequences.push_back(random_ids(model.config(), a.length, static_cast<unsigned>(s)));
  } else {
    const PretrainedTokenizer tokenizer = PretrainedTokenizer::load(a.folder);
    std::istringstream lines(utf8_lossy(read_named_input(a.lines)));
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) sequences.push_back(tokenizer.encode(line, {.truncation = Truncation{.max_length = a.length}}).ids);
    }
    if (sequences.empty()) throw Error(ErrorCode::kInvalidArgument, "holds no lines", a.lines);
  }
  std::vector<Work> works;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (i % static_cast<std::size_t>(a.batch) == 0) works.emplace_back();
    works.back().step.add_sequence(sequences[i]);
  }
  for (Work& work : works) add_labels(work, model);
  return works;
}

}  // namespace

int bench_training(const BenchOptions& a) {
  const auto load_start = Clock::now();
  const LoadedModel loaded = LoadedModel::load_to_train(a.folder);
  const double load_ms = seconds_since(load_start) * 1e3;
  Optimizer optimizer({}, loaded.parameters().all());
  const std::vector<double> rates(optimizer.parameters().size(), 1e-6);
  std::vector<Work> works = works_of(a, loaded);
  std::int64_t tokens = 0;
  for (const Work& work : works) tokens += work.step.rows();
  const auto step = [&](Work& work) {
    loaded.parameters().zero_gradients();
    if (loaded.model().is_encoder_decoder()) work.step.target = &work.target;
    Tape tape;
    const Tape::Recording recording(&tape);
    const Tensor loss = loss_of(loaded, work.step, work.labels);
    Tensor one(loss.shape());
    one.data()[0] = 1;
    tape.backward(loss, std::move(one));
    optimizer.scale_gradients(1 / std::max(1.0, optimizer.gradient_norm()));
    optimizer.step(rates);
    loaded.parameters().refresh();
  };
  step(works[0]);
  MachineLimits limits;
  const Timed timed = time_repeats(a.repeat, limits, [&] {
    for (Work& work : works) step(work);
  });
  Json figures = {{"step_ms", timed.seconds * 1e3 / static_cast<double>(works.size())}, {"train_tokens_per_s", static_cast<double>(tokens) / timed.seconds}};
  add_machine(figures, load_ms, peak_rss_mb(), limits, static_cast<double>(timed.operations) / timed.seconds * 1e-9 / limits.fma_gflops());
  print_figures(figures, a.json);
  return 0;
}

}  // namespace polymath::cli
