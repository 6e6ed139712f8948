#include "models/quantize.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "base/file.h"
#include "base/printable.h"
#include "formats/panels.h"
#include "models/adapter.h"
#include "models/model.h"
#include "polymath/error.h"
#include "tensor/quantize.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMethod = "polymath";

const char* type_name(LoadType type) { return type == LoadType::kQ8 ? "q8" : type == LoadType::kQ4 ? "q4" : "bf16"; }

// How one tensor goes into the new file.
struct Plan {
  const TensorView* tensor = nullptr;
  std::optional<Storage> storage;  // absent: as it is
  bool transposed = false;

  std::uint64_t n() const { return static_cast<std::uint64_t>(transposed ? tensor->shape[1] : tensor->elements() / tensor->shape.back()); }
  std::uint64_t k() const { return static_cast<std::uint64_t>(transposed ? tensor->shape[0] : tensor->shape.back()); }
  DType dtype() const {
    if (!storage) return tensor->dtype;
    return *storage == Storage::kQ8 ? DType::kQ8 : *storage == Storage::kQ4 ? DType::kQ4 : DType::kBf16;
  }
  std::uint64_t bytes() const {
    if (!storage) return tensor->data.size();
    if (is_quantized(*storage)) return panels_bytes(dtype(), n(), k(), tensor->name);
    return static_cast<std::uint64_t>(tensor->elements()) * 2;
  }
};

// Whether all ways in which the model takes the tensor can be served from its panels.
bool fits_panels(const TensorView& tensor, const std::vector<const WeightUse*>& uses) {
  const std::size_t axes = tensor.shape.size();
  if (axes < 2 || axes > 3 || tensor.elements() == 0) return false;
  const auto rows = static_cast<std::size_t>(axes == 2 ? tensor.shape[0] : tensor.shape[1]);
  const std::size_t row_bytes = tensor.data.size() / static_cast<std::size_t>(tensor.elements() / tensor.shape.back());
  for (const WeightUse* use : uses) {
    if (use->transposed != uses[0]->transposed || (axes == 3 && (use->transposed || rows % kPanelOutputs != 0))) return false;
    const auto begin = static_cast<std::size_t>(use->tensor.data.data() - tensor.data.data()), end = begin + use->tensor.data.size();
    const bool part = begin != 0 || end != tensor.data.size();
    if (part && (use->transposed || begin / row_bytes % kPanelOutputs != 0)) return false;
    if (part && end != tensor.data.size() && end / row_bytes % kPanelOutputs != 0) return false;
  }
  return true;
}

Plan plan_of(const TensorView& tensor, const std::vector<const WeightUse*>& uses, LoadType type) {
  Plan plan{&tensor, std::nullopt, false};
  if (uses.empty() || !is_float(tensor.dtype)) return plan;
  if (type == LoadType::kBf16) {
    plan.storage = Storage::kBf16;
    return plan;
  }
  std::optional<Storage> storage;  // that all uses agree on; a table is content with what the others want
  bool tables_only = true;
  for (const WeightUse* use : uses) {
    if (use->table) continue;
    tables_only = false;
    if (!is_quantized(use->storage) || (storage && *storage != use->storage)) return plan;
    storage = use->storage;
  }
  if (tables_only && tensor.shape[1] >= static_cast<std::int64_t>(kPanelBlock)) storage = Storage::kQ8;
  if (!storage || !fits_panels(tensor, uses)) return plan;
  plan.storage = storage;
  plan.transposed = uses[0]->transposed;
  return plan;
}

// The bytes of a tensor as planned; panels or halves hold them where they are new.
Bytes content_of(const Plan& plan, Weight& panels, std::vector<std::uint16_t>& halves) {
  if (!plan.storage) return plan.tensor->data;
  if (is_quantized(*plan.storage)) {
    TensorView matrix = *plan.tensor;
    matrix.shape = plan.transposed ? matrix.shape : std::vector<std::int64_t>{static_cast<std::int64_t>(plan.n()), static_cast<std::int64_t>(plan.k())};
    const TensorView* one[] = {&matrix};
    panels = Weight::pack(one, *plan.storage == Storage::kQ8 ? LoadType::kQ8 : LoadType::kQ4, plan.transposed);
    return {static_cast<const std::uint8_t*>(panels.panel(0)), panels.bytes()};
  }
  const auto values = read_f32(*plan.tensor);
  plan.tensor->drop();
  halves.resize(values.size());
  std::transform(values.begin(), values.end(), halves.begin(), f32_to_bf16);
  return {reinterpret_cast<const std::uint8_t*>(halves.data()), halves.size() * 2};
}

