// PEGASUS (Zhang et al. 2019, arXiv:1912.08777): BART with norms before a layer's parts, over sinusoidal positions.
#include "models/bart.h"

namespace polymath {

std::unique_ptr<Model> make_pegasus(const Config& c, Head head, const Scope& w) {
  return bart_writer(c, head, w, /*pre_norm=*/true, sinusoidal_embeddings);
}

}  // namespace polymath
