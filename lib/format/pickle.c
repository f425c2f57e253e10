/* SPDX-License-Identifier: MIT
 * pickle.c - the restricted pickle machine (opcodes as in CPython's pickletools.py, protocols 2 to 5).
 *
 * A stack of node numbers, a stack of marks, a memo.  Each opcode makes at most one node, so memory is
 * bounded by the pickle's length; memo numbers may not run ahead of the puts. */
#include "format/pickle.h"

#include <string.h>

#include "base/ints.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/stop.h"

#define NODE_LIMIT (1u << 22)
#define NODE_BYTES                                                                                           \
    160 /* of a value with its places on the stack, in the memo and in a container, while lists grow */

typedef struct numbers {
    uint32_t *at;
    size_t n, cap;
} numbers;

typedef struct machine {
    mo_pickle *tree;
    const unsigned char *bytes;
    size_t n, pos, op_pos;
    size_t file_at;
    const char *path;
    mo_pickle_allow_fn allow;
    numbers stack, marks, memo;
    size_t most; /* values */
    bool stopped;
} machine;

static mopd_status fail(const machine *m, const char *reason)
{
    unsigned op = m->op_pos < m->n ? m->bytes[m->op_pos] : 0;
    return mo_fail(
        MOPD_E_FORMAT, "%s: byte %zu: pickle opcode 0x%02x: %s", m->path, m->file_at + m->op_pos, op, reason);
}

static mopd_status too_large(const machine *m)
{
    return mo_fail(MOPD_E_UNSUPPORTED, "%s: byte %zu: a pickle of more than %zu values", m->path,
        m->file_at + m->op_pos, m->most);
}

static mopd_status add_number(const machine *m, numbers *list, uint32_t x)
{
    if (list->n >= m->most) return too_large(m);
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 256;
        uint32_t *more = mo_mem_realloc(list->at, cap, sizeof *more);
        if (!more) return MOPD_E_NOMEM;
        list->at = more;
        list->cap = cap;
    }
    list->at[list->n++] = x;
    return MOPD_OK;
}

/* Makes room for one more item of an array. */
static mopd_status grow(void **items, uint32_t n, uint32_t *cap, size_t size, const machine *m)
{
    if (n < *cap && n < m->most) return MOPD_OK;
    if (n >= m->most) return too_large(m);
    uint32_t more = *cap ? *cap * 2 : 256;
    void *moved = mo_mem_realloc(*items, more, size);
    if (!moved) return MOPD_E_NOMEM;
    *items = moved;
    *cap = more;
    return MOPD_OK;
}

static mopd_status new_node(machine *m, mo_pkind kind, uint32_t *out)
{
    mo_pickle *t = m->tree;
    void *nodes = t->nodes;
    mopd_status st = grow(&nodes, t->n_nodes, &t->cap_nodes, sizeof *t->nodes, m);
    t->nodes = nodes;
    if (st != MOPD_OK) return st;
    *out = t->n_nodes;
    const mo_pnode empty = {.kind = kind, MO_P_NIL, MO_P_NIL, MO_P_NIL, 0, MO_P_NIL, MO_P_NIL, {0}, NULL};
    t->nodes[t->n_nodes++] = empty;
    return MOPD_OK;
}

static mopd_status add_item(machine *m, uint32_t container, uint32_t node)
{
    mo_pickle *t = m->tree;
    void *cells = t->cells;
    mopd_status st = grow(&cells, t->n_cells, &t->cap_cells, sizeof *t->cells, m);
    t->cells = cells;
    if (st != MOPD_OK) return st;
    mo_pnode *c = &t->nodes[container];
    uint32_t cell = t->n_cells++;
    t->cells[cell] = (mo_pcell){node, MO_P_NIL};
    if (c->last == MO_P_NIL)
        c->first = cell;
    else
        t->cells[c->last].next = cell;
    c->last = cell;
    c->n_items++;
    return MOPD_OK;
}

