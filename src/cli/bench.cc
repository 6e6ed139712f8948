// polymath bench DIR: medians over repeats, beside the machine's own limits measured between them.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "base/threads.h"
#include "base/file.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "tasks/sentence_embedding.h"
#include "tensor/ops.h"

namespace polymath::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// Multiply-adds from registers on all threads, in GFLOP/s, for about 20 ms.
double fma_gflops() {
  auto& pool = ThreadPool::global();
  std::vector<double> done(static_cast<std::size_t>(pool.size()));
  const auto start = Clock::now();
  pool.parallel_for(done.size(), [&](std::size_t i) {
    const auto begin = Clock::now();
    while (seconds_since(begin) < 0.02) done[i] += kernels::table().multiply_add_loop(20000);
  });
  double sum = 0;
  for (double d : done) sum += d;
  return sum / seconds_since(start) * 1e-9;
}

// Reads of a buffer too large for the caches, on all threads, in GB/s.
double read_gb_per_s(const std::vector<std::uint64_t>& buffer) {
  auto& pool = ThreadPool::global();
  const auto parts = static_cast<std::size_t>(pool.size());
  const std::size_t each = buffer.size() / parts;
  std::vector<std::uint64_t> sums(parts);
  const auto start = Clock::now();
  pool.parallel_for(parts, [&](std::size_t i) { sums[i] = kernels::table().read_loop(buffer.data() + i * each, each); });
  const double seconds = seconds_since(start);
  return static_cast<double>(each * parts * sizeof(std::uint64_t)) / seconds * 1e-9;
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

struct Arguments {
  std::string folder, lines;
  int batch = 1, length = 128, repeat = 7;
  bool json = false;
};

void print(const Json& result, bool json) {
  if (json) {
    std::cout << dump_json(result) << '\n';
    return;
  }
  std::cout << "instruction set      " << kernels::table().name << ", " << ThreadPool::global().size() << " threads\n";
  for (const auto& [name, value] : result.items()) {
    char line[80];
    std::snprintf(line, sizeof line, "%-20s %.4g\n", name.c_str(), value.get<double>());
    std::cout << line;
  }
}

// The lines of a file as sentences: tokenizing, the model and pooling.
int bench_lines(const Arguments& a, const Common& common) {
  const auto load_start = Clock::now();
  const auto encoder = SentenceEncoder::load(a.folder, load_type_named(common.dtype));
  const double load_ms = seconds_since(load_start) * 1e3;
  std::vector<std::string> texts;
  std::istringstream lines(utf8_lossy(read_named_input(a.lines)));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) texts.push_back(line);
  }
  if (texts.empty()) throw Error(ErrorCode::kInvalidArgument, "holds no lines", a.lines);
  encoder.encode({texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(texts.size(), 32))});
  const double rss = peak_rss_mb();
  const std::vector<std::uint64_t> buffer(std::size_t{32} << 20, 1);
  std::vector<double> encode, fma, read;
  std::uint64_t operations = 0;
  for (int r = 0; r < a.repeat; ++r) {
    const std::uint64_t before = operations_done();
    const auto start = Clock::now();
    encoder.encode(texts);
    encode.push_back(seconds_since(start));
    operations = operations_done() - before;
    fma.push_back(fma_gflops());
    read.push_back(read_gb_per_s(buffer));
  }
  const double seconds = median(encode);
  print({{"texts_per_s", static_cast<double>(texts.size()) / seconds},
         {"load_ms", load_ms},
         {"peak_rss_mb", rss},
         {"fma_gflops", median(fma)},
         {"read_gb_per_s", median(read)},
         {"fraction_of_limit", static_cast<double>(operations) / seconds * 1e-9 / median(fma)}},
        a.json);
  return 0;
}

int bench(const Arguments& a, const Common& common) {
  if (!a.lines.empty()) return bench_lines(a, common);
  const auto load_start = Clock::now();
  const LoadedModel loaded = LoadedModel::load(a.folder, load_type_named(common.dtype));
  const double load_ms = seconds_since(load_start) * 1e3;

  // Ids below the vocabulary, the same on every run; none of the special ones at the beginning of most vocabularies.
  const auto vocabulary = loaded.config().opt<std::int64_t>("vocab_size", 1000);
  std::mt19937 random(0);
  Step step;
  for (int s = 0; s < a.batch; ++s) {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < a.length; ++i) ids.push_back(static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(std::max<std::int64_t>(vocabulary, 1))));
    step.add_sequence(ids);
  }
  const Step target = step;
  if (loaded.model().is_encoder_decoder()) step.target = &target;
  loaded.model().forward(step);
  const double rss = peak_rss_mb();
  const std::vector<std::uint64_t> buffer(std::size_t{32} << 20, 1);  // 256 MiB

  std::vector<double> forward, fma, read;
  std::uint64_t operations = 0;
  for (int r = 0; r < a.repeat; ++r) {
    const std::uint64_t before = operations_done();
    const auto start = Clock::now();
    loaded.model().forward(step);
    forward.push_back(seconds_since(start));
    operations = operations_done() - before;
    fma.push_back(fma_gflops());
    read.push_back(read_gb_per_s(buffer));
  }
  const double seconds = median(forward);
  Json result;
  result["forward_ms"] = seconds * 1e3;
  result["prompt_tokens_per_s"] = a.batch * a.length / seconds;
  result["load_ms"] = load_ms;
  result["peak_rss_mb"] = rss;
  result["fma_gflops"] = median(fma);
  result["read_gb_per_s"] = median(read);
  result["fraction_of_limit"] = static_cast<double>(operations) / seconds * 1e-9 / median(fma);
  print(result, a.json);
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, Common& common, Action& action) {
  auto* verb = app.add_subcommand("bench", "measure a checkpoint's speed beside the machine's own limits");
  auto a = std::make_shared<Arguments>();
  verb->add_option("DIR", a->folder, "checkpoint folder")->required();
  verb->add_option("--batch", a->batch, "sequences at a time")->check(CLI::Range(1, 65536))->capture_default_str();
  verb->add_option("--length", a->length, "tokens a sequence")->check(CLI::Range(1, 1 << 20))->capture_default_str();
  verb->add_option("--repeat", a->repeat, "measurements, of which the median is given")->check(CLI::Range(1, 10000))->capture_default_str();
  verb->add_option("--lines", a->lines, "a file of sentences: measure tokenizing and embedding them");
  verb->add_flag("--json", a->json, "one JSON object");
  add_common(*verb, common);
  verb->callback([=, &common, &action] { action = [=, &common] { return bench(*a, common); }; });
}

}  // namespace polymath::cli
