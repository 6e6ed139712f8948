// Every malformed sentence-transformers folder of tests/cases/bad/ is refused with one line that names the file and what is wrong.
#include "support/refusals.h"
#include "tasks/sentence_embedding.h"

namespace polymath {
namespace {

TEST(BadSentenceTransformers, AreRefusedWithOneLine) {
  test::expect_refusals([](const std::string& name) { return name.starts_with("sentences-"); },
                        [](const std::string& folder) { SentenceEncoder::load(folder, LoadType::kAuto); }, 20);
}

}  // namespace
}  // namespace polymath
