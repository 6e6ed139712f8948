// How the learning rate goes over the steps of a training.
#pragma once

#include <cstdint>
#include <string>

namespace polymath {

struct ScheduleOptions {
  std::string kind = "linear";  // constant, linear, cosine, slanted (Howard and Ruder 2018, arXiv:1801.06146)
  double warmup = 0.1;          // the part of all steps in which the rate rises; not of slanted, whose cut is 0.1
};

// Throws Error naming an unknown kind.
void check_schedule(const ScheduleOptions& options);

// The factor, between 0 and 1, of step `step` of `steps` (counted from 0).
double schedule_factor(const ScheduleOptions& options, std::int64_t step, std::int64_t steps);

}  // namespace polymath
