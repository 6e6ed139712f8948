#include "cli/training_progress.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/printable.h"
#include "train/loss_plot.h"

namespace polymath::cli {
namespace {

std::string time_text(double seconds) {
  const auto s = static_cast<long>(seconds);
  char text[40];
  if (s >= 3600) std::snprintf(text, sizeof text, "%ld h %02ld min", s / 3600, s / 60 % 60);
  else if (s >= 60) std::snprintf(text, sizeof text, "%ld min %02ld s", s / 60, s % 60);
  else std::snprintf(text, sizeof text, "%ld s", s);
  return text;
}

std::string figures_of(const Json& event) {
  std::string text;
  for (const auto& [name, value] : event.items()) {
    if (!value.is_number_float()) continue;
    char number[60];
    std::snprintf(number, sizeof number, "%s %.4f", name.c_str(), value.get<double>());
    text += (text.empty() ? "" : ", ") + std::string(number);
  }
  return text;
}

}  // namespace

TrainingProgress::TrainingProgress(bool json, bool quiet) : json_(json), quiet_(quiet), terminal_(::isatty(STDERR_FILENO)) {}

void TrainingProgress::line(const std::string& text) {
  if (drawn_) std::cerr << "\r\033[K";
  drawn_ = false;
  std::cerr << text << std::endl;
}

void TrainingProgress::bar(const Json& e) {
  const auto step = e["step"].get<std::int64_t>(), steps = e["steps"].get<std::int64_t>();
  char text[200];
  std::snprintf(text, sizeof text, "step %lld/%lld  loss %.4f  lr %.2e  %.0f tokens/s  %s left", static_cast<long long>(step), static_cast<long long>(steps),
                e["loss"].get<double>(), e["lr"].get<double>(), e["tokens_per_s"].get<double>(), time_text(e["seconds_left"].get<double>()).c_str());
  if (terminal_) {
    constexpr std::int64_t kWidth = 24;
    const auto filled = static_cast<std::size_t>(step * kWidth / steps);
    std::cerr << "\r[" << std::string(filled, '#') << std::string(kWidth - filled, ' ') << "] " << text << "\033[K" << std::flush;
    drawn_ = true;
  } else if (step * 10 / steps != shown_tenth_) {  // a log, not a screen
    shown_tenth_ = step * 10 / steps;
    line(text);
  }
}

void TrainingProgress::show(const Json& e) {
  if (json_) {
    std::cout << dump_json(e) << std::endl;
    return;
  }
  if (quiet_) return;
  const std::string event = e["event"].get<std::string>();
  if (event == "note") line("polymath: note: " + printable(e["text"].get<std::string>(), 1000));
  if (event == "start") {
    line(std::to_string(e["examples"].get<std::size_t>()) + " examples of " + std::to_string(e["tokens"].get<std::int64_t>()) + " tokens, " +
         std::to_string(e["validation"].get<std::size_t>()) + " held back; " + std::to_string(e["parameters"].get<std::int64_t>()) + " parameters");
  }
  if (event == "resumed") line("goes on behind step " + std::to_string(e["step"].get<std::int64_t>()));
  if (event == "step") bar(e);
  if (event == "evaluation") {
    line("step " + std::to_string(e["step"].get<std::int64_t>()) + ": validation " + figures_of(e) + (e["best"] == true ? "  (best so far, saved)" : ""));
  }
}

void TrainingProgress::end(const Json& summary) {
  if (json_) {
    Json line = {{"event", "end"}};
    for (const auto& [name, value] : summary.items()) {
      if (name != "history") line[name] = value;
    }
    std::cout << dump_json(line) << '\n';
    return;
  }
  if (!quiet_) std::cerr << (drawn_ ? "\n" : "") << loss_plot_text(summary["history"], 64, 10) << std::flush;
  const auto best = summary.find("best");
  std::cout << printable(summary["output"].get<std::string>(), 1000) << ": " << summary["steps"].get<std::int64_t>() << " steps in "
            << time_text(summary["seconds"].get<double>());
  if (best != summary.end()) std::cout << "; at step " << summary["best_step"].get<std::int64_t>() << ": " << figures_of(*best);
  std::cout << '\n';
}

}  // namespace polymath::cli
