// The state of a training outlives its process, whenever that ends, and a disk that is full.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "polymath/error.h"
#include "support/program.h"
#include "train/training_state.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

// All values are the state's number, so that a mixture of two states would show.
void write_state(const TrainingState& state, int number) {
  const std::vector<float> values(20000, static_cast<float>(number));
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float));
  state.write({{"a", DType::kF32, {20000}, bytes}, {"b", DType::kF32, {100, 200}, bytes}}, {{"number", number}});
}

// The number of the state that is there; -1: there is none.
int number_in(const TrainingState& state) {
  if (!state.exists()) return -1;
  const TrainingState::Kept kept = state.read();
  const int number = kept.progress.at("number").get<int>();
  EXPECT_EQ(kept.tensors.size(), 2u);
  for (const TensorView& t : kept.tensors) {
    for (std::size_t i = 0; i < 20000; ++i) {
      float value;
      std::memcpy(&value, t.data.data() + 4 * i, 4);
      if (value != static_cast<float>(number)) {
        ADD_FAILURE() << "state " << number << " holds " << value;
        return number;
      }
    }
  }
  return number;
}

TEST(TrainingState, OutlivesFiveHundredKills) {
  const std::string folder = test::scratch_path("killed");
  fs::remove_all(folder);
  fs::create_directory(folder);
  const TrainingState state(folder);
  std::mt19937 random(5);
  int before = -1, grown = 0;
  for (int kill_number = 0; kill_number < 500; ++kill_number) {
    int arrived[2];
    ASSERT_EQ(::pipe(arrived), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int number = before + 1;; ++number) {
        write_state(state, number);
        if (::write(arrived[1], &number, sizeof number) != sizeof number) ::_exit(1);
      }
    }
    ::close(arrived[1]);
    ::usleep(static_cast<useconds_t>(random() % 6000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    int last = before, number = 0;
    while (::read(arrived[0], &number, sizeof number) == sizeof number) last = number;
    ::close(arrived[0]);
    state.clean();
    const int found = number_in(state);
    // What was reported as written is there; the one after it may be.
    ASSERT_TRUE(found == last || found == last + 1) << found << " after " << last;
    grown += found > before;
    before = found;
  }
  EXPECT_GT(grown, 100);  // the kills came between writes and within them
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder + "/.training")) ++files;
  EXPECT_EQ(files, 1u);
}

TEST(TrainingState, OutlivesAFullDisk) {
  const std::string folder = test::scratch_path("full");
  fs::remove_all(folder);
  fs::create_directory(folder);
  const TrainingState state(folder);
  write_state(state, 1);
  // No file may grow above 50 kB: what a full disk does to a write.
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small { 50000, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string why = "no error";
  try {
    write_state(state, 2);
  } catch (const Error& e) {
    why = e.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_NE(why.find("state.safetensors"), std::string::npos) << why;
  EXPECT_EQ(number_in(state), 1);
  write_state(state, 3);
  EXPECT_EQ(number_in(state), 3);
}

TEST(TrainingState, RefusesWhatIsNone) {
  const std::string folder = test::scratch_path("none");
  fs::remove_all(folder);
  fs::create_directories(folder + "/.training");
  const TrainingState state(folder);
  EXPECT_FALSE(state.exists());
  write_file_atomically(state.path(), "nonsense");
  EXPECT_THROW(state.read(), Error);
  write_safetensors(state.path(), {});
  EXPECT_THROW(state.read(), Error);
}

}  // namespace
}  // namespace polymath