// Weights of this folder in any program's format: they stay behind.
bool is_weight_file(const fs::path& path) {
  const std::string name = path.filename().string(), extension = path.extension().string();
  static constexpr const char* kExtensions[] = {".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".ot", ".onnx", ".gguf", ".ckpt", ".tflite", ".npz"};
  return name.ends_with(".index.json") || std::any_of(std::begin(kExtensions), std::end(kExtensions), [&](const char* e) { return extension == e; });
}

void copy_other_files(const std::string& folder, const std::string& out) {
  for (const std::string& path : files_below(folder)) {
    const fs::path relative = fs::path(path).lexically_relative(folder);
    const bool top = !relative.has_parent_path();
    if (relative.begin()->string().starts_with(".") || (top && (is_weight_file(relative) || relative == "config.json"))) continue;
    std::error_code error;
    fs::create_directories((fs::path(out) / relative).parent_path(), error);
    if (!error) fs::copy_file(path, fs::path(out) / relative, error);
    if (error) throw Error(ErrorCode::kIo, "cannot copy to " + (fs::path(out) / relative).string() + ": " + error.message(), path);
  }
}

void write_weights(const std::string& path, const std::vector<Plan>& plans, const std::function<void(std::size_t, std::size_t)>& progress) {
  std::vector<NamedArray> arrays;
  std::vector<PanelsEntry> entries;
  for (const Plan& plan : plans) {
    const bool panels = is_panels(plan.dtype());
    if (panels) entries.push_back({plan.tensor->name, plan.dtype(), plan.tensor->shape, plan.transposed});
    arrays.push_back({plan.tensor->name, panels ? DType::kU8 : plan.dtype(), panels ? std::vector{static_cast<std::int64_t>(plan.bytes())} : plan.tensor->shape, {}});
  }
  std::map<std::string, std::string> metadata{{"format", "pt"}};
  if (!entries.empty()) metadata[kPanelsKey] = panels_metadata(entries);
  Weight panels;
  std::vector<std::uint16_t> halves;
  write_safetensors_in_turn(path, arrays, [&](std::size_t i) { return plans[i].bytes(); }, [&](std::size_t i) {
    if (progress) progress(i, plans.size());
    return content_of(plans[i], panels, halves);
  }, metadata);
  if (progress) progress(plans.size(), plans.size());
}

Json config_of(const std::string& folder, LoadType type) {
  Json config = read_json_file(join_path(folder, "config.json"));
  if (type == LoadType::kBf16) {
    for (const char* field : {"dtype", "torch_dtype"}) {
      if (config.contains(field)) config[field] = "bfloat16";
    }
  } else config["quantization_config"] = {{"quant_method", kMethod}, {"version", kPanelsVersion}, {"dtype", type_name(type)}};
  return config;
}

}  // namespace

LoadType saved_type(const Config& config) {
  const Json* found = config.find("quantization_config");
  if (!found || found->is_null()) return LoadType::kAuto;
  const std::string where = config.path() + ": quantization_config";
  const std::string method = found->is_object() ? found->value("quant_method", Json("")).dump() : "";
  if (method != "\"" + std::string(kMethod) + "\"") {
    throw Error(ErrorCode::kUnsupported, "names the method " + printable(method, 60) + ", whose weights this program cannot read", where);
  }
  const Json dtype = found->value("dtype", Json(""));
  if (dtype == "q8") return LoadType::kQ8;
  if (dtype == "q4") return LoadType::kQ4;
  throw Error(ErrorCode::kBadFile, "its dtype is not q8 or q4", where);
}

QuantizeReport quantize_checkpoint(const std::string& folder, const std::string& out, LoadType type,
                                   const std::function<void(std::size_t, std::size_t)>& progress) {
  if (Adapter::open(folder)) throw Error(ErrorCode::kUnsupported, "is an adapter; quantize the folder of its base", folder);
  if (saved_type(Config::load(folder)) != LoadType::kAuto) throw Error(ErrorCode::kUnsupported, "is quantized already", folder);
  if (file_exists(out)) throw Error(ErrorCode::kIo, "is there already", out);

  std::vector<WeightUse> uses;
  const LoadedModel loaded = [&] {
    RecordUses recording(uses);
    return LoadedModel::load(folder, type).without_model();
  }();
  std::map<std::string, std::vector<const WeightUse*>> uses_of;
  for (const WeightUse& use : uses) uses_of[use.tensor.name].push_back(&use);
  std::vector<Plan> plans;
  QuantizeReport report;
  for (const auto& [name, tensor] : loaded.checkpoint().tensors()) {
    plans.push_back(plan_of(tensor, uses_of[name], type));
    report.bytes_before += tensor.data.size();
    report.bytes_after += plans.back().bytes();
    ++(plans.back().storage ? report.quantized : report.kept);
  }

  fs::path target = fs::path(out).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();  // it ended in a slash
  const std::string temporary = (target.parent_path() / ("." + target.filename().string() + ".tmp" + std::to_string(::getpid()))).string();
  std::error_code error;
  fs::create_directory(temporary, error);
  if (error) throw Error(ErrorCode::kIo, "cannot create a folder there: " + error.message(), out);
  try {
    write_weights(join_path(temporary, "model.safetensors"), plans, progress);
    write_file_atomically(join_path(temporary, "config.json"), config_of(folder, type).dump(2) + "\n");
    copy_other_files(folder, temporary);
    fs::rename(temporary, target, error);
    if (error) throw Error(ErrorCode::kIo, "cannot be put in place: " + error.message(), out);
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
  return report;
}

}  // namespace polymath
