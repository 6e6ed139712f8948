// Runs a fuzz target once over every file in the folders and files named as arguments. With --slow it also fails on those that
// take more than 25 ms of processor time per KB (and 5 ms in all, for the smallest), best of three.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  int count = 0, slow = 0;
  bool timed = false;
  auto replay = [&](const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(file)), {});
    const double allowed = 5 + 25 * static_cast<double>(content.size()) / 1024;
    double best = 1e9;
    for (int run = 0; run < (timed ? 3 : 1) && best > allowed; ++run) {
      const std::clock_t start = std::clock();
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
      best = std::min(best, 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    ++count;
    if (!timed || best <= allowed) return;
    ++slow;
    std::cout << path.string() << ": " << content.size() << " bytes took " << best << " ms\n";
  };
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--slow") timed = true;
    else if (std::filesystem::is_directory(argv[i])) {
      for (auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
        if (entry.is_regular_file()) replay(entry.path());
      }
    } else replay(argv[i]);
  }
  std::cout << count << " inputs replayed\n";
  return count > 0 && slow == 0 ? 0 : 1;
}
