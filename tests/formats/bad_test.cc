// Every malformed checkpoint folder of tests/cases/bad/ is refused with one line that says what its expected.txt demands.
#include "formats/checkpoint.h"
#include "formats/config.h"
#include "support/refusals.h"

namespace polymath {
namespace {

TEST(BadCheckpoints, AreRefusedWithOneLine) {
  const auto is_meant = [](const std::string& name) { return !name.starts_with("tokenizer-") && !name.starts_with("sentences-"); };
  test::expect_refusals(is_meant, [](const std::string& folder) {
    const Config config = Config::load(folder);
    config.architecture();
    config.model_type();
    config.req<int>("hidden_size");
    const Checkpoint checkpoint = Checkpoint::open(folder);
    for (const auto& [name, tensor] : checkpoint.tensors()) checkpoint.find(name);
  }, 200);
}

}  // namespace
}  // namespace polymath
