// Polymath: a native engine for transformer abilities. Start here.
//
//   auto ner = polymath::pipeline("ner", "path/to/checkpoint", {{"aggregation_strategy", "simple"}});
//   for (auto& e : ner("Ada met Charles in London")) std::cout << e.word << ' ' << e.entity_group << '\n';
//
//   polymath::Chat chat("path/to/qwen");  // remembers its turns
//   for (auto piece : chat.stream("Name three rivers.")) std::cout << piece << std::flush;
//
// Strings are UTF-8. Errors are polymath::Error (error.h); the library never prints and never ends the process.
#pragma once

#include "polymath/chat.h"
#include "polymath/error.h"
#include "polymath/pipeline.h"
