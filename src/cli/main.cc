// polymath: the command line. Results go to standard output, everything else to standard error; the exit
// code is 0 on success, 2 on wrong usage, 1 on any other error.
#include <algorithm>
#include <exception>
#include <iostream>
#include <new>

#include "base/printable.h"
#include "base/threads.h"
#include "cli/cli.h"
#include "cli/streams.h"
#include "models/shipped.h"
#include "polymath/error.h"

namespace polymath::cli {

Json value_given(const std::string& text) {
  try {
    return parse_json(text, "value");
  } catch (const Error&) {
    return text;
  }
}

CLI::Option* add_model(CLI::App& verb, const std::string& option, std::string& folder, const std::string& help) {
  return verb.add_option_function<std::string>(option, [&folder](const std::string& given) { folder = model_folder(given); }, help);
}

void add_common(CLI::App& verb, Common& common) {
  verb.add_option("--threads", common.threads, "threads for arithmetic (default: the physical cores)")->check(CLI::Range(1, 1024));
  verb.add_option("--dtype", common.dtype, "how weights are kept: auto (as in the checkpoint), f32, bf16, q8, q4")
      ->check(CLI::IsMember({"auto", "f32", "bf16", "q8", "q4"}));
  verb.add_flag("--quiet", common.quiet, "no progress and no notes on standard error");
}

namespace {

int fail(const std::string& message) {
  std::cout.flush();
  std::cerr << "polymath: error: " << printable(message, 4000) << std::endl;  // one line, whatever names and values it cites
  return 1;
}

int run(int argc, char** argv) {
  CLI::App app("Polymath: a native engine for transformer abilities.\n"
               "It loads Hugging Face checkpoint folders as they are and answers like Transformers' pipeline().",
               "polymath");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("polymath ") + POLYMATH_VERSION);
  app.set_help_all_flag("--help-all", "help for all commands");
  app.footer("Examples:\n"
             "  polymath info path/to/checkpoint\n"
             "  polymath run ner --model path/to/checkpoint \"Ada met Charles in London.\"\n"
             "  polymath chat path/to/chat-model\n"
             "  polymath search \"how do I add a model\" docs/*.md --model path/to/sentence-transformer");
  Common common;
  Action action;
  add_run(app, common, action);
  add_chat(app, common, action);
  add_search(app, common, action);
  add_eval(app, common, action);
  add_tokenize(app, common, action);
  add_template(app, common, action);
  add_info(app, common, action);
  add_models(app, common, action);
  add_train(app, common, action);
  add_forward(app, common, action);
  add_gradients(app, common, action);
  add_bench(app, common, action);
  add_quantize(app, common, action);
  add_perplexity(app, common, action);
  const auto verbs = app.get_subcommands([](const CLI::App*) { return true; });
  if (argc > 1 && argv[1][0] != '-' && std::none_of(verbs.begin(), verbs.end(), [&](const CLI::App* verb) { return verb->get_name() == argv[1]; })) {
    std::cerr << "polymath: error: \"" << argv[1] << "\" is not a command\nTry: polymath --help" << std::endl;
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    std::cerr << "polymath: error: " << e.what() << "\nTry: polymath " << (argc > 1 && argv[1][0] != '-' ? std::string(argv[1]) + " " : "")
              << "--help" << std::endl;
    return 2;
  }
  if (common.threads > 0) ThreadPool::set_global_threads(common.threads);
  try {
    const int code = action();
    flush_output();
    return code;
  } catch (const CLI::ParseError& e) {
    std::cerr << "polymath: error: " << e.what() << std::endl;
    return 2;
  }
}

}  // namespace
}  // namespace polymath::cli

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  try {
    return polymath::cli::run(argc, argv);
  } catch (const polymath::Error& e) {
    return polymath::cli::fail(e.what());
  } catch (const std::bad_alloc&) {
    return polymath::cli::fail("out of memory");
  } catch (const std::exception& e) {
    return polymath::cli::fail(e.what());
  }
}
