// Names in a sentence, with the installed library: entities MODEL-FOLDER "SENTENCE"
#include <iostream>

#include <polymath/polymath.h>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: entities MODEL-FOLDER SENTENCE\n";
    return 2;
  }
  try {
    auto ner = polymath::pipeline("ner", argv[1], {{"aggregation_strategy", "simple"}});
    for (auto& e : ner(argv[2])) std::cout << e.word << ' ' << e.entity_group << '\n';
  } catch (const polymath::Error& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
