#include "tensor/parameter.h"

#include <algorithm>
#include <cstring>

#include "kernels/kernels.h"
#include "tensor/quantize.h"

namespace polymath {

TensorView& ParameterStore::of(const TensorView& tensor) {
  auto& kept = kept_[tensor.name];
  if (!kept) {
    kept = std::make_unique<Kept>();
    Parameter& p = kept->parameter;
    p.name = tensor.name;
    p.shape = tensor.shape;
    p.values = read_f32(tensor);
    tensor.drop();
    kept->view = {.name = p.name,
                  .dtype = DType::kF32,
                  .shape = p.shape,
                  .data = {reinterpret_cast<const std::uint8_t*>(p.values.data()), p.values.size() * sizeof(float)},
                  .parameter = &p};
  }
  return kept->view;
}

void ParameterStore::drop_unread() {
  std::erase_if(kept_, [](const auto& entry) { return entry.second->parameter.gradient.empty(); });
}

std::vector<Parameter*> ParameterStore::all() const {
  std::vector<Parameter*> all;
  for (const auto& [name, kept] : kept_) all.push_back(&kept->parameter);
  return all;
}

void ParameterStore::zero_gradients() {
  for (Parameter* p : all()) std::fill(p->gradient.begin(), p->gradient.end(), 0.0f);
}

void ParameterStore::refresh() {
  for (Parameter* p : all()) {
    for (const auto& reader : p->on_change) reader();
  }
}

Vector::Vector(std::int64_t size, float value) : state_(std::make_shared<State>()) {
  state_->size = size;
  state_->values.assign(static_cast<std::size_t>((size + 15) / 16 * 16), 0.0f);
  std::fill_n(state_->values.begin(), size, value);
}

Vector::Vector(const TensorView& tensor, float offset) : Vector(tensor.elements()) {
  state_->offset = offset;
  place(tensor, 0);
}

void Vector::place(const TensorView& tensor, std::int64_t at) {
  const auto count = static_cast<std::size_t>(tensor.elements()), to = static_cast<std::size_t>(at);
  if (!tensor.parameter) {
    to_f32(tensor.dtype, tensor.data.data(), count, state_->values.data() + to);
    for (std::size_t i = to; i < to + count; ++i) state_->values[i] += state_->offset;
    return;
  }
  Parameter& p = *tensor.parameter;
  p.ask_for_gradient();
  // A view may show a part of its parameter.
  const auto from = static_cast<std::size_t>(reinterpret_cast<const float*>(tensor.data.data()) - p.values.data());
  const Part part{&p, from, count, to};
  state_->parts.push_back(part);
  read(*state_, part);
  p.on_change.push_back([state = state_, part] { read(*state, part); });
}

void Vector::read(State& state, const Part& part) {
  for (std::size_t i = 0; i < part.count; ++i) state.values[part.at + i] = part.parameter->values[part.from + i] + state.offset;
}

bool Vector::trained() const {
  return state_ && std::any_of(state_->parts.begin(), state_->parts.end(), [](const Part& part) { return part.parameter->trained; });
}

void Vector::add_gradient(const float* d) const {
  for (const Part& part : state_->parts) {
    if (!part.parameter->trained) continue;
    float* gradient = part.parameter->gradient.data() + part.from;
    kernels::table().add(gradient, d + part.at, part.count, gradient);
  }
}

void freeze(const TensorView& tensor) {
  if (tensor.parameter) tensor.parameter->trained = false;
}

void to_f32(DType dtype, const std::uint8_t* from, std::size_t count, float* out) {
  switch (dtype) {
    case DType::kF32: std::memcpy(out, from, count * 4); return;
    case DType::kBf16: kernels::table().bf16_to_f32(reinterpret_cast<const std::uint16_t*>(from), count, out); return;
    case DType::kF16: kernels::table().f16_to_f32(reinterpret_cast<const std::uint16_t*>(from), count, out); return;
    default: break;
  }
  for (std::size_t i = 0; i < count; ++i) out[i] = element_to_f32(dtype, from + i * dtype_size(dtype));
}

std::vector<float> read_f32(const TensorView& tensor) {
  if (is_panels(tensor.dtype)) return dequantize(tensor);
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  to_f32(tensor.dtype, tensor.data.data(), values.size(), values.data());
  return values;
}

}  // namespace polymath
