#include "text/post_processor.h"

#include <algorithm>
#include <utility>

#include "polymath/error.h"
#include "text/normalized_string.h"
#include "text/unicode.h"

namespace polymath {
namespace {

bool is_space(char32_t c) { return c == 0x120 || unicode::is_whitespace(c); }  // U+0120 is the byte-level space

// Takes white space at the ends of tokens out of their offsets.
void trim_offsets_of(Encoding& encoding, bool add_prefix_space) {
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    const std::string& token = encoding.tokens[i];
    std::uint32_t leading = 0, trailing = 0, length = 0;
    for (CodePoints points(token); !points.done();) {
      const bool space = is_space(points.next());
      if (space && leading == length) ++leading;
      trailing = space ? trailing + 1 : 0;
      ++length;
    }
    Span& offset = encoding.offsets[i];
    if (leading > 0) {
      // A single space before the first word is the one that the tokenizer put there.
      const bool is_first = i == 0 || offset[0] == 0;
      if (is_first && add_prefix_space && leading == 1) leading = 0;
      offset[0] = std::min(offset[0] + leading, offset[1]);
    }
    if (trailing > 0 && offset[1] >= trailing) offset[1] = std::max(offset[1] - trailing, offset[0]);
  }
}

void trim_offsets(std::vector<Encoding>& sequences, bool add_prefix_space) {
  for (Encoding& sequence : sequences) {
    trim_offsets_of(sequence, add_prefix_space);
    for (Encoding& part : sequence.overflowing) trim_offsets_of(part, add_prefix_space);
  }
}

class ByteLevel final : public PostProcessor {
 public:
  explicit ByteLevel(const spec::PostProcessor& part) : trim_(part.trim_offsets), add_prefix_space_(part.add_prefix_space) {}
  int added_tokens(bool) const override { return 0; }
  void operator()(std::vector<Encoding>& sequences, bool) const override {
    if (trim_) trim_offsets(sequences, add_prefix_space_);
    for (std::size_t i = 0; i < sequences.size() && i < 2; ++i) sequences[i].set_sequence(static_cast<int>(i));
  }
  bool around_single(std::vector<std::int32_t>&, std::vector<std::int32_t>&) const override { return true; }

 private:
  bool trim_, add_prefix_space_;
};

// [CLS] A [SEP] B [SEP], and RoBERTa's <s> A </s></s> B </s> with all type ids 0.
class BertLike final : public PostProcessor {
 public:
  explicit BertLike(const spec::PostProcessor& part) : part_(part), roberta_(part.kind == spec::PostProcessor::kRoberta) {}
  int added_tokens(bool pair) const override { return pair ? (roberta_ ? 4 : 3) : 2; }

  void operator()(std::vector<Encoding>& sequences, bool add_special_tokens) const override {
    if (roberta_) {
      if (part_.trim_offsets) trim_offsets(sequences, part_.add_prefix_space);
      for (Encoding& sequence : sequences) std::fill(sequence.type_ids.begin(), sequence.type_ids.end(), 0);
    }
    if (!add_special_tokens) return;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      std::vector<Encoding> parts;
      for (const Encoding& part : sequences[i].overflowing) parts.push_back(surround(part, i));
      Encoding whole = surround(sequences[i], i);
      whole.overflowing = std::move(parts);
      sequences[i] = std::move(whole);
    }
  }

  bool around_single(std::vector<std::int32_t>& before, std::vector<std::int32_t>& after) const override {
    before.push_back(part_.cls.second);
    after.push_back(part_.sep.second);
    return true;
  }

 private:
  Encoding surround(const Encoding& sequence, std::size_t index) const {
    Encoding out;
    const std::int32_t type = index > 0 && !roberta_ ? 1 : 0;
    if (index == 0) out.add(part_.cls.second, part_.cls.first, {0, 0}, -1, true, 0);
    else if (roberta_) out.add(part_.sep.second, part_.sep.first, {0, 0}, -1, true, 0);
    const std::size_t begin = out.size();
    Encoding body = sequence;
    body.overflowing.clear();
    body.ranges = {};
    std::fill(body.special_tokens_mask.begin(), body.special_tokens_mask.end(), std::uint8_t{0});
    std::fill(body.attention_mask.begin(), body.attention_mask.end(), std::uint8_t{1});
    if (roberta_) std::fill(body.type_ids.begin(), body.type_ids.end(), 0);
    out.merge(body);
    out.ranges[index > 0 ? 1 : 0] = {begin, out.size()};
    out.add(part_.sep.second, part_.sep.first, {0, 0}, -1, true, type);
    return out;
  }

