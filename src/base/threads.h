// One pool of worker threads for the arithmetic of a process.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace polymath {

// The machine's physical cores that this process may use (hyper-threads counted once), at least 1.
int physical_cores();

// Runs loops over its workers and the calling thread. Thread safe: loops from
// several threads take turns; a loop started inside a loop runs on its own thread alone.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // the calling thread counts as one of them
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;

  int size() const;

  // Calls body(task) once for every task in [0, tasks), in any order, on any thread, and
  // returns when all are done. The first exception that a body throws is thrown again here.
  template <class Body>
  void parallel_for(std::size_t tasks, const Body& body) {
    run(tasks, [](const void* context, std::size_t task) { (*static_cast<const Body*>(context))(task); }, &body);
  }

  // The pool that ops use; made with physical_cores() threads on first use.
  static ThreadPool& global();
  // Replaces the global pool. Not to be called while ops run.
  static void set_global_threads(int threads);

 private:
  using Function = void (*)(const void* context, std::size_t task);
  void run(std::size_t tasks, Function function, const void* context);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace polymath
