#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace polymath {
namespace {

// A worker looks for new work this many times before it sleeps, some tenths of a millisecond: the gap between two ops
// is some microseconds, the wait for the last task of an op some tens, and so is waking a sleeping thread.
// Where there are more threads than cores, a spinning one takes the core of one that works.
constexpr int kSpins = 20000, kSpinsWithoutCore = 100;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

thread_local bool inside_loop = false;

}  // namespace

int physical_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::max(1u, std::thread::hardware_concurrency());
  std::set<std::string> cores;  // a core is named by the list of its hyper-threads
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::ifstream siblings("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
    std::string line;
    cores.insert(std::getline(siblings, line) ? line : std::to_string(cpu));
  }
  return std::max<int>(1, static_cast<int>(cores.size()));
}

struct ThreadPool::State {
  std::vector<std::thread> workers;
  int spins = kSpins;
  std::mutex turn;  // held by the thread whose loop runs

  // The running loop. Written under `turn` before `generation` moves; read by workers after they saw it move.
  Function function = nullptr;
  const void* context = nullptr;
  std::size_t tasks = 0;
  std::atomic<std::size_t> next{0};

  std::atomic<std::uint64_t> generation{0};
  std::atomic<int> busy{0};  // workers that have not finished the running loop
  std::atomic<bool> stop{false};
  std::mutex sleep_mutex;
  std::condition_variable wake;
  std::atomic<int> sleepers{0};

  std::mutex error_mutex;
  std::exception_ptr error;

  void work() {
    inside_loop = true;
    try {
      for (std::size_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) function(context, task);
    } catch (...) {
      std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
      next.store(tasks, std::memory_order_relaxed);
    }
    inside_loop = false;
  }

  void worker() {
    std::uint64_t seen = 0;
    while (true) {
      for (int spin = 0; spin < spins && generation.load(std::memory_order_acquire) == seen; ++spin) relax();
      if (generation.load(std::memory_order_acquire) == seen) {
        std::unique_lock lock(sleep_mutex);
        sleepers.fetch_add(1);
        wake.wait(lock, [&] { return generation.load() != seen; });
        sleepers.fetch_sub(1);
      }
      ++seen;
      if (stop.load()) return;
      work();
      busy.fetch_sub(1, std::memory_order_release);
    }
  }

  void announce() {
    generation.fetch_add(1);
    if (sleepers.load() > 0) {
      std::lock_guard lock(sleep_mutex);
      wake.notify_all();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads > physical_cores()) state_->spins = kSpinsWithoutCore;
  for (int i = 1; i < threads; ++i) state_->workers.emplace_back([this] { state_->worker(); });
}

ThreadPool::~ThreadPool() {
  state_->stop = true;
  state_->announce();
  for (auto& worker : state_->workers) worker.join();
}

int ThreadPool::size() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::run(std::size_t tasks, Function function, const void* context) {
  State& s = *state_;
  if (tasks <= 1 || s.workers.empty() || inside_loop) {
    for (std::size_t task = 0; task < tasks; ++task) function(context, task);
    return;
  }
  std::lock_guard lock(s.turn);
  s.function = function;
  s.context = context;
  s.tasks = tasks;
  s.next.store(0, std::memory_order_relaxed);
  s.busy.store(static_cast<int>(s.workers.size()), std::memory_order_relaxed);
  s.announce();
  s.work();
  for (int spin = 0; s.busy.load(std::memory_order_acquire) > 0; ++spin) {
    if (spin < s.spins) relax();
    else std::this_thread::yield();
  }
  if (s.error) std::rethrow_exception(std::exchange(s.error, nullptr));
}

namespace {
std::mutex global_mutex;
std::unique_ptr<ThreadPool> global_pool;
std::atomic<ThreadPool*> global_pointer{nullptr};
}  // namespace

ThreadPool& ThreadPool::global() {
  if (ThreadPool* pool = global_pointer.load(std::memory_order_acquire)) return *pool;
  std::lock_guard lock(global_mutex);
  if (!global_pool) global_pool = std::make_unique<ThreadPool>(physical_cores());
  global_pointer.store(global_pool.get(), std::memory_order_release);
  return *global_pool;
}

void ThreadPool::set_global_threads(int threads) {
  std::lock_guard lock(global_mutex);
  global_pointer.store(nullptr);
  global_pool = std::make_unique<ThreadPool>(std::max(1, threads));
  global_pointer.store(global_pool.get(), std::memory_order_release);
}

}  // namespace polymath
