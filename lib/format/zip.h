/* SPDX-License-Identifier: MIT
 * zip.h - gzip bytes unpacked, and zip archives read where they lie (stored and deflated entries, zip64). */
#ifndef MO_FORMAT_ZIP_H
#define MO_FORMAT_ZIP_H

#include "base/buf.h"

/* Unpacks all members of n gzip bytes into buf (emptied first).  FORMAT with the byte position; UNSUPPORTED
 * when more than limit bytes come out.  `path` for messages. */
mopd_status mo_zip_gunzip(mo_buf *buf, const void *bytes, size_t n, size_t limit, const char *path);

typedef struct mo_zip mo_zip;

/* Reads the directory of an archive of n bytes, which must outlive the handle.  FORMAT when anything points
 * outside, names repeat or disagree. */
mopd_status mo_zip_open(mo_zip **out, const void *bytes, size_t n, const char *path);
void mo_zip_close(mo_zip *zip);

/* Whether bytes start like a zip archive. */
bool mo_zip_is(const void *bytes, size_t n);

/* Entries in the order of the directory; SIZE_MAX when no entry has the name. */
size_t mo_zip_count(const mo_zip *zip);
const char *mo_zip_name(const mo_zip *zip, size_t i);
size_t mo_zip_size(const mo_zip *zip, size_t i); /* bytes when unpacked */
size_t mo_zip_find(const mo_zip *zip, const char *name);

/* The bytes of a stored entry where they lie, checksum unread.  UNSUPPORTED for a compressed one. */
mopd_status mo_zip_stored(const mo_zip *zip, size_t i, const void **data, size_t *n);

/* Copies or inflates entry i of at most limit bytes into buf (emptied first) and checks its CRC-32. */
mopd_status mo_zip_read(const mo_zip *zip, size_t i, mo_buf *buf, size_t limit);

#endif