  spec::PostProcessor part_;
  bool roberta_;
};

class Template final : public PostProcessor {
 public:
  explicit Template(const spec::PostProcessor& part) : part_(part) {}

  int added_tokens(bool pair) const override {
    std::size_t count = 0;
    for (const auto& piece : pair ? part_.pair : part_.single) {
      if (piece.sequence < 0) count += part_.special_tokens[piece.special_token].ids.size();
    }
    return static_cast<int>(std::min<std::size_t>(count, INT32_MAX));
  }

  void operator()(std::vector<Encoding>& sequences, bool add_special_tokens) const override {
    if (sequences.empty() || sequences.size() > 2) {
      throw Error(ErrorCode::kUnsupported, "a TemplateProcessing cannot follow another post-processor that adds tokens", "post_processor");
    }
    std::vector<Encoding> out;
    for (const auto& piece : sequences.size() > 1 ? part_.pair : part_.single) {
      if (piece.sequence >= 0) {
        Encoding& sequence = sequences[static_cast<std::size_t>(piece.sequence)];
        std::fill(sequence.type_ids.begin(), sequence.type_ids.end(), piece.type_id);
        sequence.set_sequence(piece.sequence);
        out.push_back(sequence);
      } else if (add_special_tokens) {
        const spec::SpecialToken& token = part_.special_tokens[piece.special_token];
        Encoding special;
        for (std::size_t i = 0; i < token.ids.size(); ++i) special.add(token.ids[i], token.tokens[i], {0, 0}, -1, true, piece.type_id);
        out.push_back(std::move(special));
      }
    }
    sequences = std::move(out);
  }

  bool around_single(std::vector<std::int32_t>& before, std::vector<std::int32_t>& after) const override {
    int sequences = 0;
    for (const auto& piece : part_.single) {
      if (piece.sequence >= 0) {
        ++sequences;
        continue;
      }
      const auto& ids = part_.special_tokens[piece.special_token].ids;
      auto& side = sequences > 0 ? after : before;
      side.insert(side.end(), ids.begin(), ids.end());
    }
    return sequences == 1;
  }

 private:
  spec::PostProcessor part_;
};

class Sequence final : public PostProcessor {
 public:
  explicit Sequence(const spec::PostProcessor& part) {
    for (const auto& item : part.processors) parts_.push_back(make_post_processor(item));
  }
  int added_tokens(bool pair) const override {
    std::int64_t count = 0;
    for (const auto& part : parts_) count += part->added_tokens(pair);
    return static_cast<int>(std::min<std::int64_t>(count, INT32_MAX));
  }
  void operator()(std::vector<Encoding>& sequences, bool add_special_tokens) const override {
    for (const auto& part : parts_) (*part)(sequences, add_special_tokens);
  }
  bool around_single(std::vector<std::int32_t>& before, std::vector<std::int32_t>& after) const override {
    int adding = 0;  // the parts see more sequences after one that adds tokens
    for (const auto& part : parts_) {
      if (part->added_tokens(false) > 0) ++adding;
      if (adding > 1 || !part->around_single(before, after)) return false;
    }
    return true;
  }

 private:
  std::vector<std::shared_ptr<const PostProcessor>> parts_;
};

}  // namespace

std::shared_ptr<const PostProcessor> make_post_processor(const spec::PostProcessor& part) {
  using P = spec::PostProcessor;
  switch (part.kind) {
    case P::kTemplate: return std::make_shared<Template>(part);
    case P::kBert:
    case P::kRoberta: return std::make_shared<BertLike>(part);
    case P::kByteLevel: return std::make_shared<ByteLevel>(part);
    case P::kSequence: break;
  }
  return std::make_shared<Sequence>(part);
}

}  // namespace polymath
