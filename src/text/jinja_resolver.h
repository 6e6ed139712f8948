// Decides which variable each name means before a template runs, as jinja2's compiler does: names that a scope assigns are its own
// from its beginning on, others belong to the scopes around it, and the rest is asked of the variables given to render.
#pragma once

#include <memory>
#include <vector>

#include "text/jinja_ast.h"

namespace polymath::jinja {

// A template that can run. Const use from many threads is safe.
struct Program {
  std::vector<NodePtr> body;
  Loads loads;
  Function function;
};

// Throws Error{kBadFile} whose `where` is "line N": unknown filters and tests, `break` outside of a loop, ...
Program resolve(std::vector<NodePtr> body);

}  // namespace polymath::jinja
