// Marian (Junczys-Dowmunt et al. 2018, arXiv:1804.00344; the translation models of OPUS-MT): BART's layers without
// layernorm_embedding, over sinusoidal positions.
#include "models/bart.h"

namespace polymath {

std::unique_ptr<Model> make_marian(const Config& c, Head head, const Scope& w) {
  return bart_writer(c, head, w, /*pre_norm=*/false, sinusoidal_embeddings);
}

}  // namespace polymath
