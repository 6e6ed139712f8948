// The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes.
// Source: the format's description in the safetensors repository's README.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "formats/dtype.h"

namespace polymath {

struct Parameter;       // tensor/parameter.h
struct LowRankTensors;  // tensor/low_rank.h

// A tensor inside a checkpoint's bytes. Valid while its Checkpoint or SafetensorsFile lives.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;  // each at least 0; the product times the element size is data.size(), but for panels
  Bytes data;
  const MappedFile* file = nullptr;  // where data is mapped from, if it is
  bool transposed = false;           // kQ8 and kQ4: the panels are those of the transpose
  Parameter* parameter = nullptr;    // whose values data is part of, where a model is to be trained
  const LowRankTensors* low_rank = nullptr;  // what changes a layer's weight, or null

  std::int64_t elements() const;
  // The bytes have been used: their pages may leave memory. They stay readable.
  void drop() const {
    if (file) file->drop(data);
  }
};

// Parses a whole file's bytes. Refused with an Error naming `where` and the tensor: headers above 100 MB, more
// than a million tensors, more than 8 axes, unknown types, sizes that do not fit, overlaps, holes, bytes left over.
// metadata: where the strings of __metadata__ go, if anywhere.
std::vector<TensorView> parse_safetensors(Bytes file, const std::string& where, const MappedFile* mapped = nullptr,
                                          std::map<std::string, std::string>* metadata = nullptr);

// model.safetensors.index.json: tensor name -> file name. A file name that leaves the folder is refused.
std::map<std::string, std::string> parse_weight_map(std::string_view json, const std::string& where);

// What write_safetensors writes.
struct NamedArray {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  Bytes data;
};

// Writes a file at one stroke; metadata as the format's __metadata__.
void write_safetensors(const std::string& path, const std::vector<NamedArray>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

// The same of tensors that are made one by one: content(i) gives tensor i's bytes, of which there are bytes_of(i), until the
// next call. For files that nobody reads yet: what fails leaves a part.
void write_safetensors_in_turn(const std::string& path, const std::vector<NamedArray>& tensors, const std::function<std::uint64_t(std::size_t)>& bytes_of,
                               const std::function<Bytes(std::size_t)>& content, const std::map<std::string, std::string>& metadata);

}  // namespace polymath
