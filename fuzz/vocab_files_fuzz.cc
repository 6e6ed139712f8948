// The first byte says which file the rest is: vocab.txt, vocab.json, or merges.txt in one of its styles. It is refused with an
// Error, or every token can be read.
#include "formats/vocab_files.h"

#include <numeric>

#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace polymath;
  if (size == 0) return 0;
  const std::string_view text = as_text({data + 1, size - 1});
  volatile unsigned sink = 0;
  const auto read = [&](std::string_view part) { sink = std::accumulate(part.begin(), part.end(), static_cast<unsigned>(sink)); };
  try {
    if (data[0] % 5 < 2) {
      const VocabFile file = data[0] % 5 == 0 ? parse_vocab_txt(std::string(text), "input") : parse_vocab_json(text, "input");
      for (const auto& [token, id] : file.tokens) {
        read(token);
        if (id < 0) __builtin_trap();
      }
    } else {
      for (const auto& [left, right] : parse_merges(std::string(text), static_cast<MergesStyle>(data[0] % 5 - 2), "input").merges) {
        read(left);
        read(right);
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
