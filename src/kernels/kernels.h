// Arithmetic on raw pointers, one table of functions per instruction set.
//
// Goals: the same bits on every instruction set, for any number of rows and any
// split of the work. A matrix product adds over k in ascending order with one
// fused multiply-add per step; every other reduction adds lane i%16 in ascending
// order and folds the 16 lanes by halves. Non-goals: allocation, errors, threads:
// callers check shapes and split the work.
//
// Matrices are row-major. A packed weight [N, K] is stored in panels of 16 output
// columns: element (k, n) lies at [n/16][k][n%16]; the last panel is padded with zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace polymath::kernels {

inline constexpr std::size_t kLanes = 16;  // columns of a panel
inline constexpr std::size_t kBlock = 32;  // values of k that share a scale in q8 and q4 storage

// How the numbers of a weight are stored. Arithmetic is in float32.
enum class Storage { kF32, kBf16, kF16, kQ8, kQ4 };

// The names are those of config.json's hidden_act.
enum class Activation { kNone, kGelu, kGeluTanh, kRelu, kSilu, kTanh, kSigmoid, kQuickGelu, kRelu2,
                        kGelu10, kLaplace, kLeakyRelu, kMish, kRelu6, kHardSwish };

// What happens to a product before it is stored: c = act(scale * product + bias) + residual.
struct Epilogue {
  const float* bias = nullptr;  // [n rounded up to 16]
  Activation activation = Activation::kNone;
  float scale = 1.0f;
  const float* residual = nullptr;  // [m, n]
  std::size_t residual_stride = 0;
};

struct Matmul {
  const float* a = nullptr;  // [m, k], rows a_stride apart
  std::size_t a_stride = 0;
  const void* b = nullptr;      // element (k, n) at [n/16 * panel_stride + k * k_stride + n%16]
  std::size_t k_stride = 16;    // in elements
  std::size_t panel_stride = 0;
  float* c = nullptr;  // [m, n], rows c_stride apart
  std::size_t c_stride = 0;
  std::size_t m = 0, k = 0, n = 0;
  bool accumulate = false;  // the sums go on from what c holds: a product over k in pieces has the bits of the whole
  Epilogue epilogue;
};

// Rows of float32 turned into blocks of 32 signed bytes with one scale each: x = scale * q.
struct QuantizedRows {
  std::int8_t* q = nullptr;     // [m, blocks * 32], zero beyond k
  float* scale = nullptr;       // [m, blocks]
  std::int32_t* sum = nullptr;  // [m, blocks], the sum of a block's q
  std::size_t blocks = 0;       // per row: k rounded up to 32, over 32
};

// One panel-block of q8 storage: 32 values of k for 16 columns. Bytes hold q + 128, for k in
// groups of four: [k/4][column][k%4]; scale is float16. Blocks lie at [panel][k/32].
struct Q8Block {
  std::uint16_t scale[kLanes];
  std::uint8_t q[kBlock * kLanes];
};
static_assert(sizeof(Q8Block) == 544);

// The same of q4 storage. Half bytes hold q + 8: the lower ones for the first sixteen k, the upper ones for the others,
// in groups of four as above.
struct Q4Block {
  std::uint16_t scale[kLanes];
  std::uint8_t q[kBlock * kLanes / 2];
};
static_assert(sizeof(Q4Block) == 288);

struct Table {
  const char* name;  // "avx512", "avx2", ...

  void (*matmul)(Storage, const Matmul&);  // kF32, kBf16, kF16
  // As matmul with b: Q8Block [n/16 panels][blocks] and rows quantized before.
  void (*matmul_q8)(const QuantizedRows& a, const Q8Block* b, const Matmul&);
  void (*matmul_q4)(const QuantizedRows& a, const Q4Block* b, const Matmul&);
  void (*quantize_rows)(const float* x, std::size_t x_stride, std::size_t m, std::size_t k, const QuantizedRows& out);

  // x: [32][16], the values of a panel-block -> [16] scales for whole numbers from `least` to -1 - least: of the columns'
  // value of largest magnitude over -levels[0], -levels[1], ... those, as float16, that leave the least squared error.
  void (*fit_scales)(const float* x, float least, const float* levels, std::size_t count, float* scales);

