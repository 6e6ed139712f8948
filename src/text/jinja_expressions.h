// Expressions of templates, by jinja2's grammar; the base of the parser of statements.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja_ast.h"
#include "text/jinja_lexer.h"
#include "text/jinja_parser.h"
#include "text/python_text.h"

namespace polymath::jinja {

class ExpressionParser {
 protected:
  explicit ExpressionParser(std::string_view source) : tokens_(tokenize(source)) { check(); }

  // Tokens.

  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() {
    const std::size_t next = std::min(at_ + 1, tokens_.size() - 1);
    if (tokens_[next].type == TokenType::kError) fail_syntax(tokens_[next].text, tokens_[next].line);
    return tokens_[next];
  }
  void check() {
    if (current().type == TokenType::kError) fail_syntax(current().text, current().line);
  }
  const Token& next() {
    const Token& token = current();
    if (at_ + 1 < tokens_.size()) ++at_;
    check();
    return token;
  }
  bool skip_name(std::string_view name) {
    if (!current().is_name(name)) return false;
    next();
    return true;
  }
  bool skip_op(std::string_view op) {
    if (!current().is(op)) return false;
    next();
    return true;
  }
  [[noreturn]] void fail(const std::string& reason) { fail_syntax(reason, current().line); }
  [[noreturn]] void fail_expected(const std::string& expected) {
    if (current().type == TokenType::kEnd) fail("unexpected end of template, expected " + python::repr(expected) + ".");
    fail("expected token " + python::repr(expected) + ", got " + python::repr(describe(current())));
  }
  const Token& expect(TokenType type, const char* description) {
    if (current().type != type) fail_expected(description);
    return next();
  }
  const Token& expect_name() { return expect(TokenType::kName, "name"); }
  void expect_name(std::string_view name) {
    if (!current().is_name(name)) fail_expected(std::string(name));
    next();
  }
  void expect_op(std::string_view op) {
    if (!current().is(op)) fail_expected(std::string(op));
    next();
  }

  // Trees.

  class Level {
   public:
    explicit Level(ExpressionParser& p) : p_(p) {
      if (++p_.depth_ > kMaxParseDepth) {
        throw Error(ErrorCode::kResource, "tags or expressions are nested deeper than " + std::to_string(kMaxParseDepth) + " levels",
                    "line " + std::to_string(p_.current().line));
      }
    }
    ~Level() { --p_.depth_; }

   private:
    ExpressionParser& p_;
  };

  static NodePtr make(NodeKind kind, int line) { return std::make_unique<Node>(kind, line); }

  // Sets a node's depth once its children are there.
  static NodePtr done(NodePtr node) {
    node->for_each_child([&](const Node& child) { node->depth = std::max(node->depth, child.depth + 1); });
    if (node->depth > kMaxTreeDepth) {
      throw Error(ErrorCode::kResource, "an expression has more than " + std::to_string(kMaxTreeDepth) + " levels", "line " + std::to_string(node->line));
    }
    return node;
  }

  static NodePtr constant(Value value, int line) {
    NodePtr node = make(NodeKind::kConst, line);
    node->value = std::move(value);
    return node;
  }

  static NodePtr pair(NodeKind kind, NodePtr x, NodePtr y, int line, std::string name = {}) {
    NodePtr node = make(kind, line);
    node->name = std::move(name);
    node->x = std::move(x);
    node->y = std::move(y);
    return done(std::move(node));
  }

  // Expressions.

  struct TupleOptions {
    bool simple = false, conditional = true;
    bool parenthesized = false, namespaces = false;
  };

  NodePtr tuple(const TupleOptions& options);
  NodePtr tuple() { return tuple(TupleOptions{}); }
  NodePtr expression(bool conditional = true);
  // A chain of filters over `value`; inline_start: the first one stands there without its "|".
  NodePtr filter(NodePtr value, bool inline_start);

 private:
  NodePtr conditional_expression();
  NodePtr or_expression();
  NodePtr and_expression();
  NodePtr not_expression();
  NodePtr comparison();
  NodePtr sum();
  NodePtr concatenation();
  NodePtr product();
  NodePtr power();
  NodePtr unary(bool with_filter = true);
  NodePtr primary(bool namespaces = false);
  NodePtr list();
  NodePtr dict();
  NodePtr postfix(NodePtr node);
  NodePtr filters(NodePtr node);
  NodePtr subscript(NodePtr value);
  NodePtr subscribed();
  void call_arguments(Node& node);
  NodePtr call(NodePtr callee);
  std::string dotted_name();
  NodePtr test(NodePtr value);

 protected:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;

 private:
  int depth_ = 0;
};

}  // namespace polymath::jinja
