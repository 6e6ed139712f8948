// Classes, entities and correlations.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "train/metrics.h"

namespace polymath {
namespace {

double divided(double a, double b) { return b == 0 ? 0 : a / b; }

// What was right, predicted and true.
struct Counts {
  std::size_t right = 0, predicted = 0, truth = 0;
};

ClassFigures figures_of(const Counts& c) {
  const auto right = static_cast<double>(c.right), predicted = static_cast<double>(c.predicted), truth = static_cast<double>(c.truth);
  return {divided(right, predicted), divided(right, truth), divided(2 * right, truth + predicted), c.truth};
}

// The mean over the classes, with equal weights or by their support.
ClassFigures mean_of(const std::map<std::string, ClassFigures>& classes, bool by_support) {
  ClassFigures mean;
  double weights = 0;
  for (const auto& [unused, f] : classes) {
    const double weight = by_support ? static_cast<double>(f.support) : 1;
    mean.precision += weight * f.precision;
    mean.recall += weight * f.recall;
    mean.f1 += weight * f.f1;
    mean.support += f.support;
    weights += weight;
  }
  mean.precision = divided(mean.precision, weights);
  mean.recall = divided(mean.recall, weights);
  mean.f1 = divided(mean.f1, weights);
  return mean;
}

// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + 1 + end) / 2;
    begin = end;
  }
  return ranks;
}

// A tag in two parts: its first character, and what it is a part of ("_" where it does not say).
struct Tag {
  char place = 'O';
  std::string_view type;
};

Tag tag_of(std::string_view tag) {
  if (tag.empty()) return {'O', "_"};
  std::string_view type = tag.substr(1);
  if (const auto dash = type.find('-'); dash != std::string_view::npos) type.remove_prefix(dash + 1);
  return {tag[0], type.empty() ? "_" : type};
}

bool is_outside(char place) { return place == 'O' || place == '.'; }

bool ends_between(const Tag& before, const Tag& tag) {
  if (before.place == 'E' || before.place == 'S') return true;
  if ((before.place == 'B' || before.place == 'I') && (tag.place == 'B' || tag.place == 'S' || tag.place == 'O')) return true;
  return !is_outside(before.place) && before.type != tag.type;
}

bool begins_between(const Tag& before, const Tag& tag) {
  if (tag.place == 'B' || tag.place == 'S') return true;
  if ((before.place == 'E' || before.place == 'S' || before.place == 'O') && (tag.place == 'E' || tag.place == 'I')) return true;
  return !is_outside(tag.place) && before.type != tag.type;
}

}  // namespace

ClassificationFigures classification_figures(std::span<const std::string> truth, std::span<const std::string> predicted) {
  std::map<std::string, Counts> counts;
  std::size_t right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    ++counts[truth[i]].truth;
    ++counts[predicted[i]].predicted;
    if (truth[i] != predicted[i]) continue;
    ++counts[truth[i]].right;
    ++right;
  }
  ClassificationFigures f;
  const auto n = static_cast<double>(truth.size());
  f.accuracy = f.f1_micro = divided(static_cast<double>(right), n);
  double cross = 0, of_truth = n * n, of_predicted = n * n;
  for (const auto& [label, c] : counts) {
    f.classes[label] = figures_of(c);
    const auto t = static_cast<double>(c.truth), p = static_cast<double>(c.predicted);
    cross += t * p;
    of_truth -= t * t;
    of_predicted -= p * p;
  }
  f.f1_macro = mean_of(f.classes, false).f1;
  f.f1_weighted = mean_of(f.classes, true).f1;
  f.matthews = of_truth * of_predicted == 0 ? 0 : (static_cast<double>(right) * n - cross) / std::sqrt(of_truth * of_predicted);
  return f;
}

std::vector<Entity> entities_of(std::span<const std::string> tags) {
  std::vector<Entity> entities;
  Tag before{'O', ""};
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= tags.size(); ++i) {
    const Tag tag = tag_of(i < tags.size() ? std::string_view(tags[i]) : "O");
    if (ends_between(before, tag)) entities.push_back({std::string(before.type), begin, i - 1});
    if (begins_between(before, tag)) begin = i;
    before = tag;
  }
  return entities;
}

EntityFigures entity_figures(std::span<const std::vector<std::string>> truth, std::span<const std::vector<std::string>> predicted) {
  std::map<std::string, Counts> counts;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto expected = entities_of(truth[i]), found = entities_of(predicted[i]);
    const std::set<Entity> known(expected.begin(), expected.end());
    for (const Entity& e : expected) ++counts[e.type].truth;
    for (const Entity& e : found) {
      ++counts[e.type].predicted;
      if (known.contains(e)) ++counts[e.type].right;
    }
  }
  EntityFigures f;
  Counts all;
  for (const auto& [type, c] : counts) {
    f.types[type] = figures_of(c);
    all.right += c.right;
    all.predicted += c.predicted;
    all.truth += c.truth;
  }
  f.micro = figures_of(all);
  f.macro = mean_of(f.types, false);
  f.weighted = mean_of(f.types, true);
  return f;
}

double pearson(std::span<const double> x, std::span<const double> y) {
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n, mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  if (x.size() < 2 || !(xx > 0) || !(yy > 0)) return std::numeric_limits<double>::quiet_NaN();
  return std::clamp(xy / std::sqrt(xx) / std::sqrt(yy), -1.0, 1.0);
}

double spearman(std::span<const double> x, std::span<const double> y) {
  return pearson(ranks_of(x), ranks_of(y));
}

}  // namespace polymath
