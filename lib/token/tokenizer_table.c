/* SPDX-License-Identifier: MIT
 * tokenizer_table.c - the tokenizer's block: put together, checked, and its table of pairs.
 *
 * A tokenizer put together from files goes through the serialised form too: what was saved and loaded is the
 * same by construction. */
#include "token/tokenizer_table.h"

#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/utf8.h"

#define MAGIC_0 UINT32_C(0x6b746f6d) /* "motk" */
#define MAGIC_1 UINT32_C(1)          /* format number */
#define HEADER 11                    /* numbers before symbol[] */

size_t mo_tokenizer_byte_symbol(unsigned char byte, char out[4])
{
    uint32_t cp = byte;
    if (byte < 33)
        cp = 256u + byte;
    else if (byte >= 127 && byte <= 160)
        cp = 256u + 33 + (byte - 127u);
    else if (byte == 173)
        cp = 256u + 33 + 34;
    return mo_utf8_put(cp, out);
}

mopd_status mo_tokenizer_vocab_open(mo_tokenizer_vocab *vocab, size_t cap)
{
    *vocab = (mo_tokenizer_vocab){.cap = cap, .key = mo_hash_key_get()};
    size_t slots = 16;
    if (cap > MO_TOKEN_MAX_IDS * 2)
        return mo_fail(MOPD_E_FORMAT, "%zu tokens, at most %zu", cap, MO_TOKEN_MAX_IDS * 2);
    while (slots < cap * 2) slots *= 2;
    vocab->slot_mask = slots - 1;
    vocab->word = mo_mem_alloc(cap, sizeof *vocab->word);
    vocab->slot = vocab->word ? mo_mem_calloc(slots, sizeof *vocab->slot) : NULL;
    return vocab->slot ? MOPD_OK : MOPD_E_NOMEM;
}

void mo_tokenizer_vocab_close(mo_tokenizer_vocab *vocab)
{
    mo_mem_free(vocab->slot);
    mo_mem_free(vocab->word);
    *vocab = (mo_tokenizer_vocab){0};
}

/* The slot of a text: its own or the free one where it would go. */
static uint32_t *vocab_slot(const mo_tokenizer_vocab *v, const char *text, size_t n_bytes)
{
    for (size_t i = (size_t)mo_hash_keyed(&v->key, text, n_bytes) & v->slot_mask;;
         i = (i + 1) & v->slot_mask) {
        uint32_t *slot = v->slot + i;
        if (!*slot) return slot;
        const mo_word *w = v->word + *slot - 1;
        if (w->n_bytes == n_bytes && !memcmp(w->text, text, n_bytes)) return slot;
    }
}

mopd_status mo_tokenizer_vocab_set(mo_tokenizer_vocab *vocab, const char *text, size_t n_bytes, uint32_t id)
{
    uint32_t *slot = vocab_slot(vocab, text, n_bytes);
    if (!*slot) {
        if (vocab->n == vocab->cap)
            return mo_fail(MOPD_E_INTERNAL, "a vocabulary of %zu is full", vocab->cap);
        vocab->word[vocab->n] = (mo_word){text, n_bytes, id};
        *slot = (uint32_t)++vocab->n;
    }
    vocab->word[*slot - 1].id = id;
    return mo_stop_check(MO_STOP_ENTRY);
}

const mo_word *mo_tokenizer_vocab_find(const mo_tokenizer_vocab *vocab, const char *text, size_t n_bytes)
{
    if (!vocab->slot) return NULL;
    uint32_t slot = *vocab_slot(vocab, text, n_bytes);
    return slot ? vocab->word + slot - 1 : NULL;
}

uint32_t mo_tokenizer_merge(const mo_tokenizer *t, uint32_t left, uint32_t right)
{
    for (size_t i = (size_t)mo_hash_pair(&t->key, left, right) & t->slot_mask; t->slot[i];
         i = (i + 1) & t->slot_mask) {
        const mo_merge *m = t->merge + t->slot[i] - 1;
        if (m->left == left && m->right == right) return t->slot[i] - 1;
    }
    return MO_TOKEN_NONE;
}

mopd_status mo_tokenizer_index_merges(mo_tokenizer *t, const char *name)
{
    for (size_t k = 0; k < t->n_merges; k++) {
        const mo_merge *m = t->merge + k;
        mopd_status st = mo_stop_check(MO_STOP_ENTRY);
        if (st != MOPD_OK) return st;
        if (m->left >= t->n_ids || m->right >= t->n_ids || m->joined >= t->n_ids)
            return mo_fail(MOPD_E_FORMAT, "%s: merge %zu is %u + %u = %u, ids end at %zu", name, k, m->left,
                m->right, m->joined, t->n_ids);
        size_t i = (size_t)mo_hash_pair(&t->key, m->left, m->right) & t->slot_mask;
        for (; t->slot[i]; i = (i + 1) & t->slot_mask)
            if (t->merge[t->slot[i] - 1].left == m->left && t->merge[t->slot[i] - 1].right == m->right)
                return mo_fail(
                    MOPD_E_FORMAT, "%s: merges %u and %zu join the same pair", name, t->slot[i] - 1, k);
        t->slot[i] = (uint32_t)k + 1;
    }
    return MOPD_OK;
}

