/* SPDX-License-Identifier: MIT
 * foreign.c - a list of beginnings. */
#include "format/foreign.h"

#include <string.h>

static const struct {
    const char *start;
    mopd_status st;
    const char *what;
} kinds[] = {
    {"version https://git-lfs", MOPD_E_FORMAT,
        "a pointer of Git LFS, not the file itself: git lfs pull fetches it"},
    {"GGUF", MOPD_E_UNSUPPORTED,
        "a GGUF file, which is not read: safetensors or PyTorch's weights are wanted"},
    {"\x89HDF", MOPD_E_UNSUPPORTED,
        "an HDF5 file of TensorFlow's, which is not read: PyTorch's weights are wanted"},
    {"<!DOCTYPE", MOPD_E_FORMAT, "an HTML page, as a failed download leaves it"},
    {"<!doctype", MOPD_E_FORMAT, "an HTML page, as a failed download leaves it"},
    {"<html", MOPD_E_FORMAT, "an HTML page, as a failed download leaves it"},
    {"{", MOPD_E_FORMAT, "a text of JSON: give the folder that it lies in"},
};

mopd_status mo_foreign_check(const void *bytes, size_t n, const char *path)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t length = strlen(kinds[i].start);
        if (n >= length && !memcmp(bytes, kinds[i].start, length))
            return mo_fail(kinds[i].st, "%s: %s", path, kinds[i].what);
    }
    return MOPD_OK;
}
