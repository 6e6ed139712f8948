#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <random>

#include "base/threads.h"
#include "cli/bench.h"
#include "kernels/kernels.h"
#include "tensor/ops.h"

namespace polymath::cli {

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

namespace {

// Multiply-adds from registers on all threads, in GFLOP/s, for about 20 ms.
double fma_loop() {
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
double read_loop(const std::vector<std::uint64_t>& buffer) {
  auto& pool = ThreadPool::global();
  const auto parts = static_cast<std::size_t>(pool.size());
  const std::size_t each = buffer.size() / parts;
  std::vector<std::uint64_t> sums(parts);
  const auto start = Clock::now();
  pool.parallel_for(parts, [&](std::size_t i) { sums[i] = kernels::table().read_loop(buffer.data() + i * each, each); });
  const double seconds = seconds_since(start);
  return static_cast<double>(each * parts * sizeof(std::uint64_t)) / seconds * 1e-9;
}

}  // namespace

void MachineLimits::measure() {
  fma_.push_back(fma_loop());
  read_.push_back(read_loop(buffer_));
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

Timed time_repeats(int repeat, MachineLimits& limits, const std::function<void()>& work) {
  std::vector<double> seconds;
  std::uint64_t operations = 0;
  for (int r = 0; r < repeat; ++r) {
    const std::uint64_t before = operations_done();
    const auto start = Clock::now();
    work();
    seconds.push_back(seconds_since(start));
    operations = operations_done() - before;
    limits.measure();
  }
  return {median(seconds), operations};
}

void add_machine(Json& figures, double load_ms, double rss_mb, const MachineLimits& limits, double fraction) {
  figures["load_ms"] = load_ms;
  figures["peak_rss_mb"] = rss_mb;
  figures["fma_gflops"] = limits.fma_gflops();
  figures["read_gb_per_s"] = limits.read_gb_per_s();
  figures["fraction_of_limit"] = fraction;
}

void print_figures(const Json& result, bool json) {
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

std::vector<std::int32_t> random_ids(const Config& config, int length, unsigned seed) {
  const auto vocabulary = static_cast<std::uint32_t>(std::clamp<std::int64_t>(config.opt<std::int64_t>("vocab_size", 1000), 1, INT32_MAX));
  std::mt19937 random(seed);
  std::vector<std::int32_t> ids;
  for (int i = 0; i < length; ++i) ids.push_back(static_cast<std::int32_t>(random() % vocabulary));
  return ids;
}

}  // namespace polymath::cli
