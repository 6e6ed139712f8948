#include "text/tokenizer_model.h"

#include "base/printable.h"
#include "polymath/error.h"

namespace polymath {
namespace {

class WordLevel final : public TokenizerModel {
 public:
  WordLevel(const spec::Model& model, std::shared_ptr<const void> storage) : TokenizerModel(model, std::move(storage), TokenizerModelKind::kWordLevel) {}

  void tokenize(std::string_view word, std::vector<ModelToken>& out) const override {
    const std::int32_t id = vocabulary_.find(word);
    out.push_back({id >= 0 ? id : require_unknown(), 0, static_cast<std::uint32_t>(word.size())});
  }
};

}  // namespace

TokenizerModel::TokenizerModel(const spec::Model& model, std::shared_ptr<const void> storage, TokenizerModelKind kind)
    : vocabulary_(model.vocab, std::move(storage)),
      kind_(kind),
      prefix_(model.continuing_subword_prefix.value_or("")),
      unk_token_(model.unk_token),
      unk_id_(model.unk_token ? vocabulary_.find(*model.unk_token) : -1) {}

std::int32_t TokenizerModel::require_unknown() const {
  if (unk_id_ >= 0) return unk_id_;
  throw Error(ErrorCode::kInvalidArgument,
              unk_token_ ? "the text has a word that the tokenizer does not know, and its unk_token \"" + printable(*unk_token_) + "\" is not in the vocabulary"
                         : "the text has a word that the tokenizer does not know, and it has no unknown token");
}

std::string TokenizerModel::text_of(const ModelToken& token, std::string_view) const {
  return std::string(vocabulary_.token(token.id).value_or(std::string_view()));
}

std::shared_ptr<const TokenizerModel> make_tokenizer_model(const spec::Model& model, std::shared_ptr<const void> storage, const std::string& where) {
  switch (model.kind) {
    case spec::Model::kWordPiece: return make_wordpiece(model, std::move(storage));
    case spec::Model::kBpe: return make_bpe(model, std::move(storage), where);
    case spec::Model::kUnigram: return make_unigram(model, std::move(storage));
    case spec::Model::kWordLevel: break;
  }
  return std::make_shared<WordLevel>(model, std::move(storage));
}

}  // namespace polymath
