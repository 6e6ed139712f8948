#include "text/jinja_expressions.h"

#include <array>

#include "base/utf8.h"

namespace polymath::jinja {

NodePtr ExpressionParser::tuple(const TupleOptions& options) {
  int line = current().line;
  std::vector<NodePtr> items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty()) expect_op(",");
    const TokenType type = current().type;
    if (type == TokenType::kVariableEnd || type == TokenType::kBlockEnd || current().is(")")) break;
    items.push_back(options.simple ? primary(options.namespaces) : expression(options.conditional));
    if (!current().is(",")) break;
    is_tuple = true;
    line = current().line;
  }
  if (!is_tuple) {
    if (!items.empty()) return std::move(items[0]);
    if (!options.parenthesized) fail("Expected an expression, got " + python::repr(describe(current())));
  }
  NodePtr node = make(NodeKind::kTuple, line);
  node->list = std::move(items);
  return done(std::move(node));
}

NodePtr ExpressionParser::expression(bool conditional) {
  Level level(*this);
  return conditional ? conditional_expression() : or_expression();
}

NodePtr ExpressionParser::conditional_expression() {
  int line = current().line;
  NodePtr value = or_expression();
  while (skip_name("if")) {
    NodePtr node = make(NodeKind::kConditional, line);
    node->x = or_expression();
    node->y = std::move(value);
    if (skip_name("else")) node->z = expression();
    value = done(std::move(node));
    line = current().line;
  }
  return value;
}

NodePtr ExpressionParser::or_expression() {
  int line = current().line;
  NodePtr left = and_expression();
  while (skip_name("or")) {
    left = pair(NodeKind::kOr, std::move(left), and_expression(), line);
    line = current().line;
  }
  return left;
}

NodePtr ExpressionParser::and_expression() {
  int line = current().line;
  NodePtr left = not_expression();
  while (skip_name("and")) {
    left = pair(NodeKind::kAnd, std::move(left), not_expression(), line);
    line = current().line;
  }
  return left;
}

NodePtr ExpressionParser::not_expression() {
  if (!current().is_name("not")) return comparison();
  Level level(*this);
  const int line = next().line;
  return pair(NodeKind::kUnary, not_expression(), nullptr, line, "not");
}

NodePtr ExpressionParser::comparison() {
  int line = current().line;
  NodePtr first = sum();
  std::vector<NodePtr> operands;
  while (true) {
    static constexpr auto kOperators = std::to_array<std::string_view>({"==", "!=", "<", "<=", ">", ">="});
    std::string op;
    if (current().type == TokenType::kOperator && std::find(kOperators.begin(), kOperators.end(), current().text) != kOperators.end()) {
      op = next().text;
    } else if (skip_name("in")) {
      op = "in";
    } else if (current().is_name("not") && ahead().is_name("in")) {
      next(), next();
      op = "notin";
    } else {
      break;
    }
    operands.push_back(pair(NodeKind::kOperand, sum(), nullptr, line, op));
    line = current().line;
  }
  if (operands.empty()) return first;
  NodePtr node = make(NodeKind::kCompare, line);
  node->x = std::move(first);
  node->list = std::move(operands);
  return done(std::move(node));
}

NodePtr ExpressionParser::sum() {
  int line = current().line;
  NodePtr left = concatenation();
  while (current().is("+") || current().is("-")) {
    const std::string op = next().text;
    left = pair(NodeKind::kBinary, std::move(left), concatenation(), line, op);
    line = current().line;
  }
  return left;
}

NodePtr ExpressionParser::concatenation() {
  NodePtr node = make(NodeKind::kConcat, current().line);
  node->list.push_back(product());
  while (skip_op("~")) node->list.push_back(product());
  return node->list.size() == 1 ? std::move(node->list[0]) : done(std::move(node));
}

NodePtr ExpressionParser::product() {
  int line = current().line;
  NodePtr left = power();
  while (current().is("*") || current().is("/") || current().is("//") || current().is("%")) {
    const std::string op = next().text;
    left = pair(NodeKind::kBinary, std::move(left), power(), line, op);
    line = current().line;
  }
  return left;
}

