// Parameters of a generation call are refused with an Error, or scores go through their processors; a saved conversation is
// refused, or has messages as they should be.
#include <cmath>

#include "base/bytes.h"
#include "generate/decoding.h"
#include "generate/processors.h"
#include "json_mutator.h"
#include "tasks/chat.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace polymath;
  const std::string_view text = as_text({data, size});
  try {
    const Json saved = ChatSession::parse_saved(text, "chat.json");
    for (const Json& m : saved["messages"]) {
      if (!m["role"].is_string() || !m["content"].is_string()) __builtin_trap();
    }
  } catch (const Error&) {
  }
  try {
    const Json parameters = parse_json(text, "parameters");
    if (!parameters.is_object()) return 0;
    Json fields = global_generation_defaults();
    for (const auto& [name, value] : parameters.items()) fields[name] = value;
    const GenerationConfig config = GenerationConfig::parse(fields, "parameters: ");
    DecodingInput input{.ids = {1, 5, 7, 5, 7}, .max_positions = 64};
    const Lengths lengths = lengths_of(config, input);
    if (lengths.max_length <= 5) __builtin_trap();
    const auto processors = logits_processors(config, {.prompt_length = 5, .max_length = lengths.max_length, .min_length = lengths.min_length, .vocabulary = 24,
                                                       .encoder_ids = input.ids});
    for (int step = 0; step < 3; ++step) {
      std::vector<float> scores(24);
      for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = std::sin(static_cast<float>(i * 7 + static_cast<std::size_t>(step)));
      apply(processors, input.ids, scores);
      input.ids.push_back(static_cast<std::int32_t>(step * 5));
    }
  } catch (const Error&) {
  }
  return 0;
}
