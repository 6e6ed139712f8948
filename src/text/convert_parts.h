// The parts that convert_slow.cc and convert_sentencepiece.cc put together.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_json.h"
#include "text/pretrained_tokenizer.h"

namespace polymath::convert {

bool flag(const TokenizerSettings& settings, const char* name, bool missing);
int whole(const TokenizerSettings& settings, const char* name, int missing, int most);

// The id of a token in the model's vocabulary (the last where it is there twice), among the spec's added tokens or among those
// of the folder. Throws Error naming the token.
std::int32_t id_of(const TokenizerSpec& spec, const TokenizerSettings& settings, std::string_view token);

// A template as Transformers writes it: "[CLS]:0 $A:0 [SEP]:0", "<s> $A </s>"; the type is 0 where none is given.
spec::PostProcessor template_of(const TokenizerSpec& spec, const TokenizerSettings& settings, const std::string& single, const std::string& pair);

spec::Normalizer normalizer(spec::Normalizer::Kind kind);
spec::Normalizer replace(bool is_regex, std::string pattern, std::string content);
spec::Normalizer sequence(std::vector<spec::Normalizer> parts);
spec::Decoder decoder(spec::Decoder::Kind kind);

// Adds tokens as Tokenizer.add_tokens does: one that the vocabulary has keeps its id.
void add_token(TokenizerSpec& spec, std::string content, bool special);

std::optional<TokenizerSpec> from_sentencepiece(const TokenizerSettings& settings);

}  // namespace polymath::convert