/* Values above the last mark: only those may be taken. */
static size_t n_above(const machine *m)
{
    return m->stack.n - (m->marks.n ? m->marks.at[m->marks.n - 1] : 0);
}

static mopd_status pop(machine *m, uint32_t *out)
{
    if (!n_above(m)) return fail(m, "the stack is empty");
    *out = m->stack.at[--m->stack.n];
    return MOPD_OK;
}

static mopd_status top(machine *m, uint32_t *out)
{
    if (!n_above(m)) return fail(m, "the stack is empty");
    *out = m->stack.at[m->stack.n - 1];
    return MOPD_OK;
}

static mopd_status push(machine *m, mo_pkind kind, mo_pnode **out)
{
    uint32_t node;
    mopd_status st = new_node(m, kind, &node);
    if (st == MOPD_OK) st = add_number(m, &m->stack, node);
    if (st == MOPD_OK && out) *out = &m->tree->nodes[node];
    return st;
}

static mopd_status take(machine *m, size_t n, const unsigned char **out)
{
    if (n > m->n - m->pos) return fail(m, "the pickle is cut short");
    *out = m->bytes + m->pos;
    m->pos += n;
    return MOPD_OK;
}

/* A little-endian number of n_bytes. */
static mopd_status take_number(machine *m, size_t n_bytes, uint64_t *out)
{
    const unsigned char *p = NULL;
    mopd_status st = take(m, n_bytes, &p);
    *out = 0;
    for (size_t i = n_bytes; st == MOPD_OK && i > 0; i--) *out = *out << 8 | p[i - 1];
    return st;
}

static mopd_status push_int(machine *m, mo_pkind kind, int64_t x)
{
    mo_pnode *node;
    mopd_status st = push(m, kind, &node);
    if (st == MOPD_OK) node->u.i = x;
    return st;
}

/* An unsigned integer of n_bytes, or BININT's signed one. */
static mopd_status read_int(machine *m, size_t n_bytes)
{
    uint64_t x;
    mopd_status st = take_number(m, n_bytes, &x);
    return st == MOPD_OK ? push_int(m, MO_P_INT, n_bytes == 4 ? (int32_t)(uint32_t)x : (int64_t)x) : st;
}

static mopd_status read_float(machine *m)
{
    const unsigned char *p = NULL;
    mo_pnode *node;
    uint64_t bits = 0;
    mopd_status st = take(m, 8, &p);
    if (st == MOPD_OK) st = push(m, MO_P_FLOAT, &node);
    if (st != MOPD_OK) return st;
    for (int i = 0; i < 8; i++) bits = bits << 8 | p[i];
    memcpy(&node->u.f, &bits, sizeof bits);
    return MOPD_OK;
}

/* A length of n_bytes, then as many bytes. */
static mopd_status read_text(machine *m, mo_pkind kind, size_t n_bytes)
{
    uint64_t length;
    const unsigned char *p = NULL;
    mo_pnode *node;
    mopd_status st = take_number(m, n_bytes, &length);
    if (st == MOPD_OK && length > m->n - m->pos) st = fail(m, "the pickle is cut short");
    if (st == MOPD_OK) st = take(m, (size_t)length, &p);
    if (st == MOPD_OK) st = push(m, kind, &node);
    if (st != MOPD_OK) return st;
    node->text = (const char *)p;
    node->u.n = (size_t)length;
    return MOPD_OK;
}

/* LONG1, LONG4: two's complement, little endian. */
static mopd_status read_long(machine *m, size_t n_bytes)
{
    mopd_status st = read_text(m, MO_P_BIG, n_bytes);
    if (st != MOPD_OK) return st;
    mo_pnode *node = &m->tree->nodes[m->stack.at[m->stack.n - 1]];
    size_t n = node->u.n;
    if (n > 8) return MOPD_OK;
    const unsigned char *p = (const unsigned char *)node->text;
    uint64_t x = n && p[n - 1] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = n; i > 0; i--) x = x << 8 | p[i - 1];
    node->kind = MO_P_INT;
    memcpy(&node->u.i, &x, sizeof x);
    return MOPD_OK;
}

