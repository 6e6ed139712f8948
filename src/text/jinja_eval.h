// Runs a resolved template.
#pragma once

#include <string>

#include "text/jinja_machine.h"
#include "text/jinja_resolver.h"

namespace polymath::jinja {

// Writes to m.out; what it throws has no line yet: m.line is where it happened. `variables` must outlive the call.
void run(const Program& program, const Dict& variables, Machine& m);

}  // namespace polymath::jinja
