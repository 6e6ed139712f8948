// What tests of kernels share: numbers, and the same bits on every instruction set of this machine.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "kernels/kernels.h"

namespace polymath::test {

inline std::vector<float> random_values(std::size_t n, unsigned seed, float scale = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

// Runs make() on every instruction set; all must give the bits of the first. Returns them.
inline std::vector<float> same_on_all(const std::function<std::vector<float>()>& make) {
  std::vector<float> first;
  for (const std::string& isa : kernels::available_isas()) {
    EXPECT_TRUE(kernels::set_isa(isa));
    EXPECT_EQ(kernels::table().name, isa);
    const auto values = make();
    if (first.empty()) first = values;
    EXPECT_EQ(values.size(), first.size());
    EXPECT_EQ(std::memcmp(values.data(), first.data(), first.size() * sizeof(float)), 0) << "other bits on " << isa;
  }
  kernels::set_isa("");
  return first;
}

}  // namespace polymath::test
