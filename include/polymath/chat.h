// Conversations with a chat model that remembers its turns.
#pragma once

#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "polymath/pipeline.h"

namespace polymath {

// One conversation. Movable, not thread safe; copies of a Chat share the model but not what was said from then on.
//
//   polymath::Chat chat("path/to/qwen");
//   for (auto piece : chat.stream("Name three rivers.")) std::cout << piece << std::flush;
class Chat {
 public:
  // Loads a checkpoint folder. The parameters are those of generation ("temperature", "max_new_tokens", "seed", ...) and "dtype".
  // Throws Error naming the file, tensor, field or parameter at fault.
  explicit Chat(const std::string& model, const Parameters& parameters = {});
  Chat(const Chat& other);
  Chat(Chat&&) noexcept;
  Chat& operator=(Chat) noexcept;
  ~Chat();

  class Answer;
  // The answer in pieces of whole UTF-8, as they are written. It is remembered when it is read to its end, or as far as it was
  // written when the Answer goes. The Chat must outlive it. Throws Error where the message does not fit the model's window.
  Answer stream(std::string_view message);
  // The whole answer.
  std::string operator()(std::string_view message);

  void system(std::string_view text);  // what the model is told before all else; empty: nothing
  bool undo();                         // forgets the last question with its answer; false where there is none
  void save(const std::string& path) const;  // writes the conversation, whole or not at all
  void load(const std::string& path);        // reads it again, whole or not at all

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Chat::Answer {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::string;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::string*;
    using reference = const std::string&;
    reference operator*() const { return answer_->piece_; }
    iterator& operator++();
    bool operator!=(const iterator& other) const { return answer_ != other.answer_; }

   private:
    friend class Answer;
    explicit iterator(Answer* answer) : answer_(answer) {}
    Answer* answer_;
  };

  ~Answer();  // stops what is not read to its end
  Answer(const Answer&) = delete;
  iterator begin();
  iterator end() { return iterator(nullptr); }

 private:
  friend class Chat;
  explicit Answer(State& state) : state_(state) {}
  State& state_;
  std::string piece_;
};

}  // namespace polymath
