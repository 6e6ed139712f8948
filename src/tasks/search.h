// Search by meaning over text files: passages ranked by the cosine of sentence embeddings.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tasks/sentence_embedding.h"

namespace polymath {

// A few lines of a file.
struct Passage {
  std::string file;
  int first_line = 0, last_line = 0;  // counted from 1
  std::string text;                   // lines joined by spaces
};

// A text in passages: paragraphs, cut where they grow long; headings go with what follows.
std::vector<Passage> passages_of(const std::string& file, const std::string& text);

struct SearchHit {
  Passage passage;
  float score = 0;  // cosine
};

// Embeddings of files, kept in `cache_folder` ("": nowhere) under the model's and the content's hash: a file that
// changes is embedded anew, one that does not is read back.
class SearchIndex {
 public:
  SearchIndex(const SentenceEncoder& encoder, std::string model_key, std::string cache_folder)
      : encoder_(encoder), model_key_(std::move(model_key)), cache_folder_(std::move(cache_folder)) {}

  // progress(done, total) counts passages as they are embedded. Throws Error naming a file that cannot be read.
  void add_files(const std::vector<std::string>& files, const std::function<void(std::size_t done, std::size_t total)>& progress);
  std::vector<SearchHit> search(const std::string& query, std::size_t top_k) const;
  std::size_t size() const { return passages_.size(); }
  // Why the cache could not be read or written, or "": a full disk does not keep answers away.
  const std::string& cache_problem() const { return cache_problem_; }

 private:
  std::string cache_path(const std::string& content) const;
  bool read_cache(const std::string& path, std::size_t count, std::vector<float>& vectors);
  void write_cache(const std::string& path, const std::vector<float>& vectors);

  const SentenceEncoder& encoder_;
  std::string model_key_, cache_folder_, cache_problem_;
  std::vector<Passage> passages_;
  std::vector<float> vectors_;  // [passages][dimension], of length 1
};

// A key for a model's folder: its files' names, sizes and times of change.
std::string model_key_of(const std::string& folder);

}  // namespace polymath
