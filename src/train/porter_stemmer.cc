// The algorithm for suffix stripping (Porter 1980) with the changes that NLTK makes by default: irregular words, "ies" and "ied" after one
// letter, y to i after a consonant only, and the endings alli, bli, fulli and logi.
#include <algorithm>
#include <map>
#include <vector>

#include "train/metrics.h"

namespace polymath {
namespace {

bool is_vowel(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }

// For each letter whether it is a consonant: a y is one where none stands before it.
std::vector<bool> consonants_of(std::string_view word) {
  std::vector<bool> is(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) is[i] = word[i] == 'y' ? i == 0 || !is[i - 1] : !is_vowel(word[i]);
  return is;
}

int measure(std::string_view stem) {  // how often a consonant follows a vowel
  const auto is = consonants_of(stem);
  int m = 0;
  for (std::size_t i = 1; i < is.size(); ++i) m += !is[i - 1] && is[i];
  return m;
}

bool has_vowel(std::string_view stem) {
  const auto is = consonants_of(stem);
  return std::find(is.begin(), is.end(), false) != is.end();
}

bool ends_short(std::string_view word) {  // consonant, vowel, consonant that is not w, x or y; or all of two letters
  const auto is = consonants_of(word);
  const std::size_t n = word.size();
  if (n == 2) return !is[0] && is[1];
  return n >= 3 && is[n - 3] && !is[n - 2] && is[n - 1] && word[n - 1] != 'w' && word[n - 1] != 'x' && word[n - 1] != 'y';
}

std::string_view without(std::string_view word, std::size_t letters) { return word.substr(0, word.size() - letters); }

struct Rule {
  std::string_view suffix, replacement;
};

// The first rule whose suffix the word has decides: it holds where the stem's measure is above `least`.
std::string apply(const std::string& word, const std::vector<Rule>& rules, int least) {
  for (const Rule& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    const std::string_view stem = without(word, rule.suffix.size());
    return measure(stem) > least ? std::string(stem) + std::string(rule.replacement) : word;
  }
  return word;
}

std::string plurals(const std::string& word) {
  if (word.ends_with("ies")) return std::string(without(word, word.size() == 4 ? 1 : 2));
  if (word.ends_with("sses")) return std::string(without(word, 2));
  if (word.ends_with('s') && !word.ends_with("ss")) return std::string(without(word, 1));
  return word;
}

std::string past_and_progressive(const std::string& word) {
  if (word.ends_with("ied")) return std::string(without(word, word.size() == 4 ? 1 : 2));
  if (word.ends_with("eed")) return measure(without(word, 3)) > 0 ? std::string(without(word, 1)) : word;
  std::string stem;
  if (word.ends_with("ed") && has_vowel(without(word, 2))) stem = without(word, 2);
  else if (word.ends_with("ing") && has_vowel(without(word, 3))) stem = without(word, 3);
  else return word;
  if (stem.ends_with("at") || stem.ends_with("bl") || stem.ends_with("iz")) return stem + "e";
  const char last = stem.back();
  if (stem.size() >= 2 && stem[stem.size() - 2] == last && consonants_of(stem).back()) {
    return last == 'l' || last == 's' || last == 'z' ? stem : std::string(without(stem, 1));
  }
  return measure(stem) == 1 && ends_short(stem) ? stem + "e" : stem;
}

std::string final_y(const std::string& word) {
  const bool changes = word.size() > 2 && word.ends_with('y') && consonants_of(word)[word.size() - 2];
  return changes ? std::string(without(word, 1)) + "i" : word;
}

std::string double_suffixes(const std::string& word) {
  if (word.ends_with("alli") && measure(without(word, 4)) > 0) return double_suffixes(std::string(without(word, 2)));
  static const std::vector<Rule> kRules = {
      {"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"},    {"bli", "ble"},     {"alli", "al"},
      {"entli", "ent"},   {"eli", "e"},       {"ousli", "ous"}, {"ization", "ize"}, {"ation", "ate"}, {"ator", "ate"},    {"alism", "al"},
      {"iveness", "ive"}, {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"}, {"iviti", "ive"},  {"biliti", "ble"},  {"fulli", "ful"}};
  // The l of "logi" counts for its stem.
  if (word.ends_with("logi")) return measure(without(word, 3)) > 0 ? std::string(without(word, 1)) : word;
  return apply(word, kRules, 0);
}

std::string last_suffixes(const std::string& word) {
  static const std::vector<Rule> kRules = {{"al", ""},   {"ance", ""}, {"ence", ""},  {"er", ""},   {"ic", ""},  {"able", ""}, {"ible", ""}, {"ant", ""},
                                           {"ement", ""}, {"ment", ""}, {"ent", ""},  {"ou", ""},   {"ism", ""}, {"ate", ""},  {"iti", ""},  {"ous", ""},
                                           {"ive", ""},   {"ize", ""}};
  if (word.ends_with("ion")) {
    const std::string_view stem = without(word, 3);
    return measure(stem) > 1 && (stem.back() == 's' || stem.back() == 't') ? std::string(stem) : word;
  }
  return apply(word, kRules, 1);
}

std::string final_e(const std::string& word) {
  if (!word.ends_with('e')) return word;
  const std::string_view stem = without(word, 1);
  const int m = measure(stem);
  return m > 1 || (m == 1 && !ends_short(stem)) ? std::string(stem) : word;
}

std::string final_l(const std::string& word) { return word.ends_with("ll") && measure(without(word, 1)) > 1 ? std::string(without(word, 1)) : word; }

}  // namespace

std::string porter_stem(const std::string& word) {
  static const std::map<std::string, std::string> kIrregular = {
      {"sky", "sky"},       {"skies", "sky"},     {"dying", "die"},        {"lying", "lie"},       {"tying", "tie"},   {"news", "news"},
      {"inning", "inning"}, {"innings", "inning"}, {"outing", "outing"},   {"outings", "outing"},  {"canning", "canning"}, {"cannings", "canning"},
      {"howe", "howe"},     {"proceed", "proceed"}, {"exceed", "exceed"},  {"succeed", "succeed"}};
  if (const auto found = kIrregular.find(word); found != kIrregular.end()) return found->second;
  if (word.size() <= 2) return word;
  static const std::vector<Rule> kThird = {{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""}};
  std::string stem = final_y(past_and_progressive(plurals(word)));
  stem = last_suffixes(apply(double_suffixes(stem), kThird, 0));
  return final_l(final_e(stem));
}

}  // namespace polymath
