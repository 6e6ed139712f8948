#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "polymath/error.h"

namespace polymath {
namespace {

TEST(Json, KeepsTheOrderOfKeys) { EXPECT_EQ(dump_json(parse_json(R"({"b":1,"a":[true,null,"é"]})", "t")), R"({"b": 1, "a": [true, null, "é"]})"); }

TEST(Json, WritesNumbersAsPythonDoes) {
  Json numbers = {1.0, 0.5, 1e-5, 1.5e16, 1e22, 0.1, -0.0, 123456789.125, 3, 0.0001};
  EXPECT_EQ(dump_json(numbers), "[1.0, 0.5, 1e-05, 1.5e+16, 1e+22, 0.1, -0.0, 123456789.125, 3, 0.0001]");
}

TEST(Json, ReadsPythonsSpecialNumbers) {
  Json value = parse_json(R"({"a": NaN, "b": [Infinity, -Infinity, "NaN"]})", "t");
  EXPECT_TRUE(std::isnan(value["a"].get<double>()));
  EXPECT_EQ(dump_json(value), R"({"a": NaN, "b": [Infinity, -Infinity, "NaN"]})");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* bad : {"", "{", "[1,]", "{\"a\":}", "nul", "\"\xff\"", "[1] 2", "1e999", "{'a':1}"}) {
    EXPECT_THROW(parse_json(bad, "t"), Error) << bad;
  }
}

TEST(Json, RefusesDeepNestingWithoutRecursion) {
  EXPECT_NO_THROW(parse_json(std::string(64, '[') + std::string(64, ']'), "t"));
  EXPECT_THROW(parse_json(std::string(65, '[') + std::string(65, ']'), "t"), Error);
  EXPECT_THROW(parse_json(std::string(10'000'000, '['), "t"), Error);
}

TEST(Json, NamesThePlaceOfAnError) {
  try {
    parse_json("{\"a\": 1,\n \"b\": }", "config.json");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where, "config.json");
    EXPECT_NE(e.reason.find("line 2"), std::string::npos) << e.reason;
    EXPECT_EQ(e.reason.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace polymath
