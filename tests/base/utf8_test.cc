#include "base/utf8.h"

#include <gtest/gtest.h>

namespace polymath {
namespace {

TEST(Utf8, RoundTripsEveryCodePoint) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string text;
    utf8_append(text, code);
    Utf8Char c = utf8_decode(text);
    ASSERT_TRUE(c.valid && c.code == code && c.length == static_cast<int>(text.size())) << static_cast<unsigned>(code);
  }
}

TEST(Utf8, ReplacesMaximalInvalidPrefixes) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(utf8_lossy("a\xFF" "b"), "a" + r + "b");
  EXPECT_EQ(utf8_lossy("\xE4\xBD"), r);                  // cut short: one
  EXPECT_EQ(utf8_lossy("\xE4\xBD" "x"), r + "x");
  EXPECT_EQ(utf8_lossy("\xC0\x80"), r + r);              // overlong
  EXPECT_EQ(utf8_lossy("\xED\xA0\x80"), r + r + r);      // surrogate
  EXPECT_EQ(utf8_lossy("\xF4\x90\x80\x80"), r + r + r + r);
  EXPECT_FALSE(utf8_valid("\xF0\x9F\x98"));
  EXPECT_TRUE(utf8_valid("\xF0\x9F\x98\x80"));
}

TEST(Utf8, SlicesByCodePoint) {
  EXPECT_EQ(utf8_slice("aé漢b", 1, 3), "é漢");
  EXPECT_EQ(utf8_slice("aé", 1, 9), "é");
  EXPECT_EQ(utf8_slice("aé", 5, 9), "");
  EXPECT_EQ(utf8_length("aé漢😀"), 4u);
}

}  // namespace
}  // namespace polymath
