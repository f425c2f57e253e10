/* SPDX-License-Identifier: MIT
 * zip.c - gzip and zip archives, over zlib; the only file that knows it.
 *
 *     [local header | name | extra | data]... [central entry | name | extra | comment]... [zip64 end] end
 *
 * Everything is read from the end: the end record leads to the directory, its entries to the data (PKWARE
 * APPNOTE 4.3). Each number is checked against the bytes that are there before it is used. */
#include "format/zip.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/wide.h"
#include "format/index.h"

#define LOCAL_SIG 0x04034b50u
#define ENTRY_SIG 0x02014b50u
#define END_SIG 0x06054b50u
#define END64_SIG 0x06064b50u
#define LOCATOR_SIG 0x07064b50u
#define LOCAL_BYTES 30u
#define ENTRY_BYTES 46u
#define END_BYTES 22u
#define END64_BYTES 56u
#define LOCATOR_BYTES 20u

typedef struct zip_entry {
    char *name;
    size_t at; /* of the data */
    size_t packed, size;
    uint32_t crc;
    unsigned method; /* 0 stored, 8 deflated */
} zip_entry;

struct mo_zip {
    const unsigned char *bytes;
    size_t n_bytes;
    char *path;
    zip_entry *entries;
    size_t n_entries;
    char *texts; /* the names, one behind the other */
    mo_index names;
};

