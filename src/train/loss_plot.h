// The losses of a training as a picture.
#pragma once

#include <string>

#include "base/json.h"

namespace polymath {

// history: the reports of steps and evaluations (train/trainer.h). Lines of text for a terminal; empty where there are fewer
// than two losses.
std::string loss_plot_text(const Json& history, int width, int height);

// The same as an SVG file: losses of training and validation over the steps.
std::string loss_plot_svg(const Json& history);

}  // namespace polymath