/* A tuple of the last n values. */
static mopd_status make_tuple(machine *m, size_t n)
{
    uint32_t tuple;
    if (n_above(m) < n) return fail(m, "the stack is empty");
    mopd_status st = new_node(m, MO_P_TUPLE, &tuple);
    m->stack.n -= n;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) st = add_item(m, tuple, m->stack.at[m->stack.n + i]);
    return st == MOPD_OK ? add_number(m, &m->stack, tuple) : st;
}

/* Values above the last mark, which is taken away: they stay behind the stack's new end. */
static mopd_status close_mark(machine *m, size_t *n)
{
    if (!m->marks.n) return fail(m, "no mark");
    *n = n_above(m);
    m->marks.n--;
    return MOPD_OK;
}

/* Adds the last n values to the list (pairs: the dict or object) below them. */
static mopd_status add_items(machine *m, size_t n, bool pairs)
{
    uint32_t container = 0;
    if (n_above(m) < n + 1) return fail(m, "the stack is empty");
    m->stack.n -= n;
    mopd_status st = top(m, &container);
    if (st != MOPD_OK) return st;
    mo_pkind kind = m->tree->nodes[container].kind;
    bool fits = pairs ? kind == MO_P_DICT || kind == MO_P_CALL || kind == MO_P_OBJECT : kind == MO_P_LIST;
    if (!fits || (pairs && n % 2)) return fail(m, pairs ? "no dict and pairs" : "no list to append to");
    for (size_t i = 0; i < n && st == MOPD_OK; i++) st = add_item(m, container, m->stack.at[m->stack.n + i]);
    return st;
}

static mopd_status add_marked(machine *m, bool pairs)
{
    size_t n = 0;
    mopd_status st = close_mark(m, &n);
    return st == MOPD_OK ? add_items(m, n, pairs) : st;
}

/* A text that ends with a line end, as a node of its own. */
static mopd_status read_line(machine *m, uint32_t *out)
{
    const unsigned char *start = m->bytes + m->pos, *end = memchr(start, '\n', m->n - m->pos);
    if (!end) return fail(m, "the pickle is cut short");
    mopd_status st = new_node(m, MO_P_TEXT, out);
    if (st != MOPD_OK) return st;
    m->tree->nodes[*out].text = (const char *)start;
    m->tree->nodes[*out].u.n = (size_t)(end - start);
    m->pos += (size_t)(end - start) + 1;
    return MOPD_OK;
}

static int shown(const mo_pnode *text)
{
    return text->u.n < 100 ? (int)text->u.n : 100;
}

static mopd_status make_global(machine *m, uint32_t module, uint32_t name)
{
    const mo_pnode *a = &m->tree->nodes[module], *b = &m->tree->nodes[name];
    mo_pnode *node;
    if (a->kind != MO_P_TEXT || b->kind != MO_P_TEXT) return fail(m, "a global needs two texts");
    if (!m->allow(a, b))
        return mo_fail(MOPD_E_FORMAT, "%s: byte %zu: the pickle wants \"%.*s.%.*s\", which is not allowed",
            m->path, m->file_at + m->op_pos, shown(a), a->text, shown(b), b->text);
    mopd_status st = push(m, MO_P_GLOBAL, &node);
    if (st != MOPD_OK) return st;
    node->callee = module;
    node->args = name;
    return MOPD_OK;
}

static mopd_status read_global(machine *m, bool from_stack)
{
    uint32_t module = 0, name = 0;
    mopd_status st = from_stack ? pop(m, &name) : read_line(m, &module);
    if (st == MOPD_OK) st = from_stack ? pop(m, &module) : read_line(m, &name);
    return st == MOPD_OK ? make_global(m, module, name) : st;
}

