/* SPDX-License-Identifier: MIT
 * buf.h - bytes that grow: texts built piece by piece, files read whole.  Start from {0}. */
#ifndef MO_BASE_BUF_H
#define MO_BASE_BUF_H

#include "base/mem.h"

typedef struct mo_buf {
    char *data; /* always followed by a zero byte once anything was added */
    size_t size;
    size_t cap;
} mo_buf;

mopd_status mo_buf_add(mo_buf *buf, const void *bytes, size_t n);
mopd_status mo_buf_adds(mo_buf *buf, const char *text);
mopd_status mo_buf_addf(mo_buf *buf, const char *format, ...) MO_FAIL_FORMAT(2, 3);

/* Room for n more bytes: the place to write them, NULL when there is no memory.  Count them with buf->size. */
char *mo_buf_room(mo_buf *buf, size_t n);

/* The text, owned by the caller now (mo_mem_free); the buffer is {0} again.  Never NULL after a successful add. */
char *mo_buf_take(mo_buf *buf);
void mo_buf_free(mo_buf *buf);

#endif
