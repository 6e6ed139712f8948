// Tokens to a tree, by jinja2's grammar.
#pragma once

#include <string_view>
#include <vector>

#include "text/jinja_ast.h"

namespace polymath::jinja {

// Expressions in expressions, and statements in statements; long chains of operators count, too.
inline constexpr int kMaxParseDepth = 200, kMaxTreeDepth = 250;

// The statements of a template. Throws Error{kBadFile} whose `where` is "line N", or Error{kResource}.
std::vector<NodePtr> parse(std::string_view source);

}  // namespace polymath::jinja
