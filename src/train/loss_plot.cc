#include "train/loss_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace polymath {
namespace {

struct Point {
  double step, loss;
};

std::vector<Point> points_of(const Json& history, const char* event) {
  std::vector<Point> points;
  for (const Json& line : history) {
    if (line.value("event", "") != event || !line.contains("loss") || !line["loss"].is_number()) continue;
    const Point p{line["step"].get<double>(), line["loss"].get<double>()};
    if (std::isfinite(p.loss)) points.push_back(p);
  }
  return points;
}

// What the axes show.
struct Frame {
  double first = 0, last = 1, low = 0, high = 1;

  explicit Frame(std::initializer_list<const std::vector<Point>*> curves) {
    bool some = false;
    for (const auto* curve : curves) {
      for (const Point& p : *curve) {
        first = some ? std::min(first, p.step) : p.step;
        last = some ? std::max(last, p.step) : p.step;
        high = some ? std::max(high, p.loss) : p.loss;
        low = some ? std::min(low, p.loss) : p.loss;
        some = true;
      }
    }
    low = std::min(low, 0.0);
    if (high <= low) high = low + 1;
    if (last <= first) last = first + 1;
  }
  double x(double step) const { return (step - first) / (last - first); }
  double y(double loss) const { return (loss - low) / (high - low); }
};

std::string text_of(double value, const char* format) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string loss_plot_text(const Json& history, int width, int height) {
  const auto training = points_of(history, "step"), validation = points_of(history, "evaluation");
  if (training.size() < 2) return {};
  const Frame frame{&training, &validation};
  std::vector<std::string> rows(static_cast<std::size_t>(height), std::string(static_cast<std::size_t>(width), ' '));
  const auto put = [&](const Point& p, char mark) {
    const auto column = static_cast<std::size_t>(std::lround(frame.x(p.step) * (width - 1)));
    const auto row = static_cast<std::size_t>(std::lround((1 - frame.y(p.loss)) * (height - 1)));
    rows[row][column] = mark;
  };
  for (const Point& p : training) put(p, '.');
  for (const Point& p : validation) put(p, 'o');
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double loss = frame.high - (frame.high - frame.low) * static_cast<double>(r) / static_cast<double>(height - 1);
    text += text_of(loss, "%8.3f") + " |" + rows[r] + "\n";
  }
  text += "         +" + std::string(static_cast<std::size_t>(width), '-') + "\n";
  text += "          step " + text_of(frame.first, "%.0f") + " to " + text_of(frame.last, "%.0f") + "; loss: . training" + (validation.empty() ? "" : ", o validation") + "\n";
  return text;
}

std::string loss_plot_svg(const Json& history) {
  const auto training = points_of(history, "step"), validation = points_of(history, "evaluation");
  const Frame frame{&training, &validation};
  constexpr double kLeft = 60, kTop = 20, kWidth = 620, kHeight = 300;
  const auto at = [&](const Point& p) {
    return text_of(kLeft + kWidth * frame.x(p.step), "%.1f") + "," + text_of(kTop + kHeight * (1 - frame.y(p.loss)), "%.1f");
  };
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 700 370\" font-family=\"sans-serif\" font-size=\"12\">\n"
                    "<rect width=\"700\" height=\"370\" fill=\"white\"/>\n";
  for (int i = 0; i <= 4; ++i) {
    const double loss = frame.low + (frame.high - frame.low) * i / 4;
    const std::string y = text_of(kTop + kHeight * (1 - i / 4.0), "%.1f");
    svg += "<line x1=\"60\" x2=\"680\" y1=\"" + y + "\" y2=\"" + y + "\" stroke=\"#ddd\"/><text x=\"54\" y=\"" + y + "\" text-anchor=\"end\" dominant-baseline=\"middle\">" +
           text_of(loss, "%.3g") + "</text>\n";
  }
  for (int i = 0; i <= 4; ++i) {
    const double step = frame.first + (frame.last - frame.first) * i / 4;
    svg += "<text x=\"" + text_of(kLeft + kWidth * i / 4, "%.1f") + "\" y=\"338\" text-anchor=\"middle\">" + text_of(step, "%.0f") + "</text>\n";
  }
  const auto curve = [&](const std::vector<Point>& points, const char* color, bool dots) {
    if (points.empty()) return;
    svg += std::string("<polyline fill=\"none\" stroke=\"") + color + "\" points=\"";
    for (const Point& p : points) svg += at(p) + " ";
    svg += "\"/>\n";
    for (const Point& p : points) {
      if (!dots) break;
      const std::string place = at(p);
      svg += "<circle cx=\"" + place.substr(0, place.find(',')) + "\" cy=\"" + place.substr(place.find(',') + 1) + "\" r=\"3\" fill=\"" + color + "\"/>\n";
    }
  };
  curve(training, "#1f77b4", false);
  curve(validation, "#d62728", true);
  svg += "<text x=\"370\" y=\"358\" text-anchor=\"middle\">step</text><text x=\"680\" y=\"14\" text-anchor=\"end\" fill=\"#1f77b4\">training loss</text>";
  if (!validation.empty()) svg += "<text x=\"580\" y=\"14\" text-anchor=\"end\" fill=\"#d62728\">validation loss</text>";
  return svg + "\n</svg>\n";
}

}  // namespace polymath
