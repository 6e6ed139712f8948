#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace polymath {
namespace {

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (int threads : {1, 2, 3, 4, 8}) {
    ThreadPool pool(threads);
    for (std::size_t tasks : {0u, 1u, 2u, 7u, 1000u}) {
      std::vector<std::atomic<int>> count(tasks);
      pool.parallel_for(tasks, [&](std::size_t i) { ++count[i]; });
      for (auto& c : count) ASSERT_EQ(c, 1);
    }
  }
}

TEST(ThreadPool, PassesOnAnExceptionAndGoesOn) {
  ThreadPool pool(3);
  EXPECT_THROW(pool.parallel_for(100, [](std::size_t i) { if (i == 50) throw std::runtime_error("x"); }), std::runtime_error);
  std::atomic<int> sum{0};
  pool.parallel_for(10, [&](std::size_t i) { sum += static_cast<int>(i); });
  EXPECT_EQ(sum, 45);
}

TEST(ThreadPool, TakesLoopsFromManyThreadsAndLoopsInLoops) {
  ThreadPool pool(2);
  std::atomic<int> sum{0};
  std::vector<std::thread> users;
  for (int u = 0; u < 4; ++u) {
    users.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        pool.parallel_for(4, [&](std::size_t) { pool.parallel_for(2, [&](std::size_t) { ++sum; }); });
      }
    });
  }
  for (auto& user : users) user.join();
  EXPECT_EQ(sum, 4 * 200 * 8);
}

}  // namespace
}  // namespace polymath
