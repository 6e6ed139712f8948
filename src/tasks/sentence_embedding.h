// Sentence embeddings from a sentence-transformers folder: modules.json says what follows the transformer.
// Source: the folders that SentenceTransformer.save() writes (Reimers and Gurevych 2019, arXiv:1908.10084).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/model.h"
#include "text/pretrained_tokenizer.h"
#include "train/contrastive.h"

namespace polymath {

// Const and thread safe once loaded.
class SentenceEncoder {
 public:
  // A folder with modules.json; without one, any encoder checkpoint with mean pooling and normalization.
  // Throws Error naming the file and field at fault.
  static SentenceEncoder load(const std::string& folder, LoadType type);
  ~SentenceEncoder();
  SentenceEncoder(SentenceEncoder&&) noexcept;

  std::int64_t dimension() const;
  // One vector a text, [texts][dimension]. Long texts are cut at the folder's max_seq_length.
  std::vector<std::vector<float>> encode(const std::vector<std::string>& texts) const;

  // For training: the tokens that encode() reads, at most `most` (0: no other limit than the folder's), and the one pooling
  // that makes a vector of them. Throws Error where there is more between them and the vector than a pooling and a normalization.
  Encoding tokens(const std::string& text, std::int64_t most) const;
  SentencePooling pooling_to_train(const std::string& folder) const;
  bool normalizes() const;  // a vector's length is 1

 private:
  struct Parts;
  explicit SentenceEncoder(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace polymath