static uint32_t get16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const unsigned char *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint64_t get64(const unsigned char *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* Inflates from n bytes until the stream ends, at most limit bytes in all.  bits: zlib's windowBits. */
typedef struct inflation {
    const unsigned char *bytes;
    size_t n, used;
    size_t limit;
    int bits;
} inflation;

static mopd_status inflate_some(z_stream *z, mo_buf *buf, const inflation *in, int *result, const char *path)
{
    size_t left = in->n - in->used, step = 65536;
    z->next_in = (Bytef *)(uintptr_t)(in->bytes + in->used);
    z->avail_in = left < (1u << 30) ? (uInt)left : 1u << 30;
    char *room = mo_buf_room(buf, step);
    if (!room) return MOPD_E_NOMEM;
    z->next_out = (Bytef *)room;
    z->avail_out = (uInt)step;
    *result = inflate(z, Z_NO_FLUSH);
    buf->size += step - z->avail_out;
    buf->data[buf->size] = 0;
    if (*result == Z_MEM_ERROR) return mo_fail(MOPD_E_NOMEM, "%s: no memory to inflate", path);
    if (buf->size > in->limit)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: inflates to more than %zu bytes", path, in->limit);
    return mo_stop_check(step);
}

static void *zlib_get(void *opaque, uInt n, uInt size)
{
    (void)opaque;
    return mo_mem_alloc(n, size);
}

static void zlib_free(void *opaque, void *block)
{
    (void)opaque;
    mo_mem_free(block);
}

/* One stream; in->used moves to the byte behind it. */
static mopd_status inflate_stream(mo_buf *buf, inflation *in, const char *path)
{
    z_stream z = {.zalloc = zlib_get, .zfree = zlib_free};
    mopd_status st = MOPD_OK;
    int result = inflateInit2(&z, in->bits);
    if (result != Z_OK) return mo_fail(MOPD_E_NOMEM, "%s: no memory to inflate", path);
    while (result != Z_STREAM_END) {
        st = inflate_some(&z, buf, in, &result, path);
        in->used = (size_t)(z.next_in - in->bytes);
        if (st != MOPD_OK) break;
        bool stuck = result == Z_BUF_ERROR && in->used == in->n;
        if (stuck)
            st = mo_fail(MOPD_E_FORMAT, "%s: compressed data is cut short at byte %zu", path, in->used);
        else if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            st = mo_fail(MOPD_E_FORMAT, "%s: bad compressed data at byte %zu: %s", path, in->used,
                z.msg ? z.msg : "corrupt");
        if (st != MOPD_OK) break;
    }
    inflateEnd(&z);
    return st;
}

mopd_status mo_zip_gunzip(mo_buf *buf, const void *bytes, size_t n, size_t limit, const char *path)
{
    buf->size = 0;
    mopd_status st = mo_buf_add(buf, "", 0);
    inflation in = {.bytes = bytes, .n = n, .limit = limit, .bits = 16 + MAX_WBITS};
    do {
        if (st == MOPD_OK) st = inflate_stream(buf, &in, path);
    } while (st == MOPD_OK && n - in.used >= 2 && in.bytes[in.used] == 0x1f && in.bytes[in.used + 1] == 0x8b);
    if (st == MOPD_OK && in.used != n)
        st = mo_fail(MOPD_E_FORMAT, "%s: %zu bytes follow the compressed data", path, n - in.used);
    if (st != MOPD_OK) mo_buf_free(buf);
    return st;
}

bool mo_zip_is(const void *bytes, size_t n)
{
    return n >= 4 && (get32(bytes) == LOCAL_SIG || get32(bytes) == END_SIG);
}

/* The end record: the last signature whose comment reaches exactly to the end. */
static const unsigned char *find_end(const mo_zip *zip)
{
    if (zip->n_bytes < END_BYTES) return NULL;
    size_t most = mo_min(zip->n_bytes - END_BYTES, 65535);
    const unsigned char *last = zip->bytes + zip->n_bytes - END_BYTES;
    for (size_t comment = 0; comment <= most; comment++)
        if (get32(last - comment) == END_SIG && get16(last - comment + 20) == comment) return last - comment;
    return NULL;
}

typedef struct directory {
    uint64_t at, n_bytes, n_entries;
} directory;

static mopd_status read_end64(directory *dir, const mo_zip *zip, const unsigned char *end)
{
    size_t end_at = (size_t)(end - zip->bytes);
    if (end_at < LOCATOR_BYTES || get32(end - LOCATOR_BYTES) != LOCATOR_SIG) return MOPD_OK;
    uint64_t at = get64(end - LOCATOR_BYTES + 8);
    if (at > end_at - LOCATOR_BYTES || end_at - LOCATOR_BYTES - at < END64_BYTES ||
        get32(zip->bytes + at) != END64_SIG)
        return mo_fail(
            MOPD_E_FORMAT, "%s: no zip64 end record at byte %llu", zip->path, (unsigned long long)at);
    const unsigned char *p = zip->bytes + at;
    *dir = (directory){get64(p + 48), get64(p + 40), get64(p + 32)};
    return MOPD_OK;
}

static mopd_status find_directory(directory *dir, const mo_zip *zip)
{
    const unsigned char *end = find_end(zip);
    if (!end) return mo_fail(MOPD_E_FORMAT, "%s: a zip archive without its end record", zip->path);
    *dir = (directory){get32(end + 16), get32(end + 12), get16(end + 10)};
    mopd_status st = read_end64(dir, zip, end);
    if (st != MOPD_OK) return st;
    size_t end_at = (size_t)(end - zip->bytes);
    if (dir->at > end_at || dir->n_bytes > end_at - dir->at)
        return mo_fail(MOPD_E_FORMAT, "%s: zip directory of %llu bytes at byte %llu, its end is at %zu",
            zip->path, (unsigned long long)dir->n_bytes, (unsigned long long)dir->at, end_at);
    if (dir->n_entries > dir->n_bytes / ENTRY_BYTES)
        return mo_fail(MOPD_E_FORMAT, "%s: %llu zip entries in a directory of %llu bytes", zip->path,
            (unsigned long long)dir->n_entries, (unsigned long long)dir->n_bytes);
    return MOPD_OK;
}

/* Sizes and place that did not fit 32 bits stand in the extra field 1, in this order, only those that did not. */
static bool read_extra64(const unsigned char *extra, size_t n, uint64_t value[3])
{
    bool wanted = value[0] == UINT32_MAX || value[1] == UINT32_MAX || value[2] == UINT32_MAX;
    while (wanted && n >= 4) {
        size_t length = get16(extra + 2);
        if (length > n - 4) return false;
        if (get16(extra) == 1) {
            const unsigned char *p = extra + 4;
            for (int i = 0; i < 3; i++) {
                if (value[i] != UINT32_MAX) continue;
                if ((size_t)(extra + 4 + length - p) < 8) return false;
                value[i] = get64(p);
                p += 8;
            }
            return true;
        }
        extra += 4 + length;
        n -= 4 + length;
    }
    return true;
}

/* Checks the local header at byte `at` against the directory's name and finds the data behind it. */
static mopd_status find_data(zip_entry *e, const mo_zip *zip, uint64_t at, size_t name_bytes)
{
    bool inside = at <= zip->n_bytes && zip->n_bytes - at >= LOCAL_BYTES;
    const unsigned char *p = zip->bytes + (inside ? at : 0);
    if (!inside || get32(p) != LOCAL_SIG)
        return mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" has no header at byte %llu", zip->path, e->name,
            (unsigned long long)at);
    size_t left = zip->n_bytes - (size_t)at - LOCAL_BYTES, local = get16(p + 26), extra = get16(p + 28);
    if (local + extra > left || local != name_bytes || memcmp(p + LOCAL_BYTES, e->name, local) != 0)
        return mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" has another name at byte %llu", zip->path,
            e->name, (unsigned long long)at);
    if (e->packed > left - local - extra)
        return mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" has %zu bytes, the file has %zu from there",
            zip->path, e->name, e->packed, left - local - extra);
    e->at = (size_t)at + LOCAL_BYTES + local + extra;
    return MOPD_OK;
}