  // y = (x - mean) / sqrt(variance + eps) * weight + bias over rows of d; bias may be null.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, std::size_t rows, std::size_t d,
                     float* y);
  // y = x / sqrt(mean(x^2) + eps) * weight over rows of d, x_stride and y_stride apart.
  void (*rms_norm)(const float* x, std::size_t x_stride, const float* weight, float eps, std::size_t rows, std::size_t d, float* y,
                   std::size_t y_stride);
  // x[i] <- softmax over the n values of each row; rows stride apart. -inf gives 0; a row of -inf gives 0.
  void (*softmax)(float* x, std::size_t rows, std::size_t n, std::size_t stride);
  // What softmax divides by: the sum of exp(x[i] - largest) over n values, 0 where all are -inf; and the largest.
  float (*exp_sum)(const float* x, std::size_t n, float* largest);
  void (*activate)(Activation, const float* x, std::size_t n, float* y);
  void (*add)(const float* a, const float* b, std::size_t n, float* y);
  void (*multiply)(const float* a, const float* b, std::size_t n, float* y);
  // Rotates pairs (x[i], x[i + d/2]) of each of `heads` vectors of d by cos/sin [d/2] (the halves' layout of Llama).
  void (*rotate_half)(float* x, const float* cos, const float* sin, std::size_t heads, std::size_t d);
  // y[i][r] = x[r][i] for r < 16, i < n: sixteen rows, stride apart, become one panel [n][16].
  void (*transpose16)(const float* x, std::size_t stride, std::size_t n, float* y);
  void (*bf16_to_f32)(const std::uint16_t* x, std::size_t n, float* y);
  void (*f16_to_f32)(const std::uint16_t* x, std::size_t n, float* y);

  // Gradients (gradients.cc), dy being that of the function's result. Those of a norm's weight and bias [d] are added to;
  // dbias may be null. In rms_norm_gradient x's rows lie side by side, and dx may be dy.
  void (*layer_norm_gradient)(const float* x, const float* weight, float eps, const float* dy, std::size_t rows, std::size_t d, float* dx,
                              float* dweight, float* dbias);
  void (*rms_norm_gradient)(const float* x, const float* weight, float eps, const float* dy, std::size_t dy_stride, std::size_t rows, std::size_t d,
                            float* dx, std::size_t dx_stride, float* dweight);
  // dp <- the gradient of the scores, given that of the probabilities p; rows stride apart.
  void (*softmax_gradient)(const float* p, float* dp, std::size_t rows, std::size_t n, std::size_t stride);
  void (*activate_gradient)(Activation, const float* x, const float* dy, std::size_t n, float* dx);  // dx may be dy
  void (*scale_add)(const float* x, float factor, std::size_t n, float* y);                         // y += factor * x

  // A step of an LSTM. gates: [4 d], what the input, forget, cell and output gates add up to, in torch's order -> what they let
  // through. c = forget * c_before + input * cell, h = output * tanh(c).
  void (*lstm_cell)(float* gates, const float* c_before, std::size_t d, float* c, float* h);
  // Given gates, c_before and c as lstm_cell left them: gates <- the gradient of what it was given, dc <- that of c_before.
  void (*lstm_cell_gradient)(float* gates, const float* c_before, const float* c, const float* dh, std::size_t d, float* dc);

  // For measuring the machine: does `rounds` of multiply-adds from registers, returns how many operations
  // (an add and a multiply each count); reads n values from memory, returns a sum.
  double (*multiply_add_loop)(std::size_t rounds);
  std::uint64_t (*read_loop)(const std::uint64_t* data, std::size_t n);
};

// The table in use: the best that this processor has, or the one that the environment
// variable POLYMATH_ISA names (avx512vnni, avx512, avx2, portable). Thread safe.
const Table& table();

// The names that this processor can run, best first.
std::vector<std::string> available_isas();

// Forces an instruction set for this process; an empty name chooses the best again. False if
// this processor lacks it. Not to be called while kernels run.
bool set_isa(const std::string& name);

}  // namespace polymath::kernels
