// The first byte says how long a text is that follows; the rest is a .model. It is refused with an Error, or the text can be
// encoded and its pieces decoded.
#include "text/sentencepiece.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t length = std::min<std::size_t>(data[0], size - 1);
  const std::string text(polymath::as_text({data + 1, length}));
  try {
    const polymath::SentencePiece model(polymath::parse_sentencepiece_model({data + 1 + length, size - 1 - length}, "input"), "input");
    std::vector<std::string> pieces;
    for (const auto& token : model.encode(text)) {
      if (token.id < 0 || token.id >= model.size()) __builtin_trap();
      pieces.push_back(token.piece);
    }
    for (const auto& entry : model.model().pieces) pieces.push_back(entry.piece);
    model.decode(pieces);
  } catch (const polymath::Error&) {
  }
  return 0;
}