/* Reads the directory entry at p, n bytes left; *length is what it takes, names go to *text. */
static mopd_status read_entry(
    zip_entry *e, const mo_zip *zip, const unsigned char *p, size_t n, size_t *length)
{
    size_t place = (size_t)(p - zip->bytes);
    if (n < ENTRY_BYTES || get32(p) != ENTRY_SIG)
        return mo_fail(MOPD_E_FORMAT, "%s: no zip directory entry at byte %zu", zip->path, place);
    size_t name = get16(p + 28), extra = get16(p + 30);
    *length = ENTRY_BYTES + name + extra + get16(p + 32);
    if (*length > n || memchr(p + ENTRY_BYTES, 0, name))
        return mo_fail(MOPD_E_FORMAT, "%s: bad zip directory entry at byte %zu", zip->path, place);
    memcpy(e->name, p + ENTRY_BYTES, name);
    e->name[name] = 0;
    uint64_t value[3] = {get32(p + 24), get32(p + 20), get32(p + 42)}; /* size, packed, local header */
    if (!read_extra64(p + ENTRY_BYTES + name, extra, value))
        return mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" has a bad zip64 field", zip->path, e->name);
    if (!mo_wide_size(&e->size, value[0]) || !mo_wide_size(&e->packed, value[1]))
        return mo_fail(MOPD_E_FORMAT,
            "%s: zip entry \"%s\" has %llu bytes, unpacked %llu: no memory has so many", zip->path, e->name,
            (unsigned long long)value[1], (unsigned long long)value[0]);
    e->crc = get32(p + 16);
    e->method = get16(p + 10);
    if (get16(p + 8) & 1)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: zip entry \"%s\" is encrypted", zip->path, e->name);
    if (e->method != 0 && e->method != 8)
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: zip entry \"%s\" uses compression %u", zip->path, e->name, e->method);
    if (e->method == 0 && e->size != e->packed)
        return mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" is stored as %zu bytes and unpacks to %zu",
            zip->path, e->name, e->packed, e->size);
    return find_data(e, zip, value[2], name);
}

