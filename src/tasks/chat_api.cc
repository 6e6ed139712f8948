// The public Chat over ChatSession.
#include "polymath/chat.h"

#include "tasks/chat.h"
#include "tasks/value.h"

namespace polymath {

struct Chat::State {
  ChatSession session;
};

Chat::Chat(const std::string& model, const Parameters& parameters) {
  const LoadParameters given(parameters);
  state_ = std::make_unique<State>(State{ChatSession(ChatModel::load(model, given.type))});
  state_->session.set_parameters(given.calls);
}

Chat::Chat(const Chat& other) : state_(std::make_unique<State>(State{other.state_->session.branch()})) {}
Chat::Chat(Chat&&) noexcept = default;
Chat& Chat::operator=(Chat other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
Chat::~Chat() = default;

Chat::Answer Chat::stream(std::string_view message) {
  state_->session.ask(std::string(message));
  return Answer(*state_);
}

std::string Chat::operator()(std::string_view message) {
  std::string all;
  for (const std::string& piece : stream(message)) all += piece;
  return all;
}

void Chat::system(std::string_view text) { state_->session.set_system(std::string(text)); }
bool Chat::undo() { return state_->session.undo(); }
void Chat::save(const std::string& path) const { state_->session.save(path); }
void Chat::load(const std::string& path) { state_->session.load(path); }

Chat::Answer::~Answer() { state_.session.stop(); }

Chat::Answer::iterator Chat::Answer::begin() {
  iterator first(this);
  return ++first;
}

Chat::Answer::iterator& Chat::Answer::iterator::operator++() {
  auto piece = answer_->state_.session.next();
  if (piece) answer_->piece_ = std::move(*piece);
  else answer_ = nullptr;
  return *this;
}

}  // namespace polymath
