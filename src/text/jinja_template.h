// A Jinja template, rendered as jinja2 3.1's ImmutableSandboxedEnvironment does with trim_blocks, lstrip_blocks, loopcontrols, and
// the filter tojson, the functions and the tag that Transformers 4.57.6 adds for chat templates (docs/templates.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "text/jinja_machine.h"

namespace polymath {

class JinjaTemplate {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  struct Options {
    jinja::Limits limits;
    std::optional<std::int64_t> civil_now;  // what strftime_now sees: seconds of local time since 1970-01-01 00:00
  };

  // `name` is what errors call the template. Throws Error{kBadFile} for a syntax error, with "NAME line N" as its `where`;
  // Error{kResource} above kMostBytes or where tags are nested too deeply.
  JinjaTemplate(std::string_view source, std::string name);
  ~JinjaTemplate();
  JinjaTemplate(JinjaTemplate&&) noexcept;
  JinjaTemplate& operator=(JinjaTemplate&&) noexcept;

  // The text. `variables` is an object, whose keys are names. Throws Error{kInvalidArgument} for what jinja2 or Python raise, Error{kUnsupported}
  // for what is different here, Error{kResource} at a limit; `where` is "NAME line N". Const use from many threads is safe.
  std::string render(const Json& variables) const { return render(variables, Options{}); }
  std::string render(const Json& variables, const Options& options) const;

  const std::string& name() const { return name_; }

 private:
  struct Compiled;
  std::string name_;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace polymath