static mopd_status read_directory(mo_zip *zip)
{
    directory dir = {0, 0, 0};
    mopd_status st = find_directory(&dir, zip);
    if (st != MOPD_OK) return st;
    zip->entries = mo_mem_calloc((size_t)dir.n_entries, sizeof *zip->entries);
    zip->texts = mo_mem_alloc((size_t)dir.n_bytes, 1); /* a name and its zero are shorter than an entry */
    if (!zip->entries || !zip->texts) return MOPD_E_NOMEM;
    if ((st = mo_index_open(&zip->names, (size_t)dir.n_entries)) != MOPD_OK) return st;
    const unsigned char *p = zip->bytes + dir.at;
    size_t left = (size_t)dir.n_bytes, length = 0;
    char *text = zip->texts;
    for (size_t i = 0; i < (size_t)dir.n_entries; i++, p += length, left -= length) {
        zip_entry *e = &zip->entries[i];
        e->name = text;
        if ((st = mo_stop_check(MO_STOP_ENTRY)) != MOPD_OK) return st;
        if ((st = read_entry(e, zip, p, left, &length)) != MOPD_OK) return st;
        text += strlen(text) + 1;
        zip->names.item[i] = (mo_index_item){e->name, i};
    }
    zip->n_entries = (size_t)dir.n_entries;
    const char *twice = mo_index_sort(&zip->names);
    return twice ? mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" is there twice", zip->path, twice) : MOPD_OK;
}

mopd_status mo_zip_open(mo_zip **out, const void *bytes, size_t n, const char *path)
{
    *out = NULL;
    mo_zip *zip = mo_mem_calloc(1, sizeof *zip);
    if (!zip) return MOPD_E_NOMEM;
    zip->bytes = bytes;
    zip->n_bytes = n;
    zip->path = mo_mem_strdup(path);
    mopd_status st = zip->path ? read_directory(zip) : MOPD_E_NOMEM;
    if (st != MOPD_OK) {
        mo_zip_close(zip);
        return st;
    }
    *out = zip;
    return MOPD_OK;
}

void mo_zip_close(mo_zip *zip)
{
    if (!zip) return;
    mo_index_close(&zip->names);
    mo_mem_free(zip->texts);
    mo_mem_free(zip->entries);
    mo_mem_free(zip->path);
    mo_mem_free(zip);
}

size_t mo_zip_count(const mo_zip *zip)
{
    return zip->n_entries;
}

const char *mo_zip_name(const mo_zip *zip, size_t i)
{
    return zip->entries[i].name;
}

size_t mo_zip_size(const mo_zip *zip, size_t i)
{
    return zip->entries[i].size;
}

size_t mo_zip_find(const mo_zip *zip, const char *name)
{
    return mo_index_find(&zip->names, name);
}

mopd_status mo_zip_stored(const mo_zip *zip, size_t i, const void **data, size_t *n)
{
    const zip_entry *e = &zip->entries[i];
    if (e->method != 0)
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: zip entry \"%s\" is compressed, it must be stored", zip->path, e->name);
    *data = zip->bytes + e->at;
    *n = e->size;
    return MOPD_OK;
}

static mopd_status check_crc(const mo_zip *zip, const zip_entry *e, const mo_buf *buf)
{
    if (buf->size != e->size)
        return mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" has %zu bytes, its entry says %zu", zip->path,
            e->name, buf->size, e->size);
    uint32_t crc = (uint32_t)crc32_z(0, (const Bytef *)buf->data, buf->size);
    if (crc != e->crc)
        return mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" has CRC-32 %08x, its entry says %08x", zip->path,
            e->name, crc, e->crc);
    return MOPD_OK;
}

mopd_status mo_zip_read(const mo_zip *zip, size_t i, mo_buf *buf, size_t limit)
{
    const zip_entry *e = &zip->entries[i];
    buf->size = 0;
    if (e->size > limit)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: zip entry \"%s\" has %zu bytes, at most %zu are read",
            zip->path, e->name, e->size, limit);
    inflation in = {.bytes = zip->bytes + e->at, .n = e->packed, .limit = e->size, .bits = -MAX_WBITS};
    mopd_status st = MOPD_OK;
    if (e->method == 0)
        st = mo_buf_add(buf, in.bytes, e->size);
    else if ((st = inflate_stream(buf, &in, zip->path)) == MOPD_E_UNSUPPORTED)
        st = mo_fail(MOPD_E_FORMAT, "%s: zip entry \"%s\" inflates to more than its %zu bytes", zip->path,
            e->name, e->size);
    if (st == MOPD_OK) st = check_crc(zip, e, buf);
    if (st != MOPD_OK) mo_buf_free(buf);
    return st;
}
