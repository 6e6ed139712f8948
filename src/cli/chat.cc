// polymath chat DIR: a conversation in the terminal.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <unistd.h>

#include "base/file.h"
#include "base/printable.h"
#include "cli/cli.h"
#include "cli/line_editor.h"
#include "cli/streams.h"
#include "tasks/chat.h"

namespace polymath::cli {
namespace {

struct ChatOptions {
  std::string folder, system, load;
  std::vector<std::string> set;
};

volatile std::sig_atomic_t interrupted = 0;

// While an answer is written, Ctrl-C ends the answer; a second one ends the program.
class AnswerInterrupt {
 public:
  AnswerInterrupt() {
    interrupted = 0;
    struct sigaction action = {};
    action.sa_handler = [](int) {
      if (interrupted) _exit(130);
      interrupted = 1;
    };
    sigaction(SIGINT, &action, &before_);
  }
  ~AnswerInterrupt() { sigaction(SIGINT, &before_, nullptr); }

 private:
  struct sigaction before_ = {};
};

constexpr const char* kHelp =
    "/system TEXT   what the model is told before all else (nothing: take it back)\n"
    "/set NAME VALUE  a parameter of generation: temperature 0.2, do_sample false, max_new_tokens 100\n"
    "/undo          forget the last question and its answer\n"
    "/save FILE     write the conversation; /load FILE reads it again\n"
    "/tokens        how much of the model's window is used, and how fast the last answer was\n"
    "/clear         begin anew\n"
    "/quit          or Ctrl-D. Ctrl-C stops an answer.\n";

class Terminal {
 public:
  Terminal(std::shared_ptr<ChatModel> model, bool quiet) : model_(std::move(model)), session_(model_), quiet_(quiet), colour_(isatty(STDERR_FILENO) && !std::getenv("NO_COLOR")) {}

  ChatSession& session() { return session_; }

  // False: the person wants to leave.
  bool take(const std::string& line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return true;
    if (line[0] != '/') {
      answer(line);
      return true;
    }
    const auto end = std::min(line.find(' '), line.size());
    const std::string command = line.substr(0, end), rest = line.substr(std::min(line.find_first_not_of(' ', end), line.size()));
    if (command == "/quit" || command == "/exit") return false;
    if (command == "/help") note(kHelp);
    else if (command == "/system") session_.set_system(rest);
    else if (command == "/set") set(rest);
    else if (command == "/undo") note(session_.undo() ? "forgotten\n" : "there is nothing to forget\n");
    else if (command == "/save") with_file(rest, [&] { session_.save(rest); }, "saved\n");
    else if (command == "/load") with_file(rest, [&] { session_.load(rest); }, "loaded\n");
    else if (command == "/clear") session_.clear();
    else if (command == "/tokens") tokens();
    else note("there is no " + printable(command) + "; /help lists what there is\n");
    return true;
  }

  void note(const std::string& text) {
    if (quiet_) return;
    std::cerr << (colour_ ? "\033[2m" : "") << text << (colour_ ? "\033[0m" : "") << std::flush;
  }

  void set(const std::string& text) {
    const auto space = text.find_first_of(" =");
    if (space == std::string::npos) {
      note("/set NAME VALUE\n");
      return;
    }
    Json parameters = session_.parameters();
    parameters[text.substr(0, space)] = value_given(text.substr(space + 1));
    session_.set_parameters(parameters);
  }

 private:
  void answer(const std::string& text) {
    session_.ask(text);
    if (session_.figures().left_out > 0) {
      note("(the window of " + std::to_string(session_.figures().window) + " tokens is full: the oldest " + std::to_string(session_.figures().left_out) + " questions are no longer read)\n");
    }
    {
      const AnswerInterrupt guard;
      while (!interrupted) {
        const auto piece = session_.next();
        if (!piece) break;
        std::cout << *piece;
        flush_output();
      }
      session_.stop();
    }
    std::cout << '\n';
    flush_output();
    const auto& f = session_.figures();
    const double writing = f.answer_s - f.first_piece_s;
    char line[160];
    std::snprintf(line, sizeof line, "%s%lld tokens, %.1f tokens/s; first after %.2f s (%lld of %lld tokens were read before)\n", interrupted ? "stopped; " : "",
                  static_cast<long long>(f.answer_tokens), f.answer_tokens > 1 && writing > 0 ? static_cast<double>(f.answer_tokens - 1) / writing : 0.0, f.first_piece_s,
                  static_cast<long long>(f.cached_tokens), static_cast<long long>(f.prompt_tokens));
    note(line);
  }

  template <class Work>
  void with_file(const std::string& file, const Work& work, const char* done) {
    if (file.empty()) {
      note("a file has to be named\n");
      return;
    }
    work();
    note(done);
  }

  void tokens() {
    const auto& f = session_.figures();
    const auto ids = model_->ids_of(session_.messages());
    note(std::to_string(ids.size()) + " of " + std::to_string(model_->window()) + " tokens in " + std::to_string(session_.messages().size()) + " messages; the last answer had " +
         std::to_string(f.answer_tokens) + " tokens\n");
  }

  std::shared_ptr<ChatModel> model_;
  ChatSession session_;
  bool quiet_, colour_;
};

int chat(const ChatOptions& o, const Common& common) {
  Terminal terminal(ChatModel::load(o.folder, load_type_named(common.dtype)), common.quiet);
  for (const std::string& text : o.set) terminal.set(text);
  if (!o.load.empty()) terminal.session().load(o.load);
  if (!o.system.empty()) terminal.session().set_system(o.system);
  LineEditor editor(join_path(user_cache_folder(), "chat_history"));
  if (editor.is_terminal()) terminal.note("/help lists the commands; Ctrl-D ends\n");
  while (const auto line = editor.next("> ")) {
    try {
      if (!terminal.take(*line)) break;
    } catch (const Error& e) {
      if (!editor.is_terminal()) throw;
      std::cerr << "polymath: error: " << e.what() << '\n';
    }
  }
  return 0;
}

}  // namespace

void add_chat(CLI::App& app, Common& common, Action& action) {
  auto options = std::make_shared<ChatOptions>();
  CLI::App* verb = app.add_subcommand("chat", "A conversation with a chat model, in the terminal.");
  add_model(*verb, "DIR", options->folder, "a checkpoint folder with a chat template")->required();
  verb->add_option("--system", options->system, "what the model is told before all else");
  verb->add_option("--load", options->load, "a conversation that /save wrote");
  verb->add_option("--set", options->set, "NAME=VALUE: a parameter of generation; may be given again")->allow_extra_args(false);
  verb->footer(std::string("In the conversation:\n") + kHelp + "Lines come from standard input where it is no terminal:\n  echo 'Name three rivers.' | polymath chat path/to/checkpoint");
  add_common(*verb, common);
  verb->callback([options, &common, &action] { action = [options, &common] { return chat(*options, common); }; });
}

}  // namespace polymath::cli
