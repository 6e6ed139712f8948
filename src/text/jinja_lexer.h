// A template's source as tokens, as jinja2 3.1 cuts it with trim_blocks and lstrip_blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja_value.h"

namespace polymath::jinja {

enum class TokenType : std::uint8_t {
  kData, kBlockBegin, kBlockEnd, kVariableBegin, kVariableEnd, kName, kString, kInteger, kFloat, kOperator, kError, kEnd,
};

struct Token {
  TokenType type = TokenType::kEnd;
  int line = 1;
  std::string text;  // data, a name, a string's content, an operator, or what is wrong (kError)
  Value value;       // of numbers

  bool is(std::string_view op) const { return type == TokenType::kOperator && text == op; }
  bool is_name(std::string_view name) const { return type == TokenType::kName && text == name; }
};

// Never throws for what the source holds: an error is a token, so that one which a parser meets before it counts first.
std::vector<Token> tokenize(std::string_view source);

// A token as jinja2's messages name it: "end of print statement", ",", or the name itself.
std::string describe(const Token& token);

// A syntax error; the message gives its line.
[[noreturn]] void fail_syntax(const std::string& reason, int line);

}  // namespace polymath::jinja
