/* SPDX-License-Identifier: MIT
 * edges.c - MemorySanitizer knows only what clang has compiled with it; this file is its edge
 * to other libraries, but those of pictures that a build may lack: they have files of their own beside it.
 *
 * With -DMOPD_SANITIZE=memory it is linked into the library and every program, and the linker sends each call
 * of a NAME for which a __wrap_NAME stands here (cmake/options.cmake reads the names) through it.  What a
 * library has written counts as written from there on; what it is given to read must be written, which is
 * checked.  Vector kernels are left out, as on a CPU without them: clang 14 does not follow masked stores. */
#include <sanitizer/msan_interface.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <blis.h>
#include <jansson.h>
#include <jpeglib.h>
#include <png.h>
#include <utf8proc.h>
#include <zlib.h>

#include "math/ukernel.h"
#include "within.h"

/* jansson: all its blocks count as written, and so may be read by libc within it. */
static void *json_block(size_t n)
{
    void *block = malloc(n);
    if (block) __msan_unpoison(block, n);
    return block;
}

__attribute__((constructor)) static void use_json_block(void)
{
    json_set_alloc_funcs(json_block, free);
}

/* What it copied from its stack may count as unwritten again. */
static void clean_tree(const json_t *tree)
{
    if (json_is_string(tree)) __msan_unpoison(json_string_value(tree), json_string_length(tree) + 1);
    for (size_t i = 0; i < json_array_size(tree); i++) clean_tree(json_array_get(tree, i));
    if (!json_is_object(tree)) return;
    union {
        const json_t *in;
        json_t *out;
    } both = {tree};
    for (void *at = json_object_iter(both.out); at; at = json_object_iter_next(both.out, at)) {
        const char *key = json_object_iter_key(at);
        __msan_unpoison_string(key);
        clean_tree(json_object_iter_value(at));
    }
}

json_t *__real_json_loadb(const char *bytes, size_t n, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *bytes, size_t n, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *bytes, size_t n, size_t flags, json_error_t *error)
{
    __msan_check_mem_is_initialized(bytes, n);
    __msan_scoped_disable_interceptor_checks();
    json_t *tree = __real_json_loadb(bytes, n, flags, error);
    clean_tree(tree);
    __msan_scoped_enable_interceptor_checks();
    if (error) __msan_unpoison(error, sizeof *error);
    return tree;
}

/* Its own call of `take` would say nothing of what it hands over: the text is gathered here. */
json_t *__wrap_json_load_callback(
    json_load_callback_t take, void *context, size_t flags, json_error_t *error);
json_t *__wrap_json_load_callback(json_load_callback_t take, void *context, size_t flags, json_error_t *error)
{
    enum { PIECE = 1024 };
    char *text = NULL;
    size_t n = 0, got;
    do {
        char *more = realloc(text, n + PIECE);
        if (!more) abort();
        text = more;
        got = take(text + n, PIECE, context);
        if (got != SIZE_MAX) n += got;
    } while (got && got != SIZE_MAX);
    json_t *tree = __wrap_json_loadb(text, n, flags, error);
    free(text);
    return tree;
}

json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *error);
json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *error)
{
    return __wrap_json_loadb(text, strlen(text), flags, error);
}

int __real_json_dumpf(const json_t *tree, FILE *out, size_t flags);
int __wrap_json_dumpf(const json_t *tree, FILE *out, size_t flags);
int __wrap_json_dumpf(const json_t *tree, FILE *out, size_t flags)
{
    __msan_scoped_disable_interceptor_checks();
    int result = __real_json_dumpf(tree, out, flags);
    __msan_scoped_enable_interceptor_checks();
    return result;
}

char *__real_json_dumps(const json_t *tree, size_t flags);
char *__wrap_json_dumps(const json_t *tree, size_t flags);
char *__wrap_json_dumps(const json_t *tree, size_t flags)
{
    __msan_scoped_disable_interceptor_checks();
    char *text = __real_json_dumps(tree, flags);
    __msan_scoped_enable_interceptor_checks();
    if (text) __msan_unpoison_string(text);
    return text;
}

