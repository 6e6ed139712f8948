// Up to the first NUL: a template; behind it: the JSON of a conversation's variables. It is refused with an Error, or it renders the same
// text twice, within limits that are small enough for a fuzzer.
#include "base/bytes.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "text/jinja_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace polymath;
  const std::string_view all = as_text({data, size});
  const std::size_t end = std::min(all.find('\0'), all.size());
  Json variables = Json::parse(R"({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Żółw ß 😀"},
      {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, 2.5, true]}}}]}],
      "tools": null, "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>"})");
  JinjaTemplate::Options options;
  options.limits = {.steps = 20'000, .output = std::size_t{1} << 20, .memory = std::size_t{16} << 20, .depth = 400};
  options.civil_now = 1'709'211'909;
  try {
    if (end < all.size()) {
      const Json given = parse_json(all.substr(end + 1), "variables");
      for (const auto& [name, value] : given.items()) variables[name] = value;
    }
    const JinjaTemplate parsed(all.substr(0, end), "input");
    const std::string text = parsed.render(variables, options);
    if (!utf8_valid(text) || text != parsed.render(variables, options)) __builtin_trap();
  } catch (const Error& e) {
    if (e.reason.find('\n') != std::string::npos) __builtin_trap();
  }
  return 0;
}
