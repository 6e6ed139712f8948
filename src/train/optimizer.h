// What a step along the gradients does to the parameters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "tensor/parameter.h"

namespace polymath {

struct OptimizerOptions {
  std::string kind = "adamw";  // or sgd, adafactor
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0.01;  // of matrices; biases and norms have none
  double momentum = 0.9;       // of sgd
};

// AdamW (Loshchilov and Hutter 2019) and SGD with momentum as torch.optim computes them; Adafactor (Shazeer and Stern 2018,
// without momentum, with its relative step size off and clipping at 1). Values have the same bits for any number of threads.
// Not thread safe; the parameters must outlive it.
class Optimizer {
 public:
  // Throws Error naming an unknown kind.
  Optimizer(OptimizerOptions options, std::vector<Parameter*> parameters);

  const std::vector<Parameter*>& parameters() const { return parameters_; }

  // The norm of all gradients as one vector; NaN or infinite where one of them is.
  double gradient_norm() const;
  void scale_gradients(double factor) const;

  // rates: [parameters], how far each goes; one that is not trained now stays as it is, and its moments too, as in torch where
  // there is no gradient. ParameterStore::refresh() is for the caller.
  void step(const std::vector<double>& rates);

  // All that step() remembers, as named arrays over its own memory: to go on from there, their bytes may be replaced.
  std::vector<NamedArray> state();
  // The numbers among it: each parameter's step count and powers of the betas.
  std::vector<double> counters() const;
  // Takes back what counters() gave. Throws Error where it is something else.
  void set_counters(const std::vector<double>& counters, const std::string& where);

 private:
  struct Moments {
    std::vector<float> first, second;  // adamw; sgd: first alone; adafactor: of rows and columns, or first empty and second of all
    std::int64_t steps = 0;
    double beta1_power = 1, beta2_power = 1;
  };
  void step_adamw(Parameter& p, Moments& m, double rate) const;
  void step_sgd(Parameter& p, Moments& m, double rate) const;
  void step_adafactor(Parameter& p, Moments& m, double rate) const;

  OptimizerOptions options_;
  std::vector<Parameter*> parameters_;
  std::vector<Moments> moments_;
};

}  // namespace polymath