int __real_inflateInit2_(z_stream *z, int bits, const char *version, int size);
int __wrap_inflateInit2_(z_stream *z, int bits, const char *version, int size);
int __wrap_inflateInit2_(z_stream *z, int bits, const char *version, int size)
{
    int result = __real_inflateInit2_(z, bits, version, size);
    __msan_unpoison(z, sizeof *z);
    return result;
}

int __real_inflate(z_stream *z, int flush);
int __wrap_inflate(z_stream *z, int flush);
int __wrap_inflate(z_stream *z, int flush)
{
    Bytef *start = z->next_out;
    __msan_check_mem_is_initialized(z->next_in, z->avail_in);
    int result = __real_inflate(z, flush);
    __msan_unpoison(z, sizeof *z);
    __msan_unpoison(start, (size_t)(z->next_out - start));
    return result;
}

int __real_deflate(z_stream *z, int flush);
int __wrap_deflate(z_stream *z, int flush);
int __wrap_deflate(z_stream *z, int flush)
{
    Bytef *start = z->next_out;
    __msan_check_mem_is_initialized(z->next_in, z->avail_in);
    int result;
    WITHIN(result = __real_deflate(z, flush));
    __msan_unpoison(z, sizeof *z);
    __msan_unpoison(start, (size_t)(z->next_out - start));
    return result;
}

uLong __real_deflateBound(z_stream *z, uLong n);
uLong __wrap_deflateBound(z_stream *z, uLong n);
uLong __wrap_deflateBound(z_stream *z, uLong n)
{
    uLong bound = __real_deflateBound(z, n);
    __msan_unpoison(&bound, sizeof bound);
    return bound;
}

/* libpng may leave by longjmp: then its end is at png_destroy_read_struct. */
static _Thread_local bool in_png;

static void enter_png(void)
{
    if (!in_png) __msan_scoped_disable_interceptor_checks();
    in_png = true;
}

static void leave_png(void)
{
    if (in_png) __msan_scoped_enable_interceptor_checks();
    in_png = false;
}

void __real_png_read_info(png_structrp png, png_inforp info);
void __wrap_png_read_info(png_structrp png, png_inforp info);
void __wrap_png_read_info(png_structrp png, png_inforp info)
{
    enter_png();
    __real_png_read_info(png, info);
    leave_png();
}

void __real_png_destroy_read_struct(png_structpp png, png_infopp info, png_infopp end);
void __wrap_png_destroy_read_struct(png_structpp png, png_infopp info, png_infopp end);
void __wrap_png_destroy_read_struct(png_structpp png, png_infopp info, png_infopp end)
{
    leave_png();
    __real_png_destroy_read_struct(png, info, end);
}

static _Thread_local size_t png_row_bytes; /* of the picture that is being read */
static _Thread_local png_bytep png_row;    /* that is being read */

size_t __real_png_get_rowbytes(png_const_structrp png, png_const_inforp info);
size_t __wrap_png_get_rowbytes(png_const_structrp png, png_const_inforp info);
size_t __wrap_png_get_rowbytes(png_const_structrp png, png_const_inforp info)
{
    return png_row_bytes = __real_png_get_rowbytes(png, info);
}

void __real_png_read_row(png_structrp png, png_bytep row, png_bytep display);
void __wrap_png_read_row(png_structrp png, png_bytep row, png_bytep display);
void __wrap_png_read_row(png_structrp png, png_bytep row, png_bytep display)
{
    png_row = row;
    __real_png_read_row(png, row, display);
    __msan_unpoison(row, png_row_bytes);
    png_row = NULL;
}

/* The last row may be there when it is left so. */
void __real_png_longjmp(png_const_structrp png, int value) __attribute__((noreturn));
void __wrap_png_longjmp(png_const_structrp png, int value) __attribute__((noreturn));
void __wrap_png_longjmp(png_const_structrp png, int value)
{
    if (png_row) __msan_unpoison(png_row, png_row_bytes);
    png_row = NULL;
    __real_png_longjmp(png, value);
}

int __real_jpeg_read_header(j_decompress_ptr info, boolean whole);
int __wrap_jpeg_read_header(j_decompress_ptr info, boolean whole);
int __wrap_jpeg_read_header(j_decompress_ptr info, boolean whole)
{
    int result = __real_jpeg_read_header(info, whole);
    for (jpeg_saved_marker_ptr m = info->marker_list; m; m = m->next) {
        __msan_unpoison(m, sizeof *m);
        __msan_unpoison(m->data, m->data_length);
    }
    return result;
}

