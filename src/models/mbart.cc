// mBART (Liu et al. 2020, arXiv:2001.08210; mBART-50: 2008.00401): BART with norms before a layer's parts.
#include "models/bart.h"

#include <algorithm>

#include "polymath/error.h"

namespace polymath {

std::unique_ptr<Model> make_mbart(const Config& c, Head head, const Scope& w) {
  // A missing target begins with the source's language, its last token that is no padding, counted from the left.
  const auto pad = c.opt<std::int64_t>("pad_token_id", 1);
  const auto language = [pad](std::span<const std::int32_t> ids) {
    const auto count = static_cast<std::size_t>(std::count_if(ids.begin(), ids.end(), [pad](std::int32_t id) { return id != pad; }));
    if (count == 0) throw Error(ErrorCode::kInvalidArgument, "a sequence is padding only", "input_ids");
    return ids[count - 1];
  };
  return encoder_decoder_model(BartBody(c, w / "model", /*pre_norm=*/true, learned_embeddings), bart_head(c, head, w),
                               [language](const Step& source) { return shifted_right(source, language); });
}

}  // namespace polymath
