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

  // The running loop: written before `open` says that it has tasks, read by whoever took one of them, and left alone
  // until all of them are done. A worker that comes late finds nothing to take and keeps nobody waiting.
  Function function = nullptr;
  const void* context = nullptr;
  std::size_t tasks = 0;
  std::atomic<std::size_t> open{0};  // tasks that nobody has taken yet
  std::atomic<std::size_t> done{0};

  std::atomic<bool> stop{false};
  std::mutex sleep_mutex;
  std::condition_variable wake;
  std::atomic<int> sleepers{0};

  std::mutex error_mutex;
  std::exception_ptr error;

  // Takes a task of the running loop: its number from the end; 0 where there is none.
  std::size_t take() {
    std::size_t left = open.load(std::memory_order_relaxed);
    while (left > 0 && !open.compare_exchange_weak(left, left - 1, std::memory_order_acquire, std::memory_order_relaxed)) {}
    return left;
  }

  void work() {
    inside_loop = true;
    while (const std::size_t left = take()) {
      try {
        function(context, tasks - left);
      } catch (...) {
        {
          std::lock_guard lock(error_mutex);
          if (!error) error = std::current_exception();
        }
        done.fetch_add(open.exchange(0, std::memory_order_acquire), std::memory_order_release);  // the rest is not begun
      }
      done.fetch_add(1, std::memory_order_release);
    }
    inside_loop = false;
  }

  void worker() {
    while (!stop.load()) {
      for (int spin = 0; spin < spins && open.load(std::memory_order_relaxed) == 0; ++spin) relax();
      if (open.load(std::memory_order_relaxed) == 0) {
        std::unique_lock lock(sleep_mutex);
        sleepers.fetch_add(1);
        wake.wait(lock, [&] { return open.load() > 0 || stop.load(); });
        sleepers.fetch_sub(1);
      }
      work();
    }
  }

  void wake_sleepers() {
    if (sleepers.load() == 0) return;
    std::lock_guard lock(sleep_mutex);
    wake.notify_all();
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads > physical_cores()) state_->spins = kSpinsWithoutCore;
  for (int i = 1; i < threads; ++i) state_->workers.emplace_back([this] { state_->worker(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->sleep_mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
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
  s.done.store(0, std::memory_order_relaxed);
  s.open.store(tasks);  // before sleepers are counted: one that is about to sleep sees it
  s.wake_sleepers();
  s.work();
  for (int spin = 0; s.done.load(std::memory_order_acquire) < tasks; ++spin) {
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