JDIMENSION __real_jpeg_read_scanlines(j_decompress_ptr info, JSAMPARRAY rows, JDIMENSION n);
JDIMENSION __wrap_jpeg_read_scanlines(j_decompress_ptr info, JSAMPARRAY rows, JDIMENSION n);
JDIMENSION __wrap_jpeg_read_scanlines(j_decompress_ptr info, JSAMPARRAY rows, JDIMENSION n)
{
    JDIMENSION read = __real_jpeg_read_scanlines(info, rows, n);
    for (JDIMENSION i = 0; i < read; i++)
        __msan_unpoison(rows[i], (size_t)info->output_width * (size_t)info->output_components);
    return read;
}

utf8proc_ssize_t __real_utf8proc_decompose_char(
    utf8proc_int32_t cp, utf8proc_int32_t *out, utf8proc_ssize_t room, utf8proc_option_t options, int *last);
utf8proc_ssize_t __wrap_utf8proc_decompose_char(
    utf8proc_int32_t cp, utf8proc_int32_t *out, utf8proc_ssize_t room, utf8proc_option_t options, int *last);
utf8proc_ssize_t __wrap_utf8proc_decompose_char(
    utf8proc_int32_t cp, utf8proc_int32_t *out, utf8proc_ssize_t room, utf8proc_option_t options, int *last)
{
    utf8proc_ssize_t n = __real_utf8proc_decompose_char(cp, out, room, options, last);
    if (n > 0) __msan_unpoison(out, (size_t)n * sizeof *out);
    return n;
}

utf8proc_ssize_t __real_utf8proc_normalize_utf32(
    utf8proc_int32_t *cps, utf8proc_ssize_t n, utf8proc_option_t options);
utf8proc_ssize_t __wrap_utf8proc_normalize_utf32(
    utf8proc_int32_t *cps, utf8proc_ssize_t n, utf8proc_option_t options);
utf8proc_ssize_t __wrap_utf8proc_normalize_utf32(
    utf8proc_int32_t *cps, utf8proc_ssize_t n, utf8proc_option_t options)
{
    __msan_check_mem_is_initialized(cps, (size_t)n * sizeof *cps);
    return __real_utf8proc_normalize_utf32(cps, n, options);
}

/* BLIS's tables, which lib/math/ukernel.c reads. */
typedef cntx_t *query(void);
query __real_bli_gks_query_cntx, __wrap_bli_gks_query_cntx;
cntx_t *__wrap_bli_gks_query_cntx(void)
{
    cntx_t *tables;
    WITHIN(tables = __real_bli_gks_query_cntx());
    __msan_unpoison(tables, sizeof *tables);
    return tables;
}

static void check_panel(const float *panel, size_t pack, size_t n, size_t k)
{
    for (size_t p = 0; p < k; p++) __msan_check_mem_is_initialized(panel + p * pack, n * sizeof *panel);
}

/* The micro-kernel of BLIS reads two panels and writes a tile.  Weak: programs that link the shared library have neither
 * of the two, and call neither. */
#pragma weak mo_ukernel_get
void __real_mo_ukernel_run(const mo_ukernel_tile *t) __attribute__((weak));
void __wrap_mo_ukernel_run(const mo_ukernel_tile *t);
void __wrap_mo_ukernel_run(const mo_ukernel_tile *t)
{
    const mo_ukernel *u = mo_ukernel_get();
    check_panel(t->a, u->rows.pack, t->m, t->k);
    check_panel(t->b, u->cols.pack, t->n, t->k);
    for (size_t i = 0; i < t->m && t->add; i++)
        for (size_t j = 0; j < t->n; j++)
            __msan_check_mem_is_initialized(t->c + i * t->rs + j * t->cs, sizeof *t->c);
    __real_mo_ukernel_run(t);
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->n; j++) __msan_unpoison(t->c + i * t->rs + j * t->cs, sizeof *t->c);
}

/* The CPU has no vectors. */
const void *__wrap_mo_kern_avx2(void);
const void *__wrap_mo_kern_avx2(void)
{
    return NULL;
}

const void *__wrap_mo_kern_avx512(void);
const void *__wrap_mo_kern_avx512(void)
{
    return NULL;
}
