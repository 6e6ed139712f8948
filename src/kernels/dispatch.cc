#include "kernels/dispatch.h"

#include <cstdlib>
#include <mutex>

#include "hwy/highway.h"

namespace polymath::kernels {
namespace {

struct Isa {
  const char* name;
  std::int64_t target;
};
constexpr Isa kIsas[] = {
    {"avx512vnni", HWY_AVX3_DL}, {"avx512", HWY_AVX3}, {"avx2", HWY_AVX2}, {"portable", HWY_STATIC_TARGET},
};

std::int64_t usable_targets() {
  hwy::SetSupportedTargetsForTest(0);
  return hwy::SupportedTargets() & HWY_TARGETS;
}

std::mutex mutex;
Table current;
bool ready = false;

// Chooses among `targets`; the caller holds the mutex.
void choose(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  fill_gradients(current);
  fill_limits(current);
  fill_matmul(current);
  fill_matmul_quantized(current);
  fill_recurrent(current);
  fill_rowwise(current);
  const std::int64_t best = targets & -targets;
  current.name = "portable";
  for (const Isa& isa : kIsas) {
    if (isa.target == best) current.name = isa.name;
  }
  ready = true;
}

bool choose_named(const std::string& name) {
  const std::int64_t usable = usable_targets();
  if (name.empty()) return choose(usable), true;
  for (const Isa& isa : kIsas) {
    // With the lesser ones, for kernels that have no form of their own for this one.
    if (name == isa.name && (usable & isa.target)) return choose(usable & ~(isa.target - 1)), true;
  }
  return false;
}

}  // namespace

const Table& table() {
  static const bool initialized = [] {
    std::lock_guard lock(mutex);
    const char* forced = std::getenv("POLYMATH_ISA");
    if (!ready && !(forced && choose_named(forced))) choose_named("");
    return true;
  }();
  (void)initialized;
  return current;
}

std::vector<std::string> available_isas() {
  std::lock_guard lock(mutex);
  const std::int64_t usable = usable_targets();
  std::vector<std::string> names;
  for (const Isa& isa : kIsas) {
    if (usable & isa.target) names.push_back(isa.name);
  }
  return names;
}

bool set_isa(const std::string& name) {
  std::lock_guard lock(mutex);
  return choose_named(name);
}

}  // namespace polymath::kernels