static bool is_id(uint32_t id, size_t n_ids, bool none_too)
{
    return id < n_ids || (none_too && id == MO_TOKEN_NONE);
}

static mopd_status check_ids(const mo_tokenizer *t, const char *name)
{
    bool good = is_id(t->start, t->n_ids, false) && is_id(t->end, t->n_ids, false) &&
                is_id(t->pad, t->n_ids, false) && is_id(t->unknown, t->n_ids, true);
    for (size_t i = 0; i < 512 && good; i++) good = is_id(t->symbol[i], t->n_ids, true);
    if (!good)
        return mo_fail(
            MOPD_E_FORMAT, "%s: the id of a special token or a byte is beyond %zu", name, t->n_ids);
    return mo_tokenizer_check_texts(t, name);
}

mopd_status mo_tokenizer_check_texts(const mo_tokenizer *t, const char *name)
{
    for (size_t i = 0; i <= t->n_ids; i++)
        if (t->token[i] > t->n_text || (i && t->token[i] < t->token[i - 1]))
            return mo_fail(MOPD_E_FORMAT, "%s: the text of token %zu lies outside", name, i ? i - 1 : 0);
    return MOPD_OK;
}

mopd_status mo_tokenizer_check_added(mo_tokenizer *t, const char *name)
{
    const uint32_t known = MO_ADDED_LSTRIP | MO_ADDED_RSTRIP | MO_ADDED_NORMALIZED;
    for (size_t k = 0; k < t->n_added; k++) {
        const mo_added *a = t->added + k;
        if (a->id >= t->n_ids || a->flags & ~known || !a->n_bytes || a->at > t->n_text ||
            a->n_bytes > t->n_text - a->at)
            return mo_fail(MOPD_E_FORMAT, "%s: added token %zu does not hold together", name, k);
        if (a->n_bytes > MO_TOKEN_LONGEST)
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: added token %zu has %u bytes, at most %d are looked for",
                name, k, a->n_bytes, MO_TOKEN_LONGEST);
        for (size_t at = 0; at < a->n_bytes;)
            if (mo_utf8_next(t->text + a->at, a->n_bytes, &at) < 0)
                return mo_fail(MOPD_E_FORMAT, "%s: added token %zu is not UTF-8 at byte %zu", name, k, at);
    }
    return mo_tokenizer_sort_added(t);
}

/* Bytes of a block with these counts; 0 when one is too large. */
static size_t block_size(const uint32_t *head)
{
    for (int i = 3; i < 6; i++)
        if (head[i] > MO_TOKEN_MAX_IDS) return 0;
    uint64_t n = HEADER + 512 + 3 * (uint64_t)head[4] + head[3] + 1 + 4 * (uint64_t)head[5];
    n = 4 * n + ((uint64_t)head[6] + 3) / 4 * 4;
    return n > UINT32_MAX ? 0 : (size_t)n;
}

/* Points into the block behind the struct. */
static void place(mo_tokenizer *t, const uint32_t *p)
{
    t->n_ids = p[3];
    t->n_merges = p[4];
    t->n_added = p[5];
    t->n_text = p[6];
    t->start = p[7];
    t->end = p[8];
    t->pad = p[9];
    t->unknown = p[10];
    t->symbol = p + HEADER;
    t->last = t->symbol + 256;
    t->merge = (const mo_merge *)(t->last + 256);
    t->token = t->last + 256 + 3 * t->n_merges;
    t->added = (const mo_added *)(t->token + t->n_ids + 1);
    t->text = (const char *)(t->token + t->n_ids + 1 + 4 * t->n_added);
}

mo_tokenizer *mo_tokenizer_of_block(const void *bytes, size_t n_bytes, size_t n_merges, size_t n_added)
{
    size_t slots = 16, start = mo_round_up(sizeof(mo_tokenizer), 64), at = start + mo_round_up(n_bytes, 64);
    while (slots < n_merges * 2) slots *= 2;
    mo_tokenizer *t = mo_mem_alloc(at + (slots + n_added) * sizeof *t->slot, 1);
    if (!t) return NULL;
    memset(t, 0, sizeof *t);
    memcpy((char *)t + start, bytes, n_bytes);
    t->slot = (uint32_t *)(void *)((char *)t + at);
    t->slot_mask = slots - 1;
    t->key = mo_hash_key_get();
    t->pattern[0] = t->slot + slots;
    memset(t->slot, 0, slots * sizeof *t->slot);
    t->block = (char *)t + start;
    t->block_bytes = n_bytes;
    return t;
}

