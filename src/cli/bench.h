// What the measurements of `polymath bench` share.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/cli.h"

namespace polymath::cli {

struct BenchOptions {
  std::string folder, lines;
  int batch = 1, length = 128, new_tokens = 0, beams = 1, repeat = 7;
  bool lookup = false, train = false, json = false;
};

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start);
double median(std::vector<double> values);
double peak_rss_mb();

// The machine's own limits, measured between the repeats.
class MachineLimits {
 public:
  void measure();
  double fma_gflops() const { return median(fma_); }        // multiply-adds from registers, all threads
  double read_gb_per_s() const { return median(read_); }    // reads of a buffer too large for the caches, all threads

 private:
  std::vector<double> fma_, read_;
  std::vector<std::uint64_t> buffer_ = std::vector<std::uint64_t>(std::size_t{32} << 20, 1);  // 256 MiB
};

struct Timed {
  double seconds = 0;            // the median
  std::uint64_t operations = 0;  // of one time
};
// Does the work `repeat` times and measures the limits after each.
Timed time_repeats(int repeat, MachineLimits& limits, const std::function<void()>& work);

// What every measurement ends with. fraction: of the limit that is nearer.
void add_machine(Json& figures, double load_ms, double rss_mb, const MachineLimits& limits, double fraction);

void print_figures(const Json& figures, bool json);

// Ids below the vocabulary, the same on every run.
std::vector<std::int32_t> random_ids(const Config& config, int length, unsigned seed);

int bench_generation(const BenchOptions& options, const Common& common);
int bench_training(const BenchOptions& options);

}  // namespace polymath::cli
