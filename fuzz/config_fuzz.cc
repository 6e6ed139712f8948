// A config.json is refused with an Error, or every field can be asked for as every type.
#include "base/bytes.h"
#include "formats/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using polymath::Config;
  using polymath::Error;
  const auto attempt = [](auto&& call) {
    try {
      call();
    } catch (const Error&) {
    }
  };
  attempt([&] {
    const Config config(polymath::parse_json(polymath::as_text({data, size}), "config.json"), "config.json");
    if (config.num_labels() < 0 || config.id2label().size() > 1'000'000) __builtin_trap();
    attempt([&] { config.architecture(); });
    attempt([&] { config.model_type(); });
    for (const auto& item : config.json().items()) {
      attempt([&] { config.req<int>(item.key()); });
      attempt([&] { config.opt<std::int64_t>(item.key(), 0); });
      attempt([&] { config.opt(item.key(), 1.0); });
      attempt([&] { config.opt(item.key(), false); });
      attempt([&] { config.opt<std::string>(item.key(), ""); });
      attempt([&] { config.nested(item.key()); });
    }
  });
  return 0;
}
