// polymath quantize DIR -o OUT --dtype q8|q4|bf16
#include <chrono>
#include <iostream>
#include <memory>

#include "cli/cli.h"
#include "cli/progress.h"
#include "models/quantize.h"
#include "polymath/error.h"

namespace polymath::cli {
namespace {

struct Arguments {
  std::string folder, out;
  bool json = false;
};

int quantize(const Arguments& a, const Common& common) {
  const LoadType type = load_type_named(common.dtype);
  if (type == LoadType::kAuto || type == LoadType::kF32) throw Error(ErrorCode::kInvalidArgument, "must be q8, q4 or bf16", "--dtype");
  std::unique_ptr<Progress> progress;
  const auto start = std::chrono::steady_clock::now();
  const QuantizeReport r = quantize_checkpoint(a.folder, a.out, type, [&](std::size_t done, std::size_t total) {
    if (!progress) progress = std::make_unique<Progress>(total, "tensors", common.quiet);
    progress->reach(done);
  });
  if (progress) progress->clear();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto mb = [](std::uint64_t bytes) { return static_cast<double>(bytes) * 1e-6; };
  if (a.json) {
    std::cout << dump_json({{"output", a.out}, {"dtype", common.dtype}, {"mb_before", mb(r.bytes_before)}, {"mb_after", mb(r.bytes_after)},
                            {"tensors_quantized", r.quantized}, {"tensors_kept", r.kept}, {"seconds", seconds}}) << '\n';
  } else {
    std::cout << a.out << ": " << mb(r.bytes_before) << " MB of weights are now " << mb(r.bytes_after) << " MB (" << r.quantized << " tensors in "
              << common.dtype << ", " << r.kept << " as they were)\n";
  }
  return 0;
}

}  // namespace

void add_quantize(CLI::App& app, Common& common, Action& action) {
  auto a = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("quantize", "write a checkpoint folder with smaller weights, which loads quickly");
  add_model(*verb, "DIR", a->folder, "checkpoint folder")->required();
  verb->add_option("-o,--output", a->out, "the new folder, which must not exist")->required();
  verb->add_flag("--json", a->json, "one JSON object: output, dtype, mb_before, mb_after, tensors_quantized, tensors_kept, seconds");
  verb->footer("Example:\n  polymath quantize path/to/checkpoint -o path/to/smaller --dtype q4\n  polymath chat path/to/smaller");
  add_common(*verb, common);
  verb->callback([a, &common, &action] { action = [a, &common] { return quantize(*a, common); }; });
}

}  // namespace polymath::cli
