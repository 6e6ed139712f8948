#include "text/jinja_template.h"

#include <utility>

#include "base/printable.h"
#include "base/utf8.h"
#include "text/jinja_eval.h"
#include "text/jinja_parser.h"

namespace polymath {

struct JinjaTemplate::Compiled {
  jinja::Program program;
};

JinjaTemplate::~JinjaTemplate() = default;
JinjaTemplate::JinjaTemplate(JinjaTemplate&&) noexcept = default;
JinjaTemplate& JinjaTemplate::operator=(JinjaTemplate&&) noexcept = default;

JinjaTemplate::JinjaTemplate(std::string_view source, std::string name) : name_(std::move(name)) {
  if (source.size() > kMostBytes) throw Error(ErrorCode::kResource, "a template is larger than " + std::to_string(kMostBytes >> 20) + " MiB", name_);
  if (!utf8_valid(source)) throw Error(ErrorCode::kBadFile, "the template is not valid UTF-8", name_);
  try {
    compiled_ = std::make_unique<const Compiled>(Compiled{jinja::resolve(jinja::parse(source))});
  } catch (const Error& e) {
    throw Error(e.code, printable(e.reason, 400), name_ + " " + e.where);  // `where` is the line
  }
}

std::string JinjaTemplate::render(const Json& variables, const Options& options) const {
  jinja::Machine m(options.limits);
  std::string text;
  m.out = &text;
  m.civil_now = options.civil_now;
  try {
    jinja::Dict names;
    for (const auto& [name, value] : variables.items()) names.set(name, jinja::from_json(value));
    jinja::run(compiled_->program, names, m);
  } catch (const Error& e) {
    throw Error(e.code, printable(e.reason, 400), m.line > 0 ? name_ + " line " + std::to_string(m.line) : name_);
  }
  return text;
}

}  // namespace polymath
