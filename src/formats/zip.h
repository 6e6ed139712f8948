// The directory of a zip archive whose entries are stored, not compressed: what torch.save writes.
// Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 to 4.3.16 and 4.5.3 (zip64).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace polymath {

struct ZipEntry {
  std::string name;
  Bytes data;  // inside the archive's bytes
};

// True where the bytes begin as a zip archive does.
bool looks_like_zip(Bytes file);

// The entries in the order of the directory. Refused with an Error naming `where` and the entry: compressed or
// encrypted entries, archives of several disks, more than 1,000,000 entries, two entries of one name, and
// anything that points outside of the file.
std::vector<ZipEntry> read_zip_directory(Bytes file, const std::string& where);

}  // namespace polymath