/* REDUCE, NEWOBJ: holds callee and arguments; nothing is called. */
static mopd_status make_call(machine *m, mo_pkind kind)
{
    uint32_t args = 0, callee = 0;
    mo_pnode *node;
    mopd_status st = pop(m, &args);
    if (st == MOPD_OK) st = pop(m, &callee);
    if (st != MOPD_OK) return st;
    if (m->tree->nodes[callee].kind != MO_P_GLOBAL || m->tree->nodes[args].kind != MO_P_TUPLE)
        return fail(m, "a call needs a global and a tuple");
    if ((st = push(m, kind, &node)) != MOPD_OK) return st;
    node->callee = callee;
    node->args = args;
    return MOPD_OK;
}

static mopd_status make_storage(machine *m)
{
    uint32_t id = 0;
    mo_pnode *node;
    mopd_status st = pop(m, &id);
    if (st == MOPD_OK) st = push(m, MO_P_STORAGE, &node);
    if (st == MOPD_OK) node->args = id;
    return st;
}

static mopd_status build(machine *m)
{
    uint32_t state = 0, object = 0;
    mopd_status st = pop(m, &state);
    if (st == MOPD_OK) st = top(m, &object);
    if (st != MOPD_OK) return st;
    mo_pkind kind = m->tree->nodes[object].kind;
    if (kind != MO_P_CALL && kind != MO_P_OBJECT) return fail(m, "only objects have a state");
    m->tree->nodes[object].state = state;
    return MOPD_OK;
}

static mopd_status put(machine *m, uint64_t slot)
{
    uint32_t node = 0;
    mopd_status st = top(m, &node);
    if (st == MOPD_OK && slot > m->memo.n + 1) st = fail(m, "the memo number runs ahead");
    while (st == MOPD_OK && m->memo.n <= slot) st = add_number(m, &m->memo, MO_P_NIL);
    if (st == MOPD_OK) m->memo.at[slot] = node;
    return st;
}

static mopd_status get(machine *m, uint64_t slot)
{
    if (slot >= m->memo.n || m->memo.at[slot] == MO_P_NIL) return fail(m, "nothing in the memo there");
    return add_number(m, &m->stack, m->memo.at[slot]);
}

/* BINPUT, BINGET and their long forms. */
static mopd_status use_memo(machine *m, size_t n_bytes, mopd_status (*use)(machine *, uint64_t))
{
    uint64_t slot;
    mopd_status st = take_number(m, n_bytes, &slot);
    return st == MOPD_OK ? use(m, slot) : st;
}

static mopd_status read_protocol(machine *m)
{
    uint64_t version;
    mopd_status st = take_number(m, 1, &version);
    return st == MOPD_OK && (version < 2 || version > 5) ? fail(m, "a protocol other than 2 to 5") : st;
}

static mopd_status tuple_to_mark(machine *m)
{
    size_t n = 0;
    mopd_status st = close_mark(m, &n);
    return st == MOPD_OK ? make_tuple(m, n) : st;
}

static mopd_status stop(machine *m)
{
    mopd_status st = pop(m, &m->tree->root);
    if (st == MOPD_OK && (m->stack.n || m->marks.n)) st = fail(m, "values are left over");
    m->stopped = true;
    return st;
}

