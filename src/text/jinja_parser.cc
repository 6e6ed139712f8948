#include "text/jinja_parser.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/utf8.h"
#include "text/jinja_lexer.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

using EndNames = std::vector<std::string_view>;

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokenize(source)) { check(); }

  std::vector<NodePtr> run() { return statements_until({}); }

 private:
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
    explicit Level(Parser& p) : p_(p) {
      if (++p_.depth_ > kMaxParseDepth) {
        throw Error(ErrorCode::kResource, "tags or expressions are nested deeper than " + std::to_string(kMaxParseDepth) + " levels",
                    "line " + std::to_string(p_.current().line));
      }
    }
    ~Level() { --p_.depth_; }

   private:
    Parser& p_;
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

  // Statements.

  std::vector<NodePtr> statements_until(const EndNames& ends) {
    Level level(*this);
    std::vector<NodePtr> body;
    NodePtr output;
    const auto flush = [&] {
      if (output) body.push_back(done(std::move(output)));
      output = nullptr;
    };
    const auto print = [&](NodePtr child, int line) {
      if (!output) output = make(NodeKind::kOutput, line);
      output->list.push_back(std::move(child));
    };
    if (!ends.empty()) waiting_.push_back(ends);
    while (current().type != TokenType::kEnd) {
      const int line = current().line;
      if (current().type == TokenType::kData) {
        NodePtr data = make(NodeKind::kData, line);
        data->value = Value::text(utf8_lossy(next().text));
        print(std::move(data), line);
      } else if (current().type == TokenType::kVariableBegin) {
        next();
        const int expression_line = current().line;
        NodePtr node = tuple();
        print(std::move(node), expression_line);
        expect(TokenType::kVariableEnd, "end of print statement");
      } else {
        flush();
        expect(TokenType::kBlockBegin, "begin of statement block");
        if (current().type == TokenType::kName && std::find(ends.begin(), ends.end(), current().text) != ends.end()) break;
        body.push_back(done(statement()));
        expect(TokenType::kBlockEnd, "end of statement block");
      }
    }
    flush();
    if (!ends.empty()) waiting_.pop_back();
    return body;
  }

  // The body of a statement up to one of the tags `ends`, which stays the current token.
  std::vector<NodePtr> body_until(const EndNames& ends) {
    skip_op(":");
    expect(TokenType::kBlockEnd, "end of statement block");
    std::vector<NodePtr> body = statements_until(ends);
    if (current().type == TokenType::kEnd) {
      waiting_.push_back(ends);
      fail_tags(nullptr, current().line);
    }
    return body;
  }
  std::vector<NodePtr> body_to(std::string_view end) {
    std::vector<NodePtr> body = body_until({end});
    next();
    return body;
  }

  [[noreturn]] void fail_tags(const std::string* unknown, int line) {
    std::string message = unknown ? "Encountered unknown tag " + python::repr(*unknown) + "." : "Unexpected end of template.";
    if (!waiting_.empty()) {
      std::string looking;
      for (std::string_view name : waiting_.back()) looking += (looking.empty() ? "" : " or ") + python::repr(name);
      bool expected = false;
      for (const EndNames& names : waiting_) expected |= unknown && std::find(names.begin(), names.end(), *unknown) != names.end();
      message += expected ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for " + looking + "."
                          : " Jinja was looking for the following tags: " + looking + ".";
    }
    if (!open_tags_.empty()) message += " The innermost block that needs to be closed is " + python::repr(open_tags_.back()) + ".";
    fail_syntax(message, line);
  }

  NodePtr statement() {
    const Token token = current();
    if (token.type != TokenType::kName) fail_syntax("tag name expected", token.line);
    using Parse = NodePtr (Parser::*)();
    static const std::vector<std::pair<std::string_view, Parse>> kTags = {
        {"for", &Parser::for_tag}, {"if", &Parser::if_tag}, {"set", &Parser::set_tag}, {"macro", &Parser::macro_tag}, {"call", &Parser::call_tag},
        {"filter", &Parser::filter_tag}, {"with", &Parser::with_tag}, {"print", &Parser::print_tag}, {"block", &Parser::block_tag},
        {"autoescape", &Parser::autoescape_tag}, {"extends", &Parser::extends_tag}, {"include", &Parser::include_tag}, {"import", &Parser::import_tag},
        {"from", &Parser::from_tag}, {"break", &Parser::loop_control_tag}, {"continue", &Parser::loop_control_tag},
        {"generation", &Parser::generation_tag}};
    const auto found = std::find_if(kTags.begin(), kTags.end(), [&](const auto& tag) { return tag.first == token.text; });
    if (found == kTags.end()) fail_tags(&token.text, token.line);
    open_tags_.push_back(token.text);
    NodePtr node = (this->*found->second)();
    open_tags_.pop_back();
    return node;
  }

  NodePtr for_tag() {
    NodePtr node = make(NodeKind::kFor, next().line);
    const std::size_t target_begin = at_;
    node->x = target({});
    expect_name("in");
    node->y = tuple({.conditional = false});
    if (skip_name("if")) {
      node->z = expression();
      const std::size_t here = at_;
      at_ = target_begin;  // the filter has variables of its own
      node->third.push_back(target({}));
      at_ = here;
    }
    node->flag = skip_name("recursive");
    node->list = body_until({"endfor", "else"});
    if (next().text == "else") node->other = body_to("endfor");
    return node;
  }

  NodePtr if_tag() {
    NodePtr result = make(NodeKind::kIf, next().line);
    Node* node = result.get();
    while (true) {
      node->x = tuple({.conditional = false});
      node->list = body_until({"elif", "else", "endif"});
      const std::string end = next().text;
      if (end == "elif") {
        if (node != result.get()) done_in_place(*node);
        result->other.push_back(make(NodeKind::kIf, current().line));
        node = result->other.back().get();
        continue;
      }
      if (end == "else") result->third = body_to("endif");
      break;
    }
    if (node != result.get()) done_in_place(*node);
    return result;
  }
  static void done_in_place(Node& node) {
    node.for_each_child([&](const Node& child) { node.depth = std::max(node.depth, child.depth + 1); });
  }

  NodePtr set_tag() {
    const int line = next().line;
    NodePtr to = target({.namespaces = true});
    if (skip_op("=")) return pair(NodeKind::kSet, std::move(to), tuple(), line);
    NodePtr node = make(NodeKind::kSetBlock, line);
    node->x = std::move(to);
    if (current().is("|")) node->y = filter(nullptr, false);
    node->list = body_to("endset");
    return node;
  }

  void signature(Node& node) {
    expect_op("(");
    while (!current().is(")")) {
      if (!node.list.empty()) expect_op(",");
      NodePtr argument = name_target();
      argument->context = Context::kParameter;
      if (skip_op("=")) node.other.push_back(expression());
      else if (!node.other.empty()) fail("non-default argument follows default argument");
      node.list.push_back(std::move(argument));
    }
    expect_op(")");
  }

  NodePtr macro_tag() {
    NodePtr node = make(NodeKind::kMacro, next().line);
    node->name = name_target()->name;
    signature(*node);
    node->third = body_to("endmacro");
    return node;
  }

  NodePtr call_tag() {
    NodePtr node = make(NodeKind::kCallBlock, next().line);
    if (current().is("(")) signature(*node);
    node->x = expression();
    if (node->x->kind != NodeKind::kCall) fail_syntax("expected call", node->line);
    node->third = body_to("endcall");
    return node;
  }

  NodePtr generation_tag() {
    NodePtr node = make(NodeKind::kCallBlock, next().line);
    node->third = body_to("endgeneration");
    return node;
  }

  NodePtr filter_tag() {
    NodePtr node = make(NodeKind::kFilterBlock, next().line);
    node->x = filter(nullptr, true);
    node->list = body_to("endfilter");
    return node;
  }

  NodePtr with_tag() {
    NodePtr node = make(NodeKind::kWith, next().line);
    while (current().type != TokenType::kBlockEnd) {
      if (!node->list.empty()) expect_op(",");
      NodePtr to = target({});
      set_context(*to, Context::kParameter);
      node->list.push_back(std::move(to));
      expect_op("=");
      node->other.push_back(expression());
    }
    node->third = body_to("endwith");
    return node;
  }

  NodePtr print_tag() {
    NodePtr node = make(NodeKind::kOutput, next().line);
    while (current().type != TokenType::kBlockEnd) {
      if (!node->list.empty()) expect_op(",");
      node->list.push_back(expression());
    }
    return node;
  }

  NodePtr block_tag() {
    NodePtr node = make(NodeKind::kBlock, next().line);
    node->name = expect_name().text;
    if (skip_name("scoped") || skip_name("required")) {
      throw Error(ErrorCode::kUnsupported, "scoped and required blocks are not supported", "line " + std::to_string(node->line));
    }
    if (current().is("-")) fail("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.");
    if (!block_names_.insert(node->name).second) fail_syntax("block " + python::repr(node->name) + " defined twice", node->line);
    node->list = body_to("endblock");
    skip_name(node->name);
    return node;
  }

  NodePtr autoescape_tag() {
    NodePtr node = make(NodeKind::kScope, next().line);
    node->x = expression();
    node->list = body_to("endautoescape");
    return node;
  }

  // Tags that name other templates parse, and fail when they run.
  NodePtr extends_tag() {
    NodePtr node = make(NodeKind::kUnavailable, next().line);
    node->x = expression();
    return node;
  }
  void context_words() {
    if ((current().is_name("with") || current().is_name("without")) && ahead().is_name("context")) next(), next();
  }
  NodePtr include_tag() {
    NodePtr node = extends_tag();
    if (current().is_name("ignore") && ahead().is_name("missing")) next(), next();
    context_words();
    return node;
  }
  NodePtr import_tag() {
    NodePtr node = extends_tag();
    expect_name("as");
    node->list.push_back(name_target());
    context_words();
    return node;
  }
  NodePtr from_tag() {
    NodePtr node = extends_tag();
    expect_name("import");
    while (true) {
      if (!node->list.empty()) expect_op(",");
      if (current().type != TokenType::kName) expect_name();
      if ((current().is_name("with") || current().is_name("without")) && ahead().is_name("context")) {
        context_words();
        break;
      }
      NodePtr name = name_target();
      if (name->name.starts_with('_')) fail_syntax("names starting with an underline can not be imported", name->line);
      if (skip_name("as")) name = name_target();
      node->list.push_back(std::move(name));
      const std::size_t before = at_;
      context_words();
      if (at_ != before || !current().is(",")) break;
    }
    return node;
  }

  NodePtr loop_control_tag() {
    const Token token = next();
    return make(token.text == "break" ? NodeKind::kBreak : NodeKind::kContinue, token.line);
  }

  // Targets.

  struct TupleOptions {
    bool simple = false, conditional = true;
    bool parenthesized = false, namespaces = false;
  };

  void set_context(Node& node, Context context) {
    node.context = context;
    node.for_each_child([&](Node& child) { set_context(child, context); });
  }

  static bool can_assign(const Node& node) {
    if (node.kind == NodeKind::kTuple) return std::all_of(node.list.begin(), node.list.end(), [](const NodePtr& n) { return can_assign(*n); });
    return node.kind == NodeKind::kName || node.kind == NodeKind::kNamespaceRef;
  }

  static const char* kind_name(const Node& node) {  // jinja2's name of its class
    switch (node.kind) {
      case NodeKind::kConst: return "const";
      case NodeKind::kTuple: return "tuple";
      case NodeKind::kList: return "list";
      case NodeKind::kDict: return "dict";
      case NodeKind::kGetAttribute: return "getattr";
      case NodeKind::kGetItem: return "getitem";
      case NodeKind::kCall: return "call";
      case NodeKind::kFilter: return "filter";
      case NodeKind::kTest: return "test";
      case NodeKind::kCompare: return "compare";
      case NodeKind::kConditional: return "condexpr";
      case NodeKind::kConcat: return "concat";
      case NodeKind::kAnd: return "and";
      case NodeKind::kOr: return "or";
      case NodeKind::kUnary: return node.name == "not" ? "not" : node.name == "-" ? "neg" : "pos";
      case NodeKind::kBinary: return node.name == "+" ? "add" : node.name == "-" ? "sub" : node.name == "*" ? "mul" : node.name == "/" ? "div" : node.name == "//" ? "floordiv" : node.name == "%" ? "mod" : "pow";
      default: return "name";
    }
  }

  NodePtr name_target() {
    const Token token = expect_name();
    NodePtr node = make(NodeKind::kName, token.line);
    node->name = token.text;
    node->context = Context::kStore;
    static constexpr auto kConstants = std::to_array<std::string_view>({"true", "false", "none", "True", "False", "None"});
    if (std::find(kConstants.begin(), kConstants.end(), node->name) != kConstants.end()) fail_syntax("can't assign to 'name'", node->line);
    return node;
  }

  NodePtr target(TupleOptions options) {
    options.simple = true;
    NodePtr node = tuple(options);
    set_context(*node, Context::kStore);
    if (!can_assign(*node)) fail_syntax("can't assign to " + python::repr(kind_name(*node)), node->line);
    return node;
  }

  // Expressions.

  NodePtr tuple(const TupleOptions& options) {
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
  NodePtr tuple() { return tuple(TupleOptions{}); }

  NodePtr expression(bool conditional = true) {
    Level level(*this);
    return conditional ? conditional_expression() : or_expression();
  }

  NodePtr conditional_expression() {
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

  NodePtr or_expression() {
    int line = current().line;
    NodePtr left = and_expression();
    while (skip_name("or")) {
      left = pair(NodeKind::kOr, std::move(left), and_expression(), line);
      line = current().line;
    }
    return left;
  }

  NodePtr and_expression() {
    int line = current().line;
    NodePtr left = not_expression();
    while (skip_name("and")) {
      left = pair(NodeKind::kAnd, std::move(left), not_expression(), line);
      line = current().line;
    }
    return left;
  }

  NodePtr not_expression() {
    if (!current().is_name("not")) return comparison();
    Level level(*this);
    const int line = next().line;
    return pair(NodeKind::kUnary, not_expression(), nullptr, line, "not");
  }

  NodePtr comparison() {
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

  NodePtr sum() {
    int line = current().line;
    NodePtr left = concatenation();
    while (current().is("+") || current().is("-")) {
      const std::string op = next().text;
      left = pair(NodeKind::kBinary, std::move(left), concatenation(), line, op);
      line = current().line;
    }
    return left;
  }

  NodePtr concatenation() {
    NodePtr node = make(NodeKind::kConcat, current().line);
    node->list.push_back(product());
    while (skip_op("~")) node->list.push_back(product());
    return node->list.size() == 1 ? std::move(node->list[0]) : done(std::move(node));
  }

  NodePtr product() {
    int line = current().line;
    NodePtr left = power();
    while (current().is("*") || current().is("/") || current().is("//") || current().is("%")) {
      const std::string op = next().text;
      left = pair(NodeKind::kBinary, std::move(left), power(), line, op);
      line = current().line;
    }
    return left;
  }

  NodePtr power() {
    int line = current().line;
    NodePtr left = unary();
    while (skip_op("**")) {
      left = pair(NodeKind::kBinary, std::move(left), unary(), line, "**");
      line = current().line;
    }
    return left;
  }

  NodePtr unary(bool with_filter = true) {
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

  NodePtr primary(bool namespaces = false) {
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

  NodePtr list() {
    NodePtr node = make(NodeKind::kList, next().line);
    while (!current().is("]")) {
      if (!node->list.empty()) expect_op(",");
      if (current().is("]")) break;
      node->list.push_back(expression());
    }
    expect_op("]");
    return done(std::move(node));
  }

  NodePtr dict() {
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

  NodePtr postfix(NodePtr node) {
    while (true) {
      if (current().is(".") || current().is("[")) node = subscript(std::move(node));
      else if (current().is("(")) node = call(std::move(node));
      else return node;
    }
  }

  NodePtr filters(NodePtr node) {
    while (true) {
      if (current().is("|")) node = filter(std::move(node), false);
      else if (current().is_name("is")) node = test(std::move(node));
      else if (current().is("(")) node = call(std::move(node));
      else return node;
    }
  }

  NodePtr subscript(NodePtr value) {
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

  NodePtr subscribed() {
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

  void call_arguments(Node& node) {
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

  NodePtr call(NodePtr callee) {
    NodePtr node = make(NodeKind::kCall, current().line);
    node->x = std::move(callee);
    call_arguments(*node);
    return done(std::move(node));
  }

  std::string dotted_name() {
    std::string name = expect_name().text;
    while (skip_op(".")) name += "." + expect_name().text;
    return name;
  }

  NodePtr filter(NodePtr value, bool inline_start) {
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

  NodePtr test(NodePtr value) {
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

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::vector<EndNames> waiting_;
  std::vector<std::string> open_tags_;
  std::set<std::string> block_names_;
};

}  // namespace

std::vector<NodePtr> parse(std::string_view source) { return Parser(source).run(); }

}  // namespace polymath::jinja
