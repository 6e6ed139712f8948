// How the kernel files hand their functions to the table.
#pragma once

#include "kernels/kernels.h"

namespace polymath::kernels {

// Each fills its part of the table with the functions of the instruction set that is chosen now.
void fill_gradients(Table& t);
void fill_limits(Table& t);
void fill_matmul(Table& t);
void fill_matmul_quantized(Table& t);
void fill_recurrent(Table& t);
void fill_rowwise(Table& t);

}  // namespace polymath::kernels
