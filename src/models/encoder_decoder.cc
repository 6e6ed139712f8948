#include "models/encoder_decoder.h"

namespace polymath {

Step shifted_right(const Step& source, const std::function<std::int32_t(std::span<const std::int32_t> ids)>& first) {
  Step target;
  for (int s = 0; s < source.sequences(); ++s) {
    const auto begin = static_cast<std::size_t>(source.begin[static_cast<std::size_t>(s)]), end = static_cast<std::size_t>(source.begin[static_cast<std::size_t>(s) + 1]);
    const auto columns = static_cast<std::size_t>(source.columns);
    const auto ids = source.padded_ids.empty() ? std::span(source.ids).subspan(begin, end - begin)
                                               : std::span(source.padded_ids).subspan(static_cast<std::size_t>(s) * columns, columns);
    if (ids.empty()) throw Error(ErrorCode::kInvalidArgument, "holds no tokens", "input_ids");
    std::vector<std::int32_t> shifted{first(ids)};
    shifted.insert(shifted.end(), ids.begin(), ids.end() - 1);
    target.add_sequence(shifted);
  }
  target.columns = source.columns;
  if (source.columns > 0) target.padded_ids = target.ids;
  return target;
}

Step no_missing_target(const Step&) { throw Error(ErrorCode::kInvalidArgument, "the tensor is missing, and this class does not derive it", "decoder_input_ids"); }

Scope first_with_weight(const std::vector<Scope>& names) {
  for (const Scope& name : names) {
    if (name.find("weight")) return name;
  }
  return names.front();
}

}  // namespace polymath
