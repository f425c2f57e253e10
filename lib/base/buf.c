/* SPDX-License-Identifier: MIT
 * buf.c - a growing run of bytes, always zero-ended. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fence.h"
#include "base/mem.h"

char *mo_buf_room(mo_buf *buf, size_t n)
{
    size_t need;
    if (!mo_add(buf->size, n, &need) || !mo_add(need, 1, &need)) {
        mo_fail(MOPD_E_NOMEM, "out of memory: a text of %zu + %zu bytes", buf->size, n);
        return NULL;
    }
    if (need > buf->cap) {
        size_t cap = buf->cap < 128 ? 256 : buf->cap + buf->cap / 2;
        if (cap < need) cap = need;
        char *data = mo_mem_realloc(buf->data, cap, 1);
        if (!data) return NULL;
        buf->data = data;
        buf->cap = cap;
        mo_mem_fence(data + need, cap - need);
    } else {
        mo_fence_lift(buf->data + buf->size, n + 1);
    }
    buf->data[buf->size] = 0;
    return buf->data + buf->size;
}

mopd_status mo_buf_add(mo_buf *buf, const void *bytes, size_t n)
{
    char *room = mo_buf_room(buf, n);
    if (!room) return MOPD_E_NOMEM;
    if (n) memcpy(room, bytes, n);
    buf->size += n;
    buf->data[buf->size] = 0;
    return MOPD_OK;
}

mopd_status mo_buf_adds(mo_buf *buf, const char *text)
{
    return mo_buf_add(buf, text, strlen(text));
}

mopd_status mo_buf_addf(mo_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = n < 0 ? NULL : mo_buf_room(buf, (size_t)n);
    if (room) {
        vsnprintf(room, (size_t)n + 1, format, again);
        buf->size += (size_t)n;
    }
    va_end(again);
    if (n < 0) return mo_fail(MOPD_E_INTERNAL, "a text could not be formatted");
    return room ? MOPD_OK : MOPD_E_NOMEM;
}

char *mo_buf_take(mo_buf *buf)
{
    char *data = buf->data;
    *buf = (mo_buf){0};
    return data;
}

void mo_buf_free(mo_buf *buf)
{
    mo_mem_free(buf->data);
    *buf = (mo_buf){0};
}