mopd_status mo_tokenizer_load(mo_tokenizer **out, const void *bytes, size_t n_bytes, const char *name)
{
    *out = NULL;
    uint32_t head[HEADER];
    if (n_bytes < sizeof head) return mo_fail(MOPD_E_FORMAT, "%s: a vocabulary of %zu bytes", name, n_bytes);
    memcpy(head, bytes, sizeof head);
    if (head[0] == MO_PIECES_MAGIC) return mo_pieces_load(out, bytes, n_bytes, name);
    if (head[0] != MAGIC_0) return mo_fail(MOPD_E_FORMAT, "%s: not a vocabulary block", name);
    if (head[1] > MAGIC_1)
        return mo_fail(MOPD_E_VERSION, "%s: vocabulary format %u, known up to %u", name, head[1], MAGIC_1);
    size_t need = block_size(head);
    if (head[1] != MAGIC_1 || need != n_bytes || head[2] != n_bytes)
        return mo_fail(MOPD_E_FORMAT, "%s: a vocabulary block of %zu bytes says %u and holds %zu", name,
            n_bytes, head[2], need);

    mo_tokenizer *t = mo_tokenizer_of_block(bytes, n_bytes, head[4], head[5]);
    if (!t) return MOPD_E_NOMEM;
    place(t, t->block);
    mopd_status st = check_ids(t, name);
    if (st == MOPD_OK) st = mo_tokenizer_check_added(t, name);
    if (st == MOPD_OK) st = mo_tokenizer_index_merges(t, name);
    if (st != MOPD_OK)
        mo_tokenizer_free(t);
    else
        *out = t;
    return st;
}

mopd_status mo_tokenizer_save(const mo_tokenizer *t, mo_buf *buf)
{
    return mo_buf_add(buf, t->block, t->block_bytes);
}

static mopd_status add_u32(mo_buf *buf, size_t x)
{
    uint32_t u = (uint32_t)x;
    return mo_buf_add(buf, &u, sizeof u);
}

/* symbol[256] and last[256]. */
static mopd_status add_symbols(mo_buf *buf, const mo_tokenizer_vocab *model)
{
    mopd_status st = MOPD_OK;
    for (int k = 0; k < 512 && st == MOPD_OK; k++) {
        char text[8];
        size_t n = mo_tokenizer_byte_symbol((unsigned char)k, text);
        if (k >= 256) {
            memcpy(text + n, "</w>", 4);
            n += 4;
        }
        const mo_word *w = mo_tokenizer_vocab_find(model, text, n);
        st = add_u32(buf, w ? w->id : MO_TOKEN_NONE);
    }
    return st;
}

mopd_status mo_tokenizer_add_merges(mo_buf *buf, const mo_tokenizer_parts *parts, size_t *n_left_out)
{
    const mo_hash_key key = mo_hash_key_get();
    size_t slots = 16, from = buf->size;
    while (slots < parts->n_merges * 2) slots *= 2;
    uint32_t *slot = mo_mem_calloc(slots, sizeof *slot);
    if (!slot) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    *n_left_out = 0;
    for (size_t k = parts->n_merges; k-- > 0 && st == MOPD_OK;) { /* from the end: the last one stays */
        const mo_merge *m = parts->merge + k;
        size_t i = (size_t)mo_hash_pair(&key, m->left, m->right) & (slots - 1);
        for (; slot[i]; i = (i + 1) & (slots - 1))
            if (parts->merge[slot[i] - 1].left == m->left && parts->merge[slot[i] - 1].right == m->right)
                break;
        if (slot[i]) {
            ++*n_left_out;
            continue;
        }
        slot[i] = (uint32_t)k + 1;
        st = mo_stop_check(MO_STOP_ENTRY);
        if (st == MOPD_OK) st = mo_buf_add(buf, m, sizeof *m);
    }
    mo_mem_free(slot);
    if (st != MOPD_OK) return st;
    mo_merge *m = (mo_merge *)(void *)(buf->data + from);
    for (size_t i = 0, j = parts->n_merges - *n_left_out; i + 1 < j; i++) {
        mo_merge x = m[i];
        m[i] = m[--j];
        m[j] = x;
    }
    return MOPD_OK;
}