static mopd_status step(machine *m)
{
    const unsigned char *op = NULL;
    uint64_t frame;
    m->op_pos = m->pos;
    mopd_status st = mo_stop_check(MO_STOP_ENTRY / 4);
    if (st == MOPD_OK) st = take(m, 1, &op);
    if (st != MOPD_OK) return st;
    switch (*op) {
    case 0x80:
        return read_protocol(m);
    case 0x95:
        return take_number(m, 8, &frame);
    case '.':
        return stop(m);
    case '(':
        return add_number(m, &m->marks, (uint32_t)m->stack.n);
    case 'N':
        return push(m, MO_P_NONE, NULL);
    case 0x88:
        return push_int(m, MO_P_BOOL, 1);
    case 0x89:
        return push_int(m, MO_P_BOOL, 0);
    case 'K':
        return read_int(m, 1);
    case 'M':
        return read_int(m, 2);
    case 'J':
        return read_int(m, 4);
    case 0x8a:
        return read_long(m, 1);
    case 0x8b:
        return read_long(m, 4);
    case 'G':
        return read_float(m);
    case 0x8c:
    case 'U':
        return read_text(m, MO_P_TEXT, 1);
    case 'X':
    case 'T':
        return read_text(m, MO_P_TEXT, 4);
    case 0x8d:
        return read_text(m, MO_P_TEXT, 8);
    case 'C':
        return read_text(m, MO_P_BYTES, 1);
    case 'B':
        return read_text(m, MO_P_BYTES, 4);
    case 0x8e:
        return read_text(m, MO_P_BYTES, 8);
    case ')':
        return push(m, MO_P_TUPLE, NULL);
    case 0x85:
        return make_tuple(m, 1);
    case 0x86:
        return make_tuple(m, 2);
    case 0x87:
        return make_tuple(m, 3);
    case 't':
        return tuple_to_mark(m);
    case ']':
        return push(m, MO_P_LIST, NULL);
    case 'a':
        return add_items(m, 1, false);
    case 'e':
        return add_marked(m, false);
    case '}':
        return push(m, MO_P_DICT, NULL);
    case 's':
        return add_items(m, 2, true);
    case 'u':
        return add_marked(m, true);
    case 'q':
        return use_memo(m, 1, put);
    case 'r':
        return use_memo(m, 4, put);
    case 0x94:
        return put(m, m->memo.n);
    case 'h':
        return use_memo(m, 1, get);
    case 'j':
        return use_memo(m, 4, get);
    case 'c':
        return read_global(m, false);
    case 0x93:
        return read_global(m, true);
    case 'R':
        return make_call(m, MO_P_CALL);
    case 0x81:
        return make_call(m, MO_P_OBJECT);
    case 'b':
        return build(m);
    case 'Q':
        return make_storage(m);
    default:
        return fail(m, "not allowed");
    }
}

mopd_status mo_pickle_open(
    mo_pickle *out, const void *bytes, size_t n, mo_pickle_allow_fn allow, size_t at, const char *path)
{
    *out = (mo_pickle){.root = MO_P_NIL};
    machine m = {.tree = out, .bytes = bytes, .n = n, .file_at = at, .path = path, .allow = allow};
    m.most = mo_min(NODE_LIMIT, mo_limits_reading(n) / NODE_BYTES);
    mopd_status st = MOPD_OK;
    while (st == MOPD_OK && !m.stopped) st = step(&m);
    out->n_bytes = m.pos;
    mo_mem_free(m.stack.at);
    mo_mem_free(m.marks.at);
    mo_mem_free(m.memo.at);
    if (st != MOPD_OK) mo_pickle_close(out);
    return st;
}

void mo_pickle_close(mo_pickle *p)
{
    mo_mem_free(p->nodes);
    mo_mem_free(p->cells);
    *p = (mo_pickle){.root = MO_P_NIL};
}

const mo_pnode *mo_pickle_item(const mo_pickle *p, const mo_pnode *node, size_t i)
{
    if (i >= node->n_items) return NULL;
    uint32_t cell = node->first;
    while (i--) cell = p->cells[cell].next;
    return &p->nodes[p->cells[cell].node];
}

bool mo_pickle_is_text(const mo_pnode *node, const char *text)
{
    size_t n = strlen(text);
    return node && node->kind == MO_P_TEXT && node->u.n == n && !memcmp(node->text, text, n);
}

bool mo_pickle_is(const mo_pickle *p, const mo_pnode *node, const char *module, const char *name)
{
    if (!node) return false;
    if (node->kind == MO_P_CALL || node->kind == MO_P_OBJECT) node = &p->nodes[node->callee];
    return node->kind == MO_P_GLOBAL && mo_pickle_is_text(&p->nodes[node->callee], module) &&
           mo_pickle_is_text(&p->nodes[node->args], name);
}
