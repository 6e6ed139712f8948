// The post-processors of tokenizer.json: special tokens around the sequences, trimmed offsets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/tokenizer_json.h"
#include "text/encoding.h"

namespace polymath {

// Const use from many threads is safe.
class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  virtual int added_tokens(bool pair) const = 0;
  // Changes the sequences (one or two); they are merged in order afterwards.
  virtual void operator()(std::vector<Encoding>& sequences, bool add_special_tokens) const = 0;
  // What stands around the ids of a single sequence; false where it is not that simple.
  virtual bool around_single(std::vector<std::int32_t>& before, std::vector<std::int32_t>& after) const = 0;
};

std::shared_ptr<const PostProcessor> make_post_processor(const spec::PostProcessor& part);

}  // namespace polymath