/* by_id[id] = the word of that id. */
static mopd_status words_by_id(
    const mo_word **by_id, size_t n_ids, const mo_tokenizer_vocab *vocab, const char *name)
{
    for (size_t i = 0; i < vocab->n; i++) {
        const mo_word *w = vocab->word + i;
        if (w->id >= n_ids) return mo_fail(MOPD_E_INTERNAL, "%s: id %u of %zu", name, w->id, n_ids);
        if (by_id[w->id])
            return mo_fail(MOPD_E_FORMAT, "%s: id %u belongs to \"%.*s\" and to \"%.*s\"", name, w->id,
                (int)by_id[w->id]->n_bytes, by_id[w->id]->text, (int)w->n_bytes, w->text);
        by_id[w->id] = w;
    }
    return MOPD_OK;
}

mopd_status mo_tokenizer_add_texts(
    mo_buf *buf, const mo_tokenizer_parts *parts, size_t n_ids, const char *name, size_t *n_text)
{
    const mo_word **by_id = mo_mem_calloc(n_ids, sizeof *by_id);
    if (!by_id) return MOPD_E_NOMEM;
    mopd_status st = words_by_id(by_id, n_ids, parts->model, name);
    if (st == MOPD_OK) st = words_by_id(by_id, n_ids, parts->extra, name);
    size_t at = 0;
    for (size_t i = 0; i <= n_ids && st == MOPD_OK; i++) {
        st = mo_stop_check(MO_STOP_ENTRY);
        if (st == MOPD_OK) st = add_u32(buf, at);
        if (i < n_ids && by_id[i]) at += by_id[i]->n_bytes;
    }
    for (size_t i = 0; i < parts->n_added && st == MOPD_OK; i++) {
        const mo_pattern *p = parts->added + i;
        mo_added a = {p->id, p->flags, (uint32_t)at, (uint32_t)p->n_bytes};
        st = mo_buf_add(buf, &a, sizeof a);
        at += p->n_bytes;
    }
    for (size_t i = 0; i < n_ids && st == MOPD_OK; i++)
        if (by_id[i]) st = mo_buf_add(buf, by_id[i]->text, by_id[i]->n_bytes);
    for (size_t i = 0; i < parts->n_added && st == MOPD_OK; i++)
        st = mo_buf_add(buf, parts->added[i].pattern, parts->added[i].n_bytes);
    mo_mem_free((void *)by_id);
    *n_text = at;
    if (at > UINT32_MAX / 8) return mo_fail(MOPD_E_UNSUPPORTED, "%s: %zu bytes of tokens", name, at);
    return st == MOPD_OK ? mo_buf_add(buf, "\0\0\0", (4 - at % 4) % 4) : st;
}

size_t mo_tokenizer_count_ids(const mo_tokenizer_parts *parts)
{
    size_t n = 0;
    for (size_t i = 0; i < parts->model->n; i++)
        if (parts->model->word[i].id >= n) n = (size_t)parts->model->word[i].id + 1;
    for (size_t i = 0; i < parts->extra->n; i++)
        if (parts->extra->word[i].id >= n) n = (size_t)parts->extra->word[i].id + 1;
    return n;
}

mopd_status mo_tokenizer_build(mo_tokenizer **out, const mo_tokenizer_parts *parts, const char *name)
{
    *out = NULL;
    mo_buf buf = {0};
    size_t n_ids = mo_tokenizer_count_ids(parts), n_left_out = 0, n_text = 0;
    if (n_ids > MO_TOKEN_MAX_IDS || parts->n_merges > MO_TOKEN_MAX_IDS || parts->n_added > MO_TOKEN_MAX_IDS)
        return mo_fail(MOPD_E_FORMAT, "%s: %zu ids, %zu merges, %zu added tokens; at most %zu", name, n_ids,
            parts->n_merges, parts->n_added, MO_TOKEN_MAX_IDS);
    mopd_status st = MOPD_OK;
    for (int i = 0; i < HEADER && st == MOPD_OK; i++) st = add_u32(&buf, 0);
    if (st == MOPD_OK) st = add_symbols(&buf, parts->model);
    if (st == MOPD_OK) st = mo_tokenizer_add_merges(&buf, parts, &n_left_out);
    if (st == MOPD_OK) st = mo_tokenizer_add_texts(&buf, parts, n_ids, name, &n_text);
    if (st == MOPD_OK) {
        uint32_t head[HEADER] = {MAGIC_0, MAGIC_1, (uint32_t)buf.size, (uint32_t)n_ids,
            (uint32_t)(parts->n_merges - n_left_out), (uint32_t)parts->n_added, (uint32_t)n_text,
            parts->start, parts->end, parts->pad, parts->unknown};
        memcpy(buf.data, head, sizeof head);
        st = mo_tokenizer_load(out, buf.data, buf.size, name);
    }
    mo_buf_free(&buf);
    return st;
}