NodePtr ExpressionParser::power() {
  int line = current().line;
  NodePtr left = unary();
  while (skip_op("**")) {
    left = pair(NodeKind::kBinary, std::move(left), unary(), line, "**");
    line = current().line;
  }
  return left;
}

NodePtr ExpressionParser::unary(bool with_filter) {
  Level level(*this);
  const int line = current().line;
  NodePtr node;
  if (current().is("-") || current().is("+")) {
    const std::string op = next().text;
    node = pair(NodeKind::kUnary, unary(false), nullptr, line, op);
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return with_filter ? filters(std::move(node)) : std::move(node);
}

NodePtr ExpressionParser::primary(bool namespaces) {
  const Token token = current();
  switch (token.type) {
    case TokenType::kName: {
      next();
      if (token.text == "true" || token.text == "True") return constant(Value::boolean(true), token.line);
      if (token.text == "false" || token.text == "False") return constant(Value::boolean(false), token.line);
      if (token.text == "none" || token.text == "None") return constant(Value::none(), token.line);
      const bool is_reference = namespaces && current().is(".");
      NodePtr node = make(is_reference ? NodeKind::kNamespaceRef : NodeKind::kName, token.line);
      node->name = token.text;
      if (is_reference) {
        next();
        node->attribute = expect_name().text;
      }
      return node;
    }
    case TokenType::kString: {
      std::string text;
      while (current().type == TokenType::kString) text += next().text;
      return constant(Value::text(utf8_lossy(text)), token.line);
    }
    case TokenType::kInteger:
    case TokenType::kFloat: next(); return constant(token.value, token.line);
    default: break;
  }
  if (token.is("(")) {
    Level level(*this);
    next();
    NodePtr node = tuple({.parenthesized = true});
    expect_op(")");
    return node;
  }
  if (token.is("[")) return list();
  if (token.is("{")) return dict();
  fail_syntax("unexpected " + python::repr(describe(token)), token.line);
}

NodePtr ExpressionParser::list() {
  NodePtr node = make(NodeKind::kList, next().line);
  while (!current().is("]")) {
    if (!node->list.empty()) expect_op(",");
    if (current().is("]")) break;
    node->list.push_back(expression());
  }
  expect_op("]");
  return done(std::move(node));
}

NodePtr ExpressionParser::dict() {
  NodePtr node = make(NodeKind::kDict, next().line);
  while (!current().is("}")) {
    if (!node->list.empty()) expect_op(",");
    if (current().is("}")) break;
    NodePtr key = expression();
    expect_op(":");
    const int line = key->line;
    node->list.push_back(pair(NodeKind::kPair, std::move(key), expression(), line));
  }
  expect_op("}");
  return done(std::move(node));
}

NodePtr ExpressionParser::postfix(NodePtr node) {
  while (true) {
    if (current().is(".") || current().is("[")) node = subscript(std::move(node));
    else if (current().is("(")) node = call(std::move(node));
    else return node;
  }
}

NodePtr ExpressionParser::filters(NodePtr node) {
  while (true) {
    if (current().is("|")) node = filter(std::move(node), false);
    else if (current().is_name("is")) node = test(std::move(node));
    else if (current().is("(")) node = call(std::move(node));
    else return node;
  }
}

NodePtr ExpressionParser::subscript(NodePtr value) {
  const Token token = next();
  if (token.is(".")) {
    const Token attribute = next();
    if (attribute.type == TokenType::kName) return pair(NodeKind::kGetAttribute, std::move(value), nullptr, token.line, attribute.text);
    if (attribute.type != TokenType::kInteger) fail_syntax("expected name or number", attribute.line);
    return pair(NodeKind::kGetItem, std::move(value), constant(attribute.value, attribute.line), token.line);
  }
  std::vector<NodePtr> keys;
  while (!current().is("]")) {
    if (!keys.empty()) expect_op(",");
    keys.push_back(subscribed());
  }
  expect_op("]");
  if (keys.size() == 1) return pair(NodeKind::kGetItem, std::move(value), std::move(keys[0]), token.line);
  NodePtr several = make(NodeKind::kTuple, token.line);
  for (const NodePtr& key : keys) {
    if (key->kind == NodeKind::kSlice) fail_syntax("invalid syntax", token.line);  // of the Python that jinja2 makes of it
  }
  several->list = std::move(keys);
  return pair(NodeKind::kGetItem, std::move(value), done(std::move(several)), token.line);
}

NodePtr ExpressionParser::subscribed() {
  NodePtr node = make(NodeKind::kSlice, current().line);
  if (!current().is(":")) {
    node->x = expression();
    if (!current().is(":")) return std::move(node->x);
  }
  next();
  const auto ends = [&] { return current().is("]") || current().is(","); };
  if (!current().is(":") && !ends()) node->y = expression();
  if (skip_op(":") && !ends()) node->z = expression();
  return done(std::move(node));
}

void ExpressionParser::call_arguments(Node& node) {
  const int line = current().line;
  expect_op("(");
  const auto ensure = [&](bool holds) {
    if (!holds) fail_syntax("invalid syntax for function call expression", line);
  };
  for (bool first = true; !current().is(")"); first = false) {
    if (!first) {
      expect_op(",");
      if (current().is(")")) break;
    }
    if (current().is("*")) {
      ensure(!node.y && !node.z);
      next();
      node.y = expression();
    } else if (current().is("**")) {
      ensure(!node.z);
      next();
      node.z = expression();
    } else if (current().type == TokenType::kName && ahead().is("=")) {
      ensure(!node.z);
      const std::string key = next().text;
      next();
      NodePtr value = expression();
      const int value_line = value->line;
      for (const NodePtr& other : node.other) {
        if (other->name == key) fail_syntax("keyword argument repeated: " + key, value_line);  // Python's own syntax error
      }
      node.other.push_back(pair(NodeKind::kKeyword, std::move(value), nullptr, value_line, key));
    } else {
      ensure(!node.y && !node.z && node.other.empty());
      node.list.push_back(expression());
    }
  }
  expect_op(")");
}

NodePtr ExpressionParser::call(NodePtr callee) {
  NodePtr node = make(NodeKind::kCall, current().line);
  node->x = std::move(callee);
  call_arguments(*node);
  return done(std::move(node));
}

std::string ExpressionParser::dotted_name() {
  std::string name = expect_name().text;
  while (skip_op(".")) name += "." + expect_name().text;
  return name;
}

NodePtr ExpressionParser::filter(NodePtr value, bool inline_start) {
  while (current().is("|") || inline_start) {
    if (!inline_start) next();
    NodePtr node = make(NodeKind::kFilter, current().line);
    node->name = dotted_name();
    if (current().is("(")) call_arguments(*node);
    node->x = std::move(value);
    value = done(std::move(node));
    inline_start = false;
  }
  return value;
}

NodePtr ExpressionParser::test(NodePtr value) {
  NodePtr node = make(NodeKind::kTest, next().line);
  const int line = node->line;
  const bool negated = skip_name("not");
  node->name = dotted_name();
  const TokenType type = current().type;
  if (current().is("(")) {
    call_arguments(*node);
  } else if ((type == TokenType::kName && !current().is_name("else") && !current().is_name("or") && !current().is_name("and")) ||
             type == TokenType::kString || type == TokenType::kInteger || type == TokenType::kFloat || current().is("[") || current().is("{")) {
    if (current().is_name("is")) fail("You cannot chain multiple tests with is");
    node->list.push_back(postfix(primary()));
  }
  node->x = std::move(value);
  node = done(std::move(node));
  return negated ? pair(NodeKind::kUnary, std::move(node), nullptr, line, "not") : std::move(node);
}

}  // namespace polymath::jinja
