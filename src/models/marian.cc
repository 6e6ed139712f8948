// Marian (Junczys-Dowmunt et al. 2018, arXiv:1804.00344; the translation models of OPUS-MT): BART's layers without
// layernorm_embedding, over sinusoidal positions.
#include "models/bart.h"

namespace polymath {

std::unique_ptr<Model> make_marian(const Config& c, Head head, const Scope& w) {
  if (head != Head::kBase && head != Head::kConditionalGeneration) no_such_head(c);
  const Scope model = w / "model";
  BartBody body(c, model, /*pre_norm=*/false, sinusoidal_embeddings(c, model, "encoder"), sinusoidal_embeddings(c, model, "decoder"));
  return encoder_decoder_model(std::move(body), bart_head(c, head, w));
}

}  // namespace polymath
