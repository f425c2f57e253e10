/* SPDX-License-Identifier: MIT
 * npy.c - numpy's array file.
 *
 *     \x93NUMPY 1 0 | uint16 n | {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } \n | floats
 *
 * 10 + n is a multiple of 64.  Reading takes the dictionary's three entries in any order. */
#include "format/npy.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/out.h"
#include "base/stop.h"
#include "base/view.h"
#include "base/wide.h"

#define PIECE ((size_t)1 << 22) /* bytes that are copied at a time */

static mopd_status make_header(mo_buf *buf, int n_dims, const size_t *shape)
{
    static const char spaces[64] = "                                                                ";
    mopd_status st = mo_buf_add(buf, "\x93NUMPY\1\0\0", 10);
    if (st == MOPD_OK) st = mo_buf_adds(buf, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < n_dims && st == MOPD_OK; i++)
        st = mo_buf_addf(buf, i + 1 < n_dims ? "%zu, " : n_dims == 1 ? "%zu," : "%zu", shape[i]);
    if (st == MOPD_OK) st = mo_buf_adds(buf, "), }");
    if (st == MOPD_OK) st = mo_buf_add(buf, spaces, 63 - buf->size % 64);
    if (st == MOPD_OK) st = mo_buf_adds(buf, "\n");
    if (st != MOPD_OK) return st;
    buf->data[8] = (char)((buf->size - 10) & 0xff);
    buf->data[9] = (char)((buf->size - 10) >> 8);
    return MOPD_OK;
}

mopd_status mo_npy_save(const char *path, const float *x, int n_dims, const size_t *shape)
{
    size_t bytes = sizeof(float);
    if (n_dims < 0 || n_dims > MO_MAX_DIMS) return mo_fail(MOPD_E_ARG, "%s: %d dimensions", path, n_dims);
    for (int i = 0; i < n_dims; i++)
        if (!mo_mul(bytes, shape[i], &bytes)) return mo_fail(MOPD_E_ARG, "%s: the shape overflows", path);
    mo_buf header = {0};
    mo_out out;
    mopd_status st = make_header(&header, n_dims, shape);
    if (st == MOPD_OK && (st = mo_out_open(&out, path)) == MOPD_OK) {
        st = mo_out_write(&out, header.data, header.size);
        if (st == MOPD_OK) st = mo_out_write(&out, x, bytes);
        if (st == MOPD_OK)
            st = mo_out_commit(&out);
        else
            mo_out_drop(&out);
    }
    mo_buf_free(&header);
    return st;
}

#define MOST (PTRDIFF_MAX / sizeof(float)) /* numbers of an array, also of one that a size of 0 makes empty */

/* What follows 'key': in the header, NULL when the key is missing. */
static const char *entry(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at) return NULL;
    at += strlen(key);
    at += strspn(at, " ");
    return *at == ':' ? at + 1 + strspn(at + 1, " ") : NULL;
}

static mopd_status read_shape(mo_npy *out, const char *text, const char *path)
{
    out->n = 1;
    for (text++; *text && *text != ')';) {
        char *end;
        unsigned long long dim = strtoull(text, &end, 10);
        if (end == text || *text == '-')
            return mo_fail(MOPD_E_FORMAT, "%s: the shape is no list of sizes", path);
        if (out->n_dims == MO_MAX_DIMS)
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: more than %d dimensions", path, MO_MAX_DIMS);
        size_t *size = &out->shape[out->n_dims++];
        if (!mo_wide_size(size, dim) || *size > MOST || !mo_mul(out->n, *size, &out->n) || out->n > MOST)
            return mo_fail(MOPD_E_FORMAT, "%s: the shape overflows", path);
        text = end + strspn(end, ", L");
    }
    return *text ? MOPD_OK : mo_fail(MOPD_E_FORMAT, "%s: the shape has no end", path);
}

static mopd_status read_header(mo_npy *out, const char *header, const char *path)
{
    const char *descr = entry(header, "'descr'"), *order = entry(header, "'fortran_order'");
    const char *shape = entry(header, "'shape'");
    if (!descr || !order || !shape || *shape != '(')
        return mo_fail(MOPD_E_FORMAT, "%s: descr, fortran_order or shape is missing", path);
    if (strncmp(descr, "'<f4'", 5) != 0)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: elements are %.8s, only '<f4' is read", path, descr);
    if (strncmp(order, "False", 5) != 0)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: columns come first, only rows first is read", path);
    return read_shape(out, shape, path);
}

/* The header's place and length in a version 1, 2 or 3 file. */
static mopd_status find_header(const mo_map *map, size_t *at, size_t *n, const char *path)
{
    const unsigned char *p = map->data;
    if (map->size < 12 || memcmp(p, "\x93NUMPY", 6) != 0)
        return mo_fail(MOPD_E_FORMAT, "%s: no .npy file", path);
    if (p[6] < 1 || p[6] > 3) return mo_fail(MOPD_E_VERSION, "%s: .npy version %d, 3 is known", path, p[6]);
    *at = p[6] == 1 ? 10 : 12;
    *n = (size_t)p[8] | (size_t)p[9] << 8;
    if (p[6] > 1) *n |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
    if (*n > map->size - *at)
        return mo_fail(MOPD_E_FORMAT, "%s: header of %zu bytes, the file has %zu", path, *n, map->size - *at);
    return MOPD_OK;
}

static mopd_status read_map(mo_npy *out, const mo_map *map, const char *path)
{
    size_t at = 0, n = 0, bytes;
    mopd_status st = find_header(map, &at, &n, path);
    if (st != MOPD_OK) return st;
    char *header = mo_mem_strndup((const char *)map->data + at, n);
    if (!header) return MOPD_E_NOMEM;
    st = read_header(out, header, path);
    mo_mem_free(header);
    if (st != MOPD_OK) return st;
    if (!mo_mul(out->n, sizeof(float), &bytes) || bytes != map->size - at - n)
        return mo_fail(MOPD_E_FORMAT, "%s: the shape makes %zu floats, the file has %zu bytes of them", path,
            out->n, map->size - at - n);
    out->data = mo_mem_alloc(out->n, sizeof(float));
    if (!out->data) return MOPD_E_NOMEM;
    for (size_t i = 0; i < bytes && st == MOPD_OK; i += PIECE) {
        memcpy((char *)out->data + i, map->data + at + n + i, mo_min(PIECE, bytes - i));
        st = mo_stop_check(PIECE);
    }
    return st;
}

mopd_status mo_npy_load(mo_npy *out, const char *path)
{
    *out = (mo_npy){0};
    mo_map map;
    mopd_status st = mo_map_open(&map, path, false);
    if (st != MOPD_OK) return st;
    st = read_map(out, &map, path);
    mo_map_close(&map);
    if (st != MOPD_OK) mo_npy_free(out);
    return st;
}

void mo_npy_free(mo_npy *npy)
{
    mo_mem_free(npy->data);
    *npy = (mo_npy){0};
}
