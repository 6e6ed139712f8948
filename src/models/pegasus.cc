// PEGASUS (Zhang et al. 2019, arXiv:1912.08777): BART with norms before a layer's parts, over sinusoidal positions.
#include "models/bart.h"

namespace polymath {

std::unique_ptr<Model> make_pegasus(const Config& c, Head head, const Scope& w) {
  if (head != Head::kBase && head != Head::kConditionalGeneration) no_such_head(c);
  const Scope model = w / "model";
  BartBody body(c, model, /*pre_norm=*/true, sinusoidal_embeddings(c, model, "encoder"), sinusoidal_embeddings(c, model, "decoder"));
  return encoder_decoder_model(std::move(body), bart_head(c, head, w));
}

}  // namespace polymath
