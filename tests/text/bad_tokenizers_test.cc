// Every malformed tokenizer folder of tests/cases/bad/ is refused with one line that names the file and what is wrong.
#include "support/refusals.h"
#include "text/pretrained_tokenizer.h"

namespace polymath {
namespace {

TEST(BadTokenizers, AreRefusedWithOneLine) {
  test::expect_refusals([](const std::string& name) { return name.starts_with("tokenizer-"); },
                        [](const std::string& folder) { PretrainedTokenizer::load(folder); }, 150);
}

}  // namespace
}  // namespace polymath
