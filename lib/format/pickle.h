/* SPDX-License-Identifier: MIT
 * pickle.h - a pickle read into a tree, with nothing in it ever called.
 *
 * The opcodes that build numbers, texts and containers do so.  A global becomes a node that holds its name, if
 * the caller allows that name; REDUCE and NEWOBJ become nodes that hold what would have been called with which
 * arguments, BUILD keeps the state beside the object.  Who reads the tree decides what they mean.  All other
 * opcodes are refused. No recursion; nodes, memo and stack are bounded by the bytes read and a fixed limit. */
#ifndef MO_FORMAT_PICKLE_H
#define MO_FORMAT_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

typedef enum mo_pkind {
    MO_P_NONE,
    MO_P_BOOL,   /* i */
    MO_P_INT,    /* i */
    MO_P_BIG,    /* text, n: little-endian two's complement of more than 8 bytes */
    MO_P_FLOAT,  /* f */
    MO_P_TEXT,   /* text, n: in the pickle itself, no zero behind */
    MO_P_BYTES,  /* the same */
    MO_P_TUPLE,  /* items */
    MO_P_LIST,   /* items */
    MO_P_DICT,   /* items: key, value, key, value ... */
    MO_P_GLOBAL, /* callee: module, args: name, both texts */
    MO_P_CALL,   /* callee (a global), args (a tuple), items as of a dict, state */
    MO_P_OBJECT, /* the same, made by NEWOBJ */
    MO_P_STORAGE /* args: what a persistent id holds */
} mo_pkind;

/* No node, no cell. */
#define MO_P_NIL UINT32_MAX

/* Nodes and cells are numbers into the arrays of mo_pickle. */
typedef struct mo_pnode {
    mo_pkind kind;
    uint32_t callee, args, state;
    uint32_t n_items, first, last; /* cells */
    union {
        int64_t i;
        double f;
        size_t n;
    } u;
    const char *text;
} mo_pnode;

typedef struct mo_pcell {
    uint32_t node, next;
} mo_pcell;

typedef struct mo_pickle {
    mo_pnode *nodes;
    mo_pcell *cells;
    uint32_t n_nodes, cap_nodes, n_cells, cap_cells;
    uint32_t root;
    size_t n_bytes; /* of the pickle, STOP included */
} mo_pickle;

/* Whether a global may stand in the pickle; neither text ends with a zero. */
typedef bool (*mo_pickle_allow_fn)(const mo_pnode *module, const mo_pnode *name);

/* Reads one pickle from the start of n bytes, which the tree goes on pointing into.  `at` is where they lie in
 * the file `path`, for messages.  FORMAT: cut short, a wrong type, an opcode or a global that is not allowed. */
mopd_status mo_pickle_open(
    mo_pickle *out, const void *bytes, size_t n, mo_pickle_allow_fn allow, size_t at, const char *path);
void mo_pickle_close(mo_pickle *p);

/* Item i of a tuple, list or dict (keys and values count), by walking; NULL when there is none. */
const mo_pnode *mo_pickle_item(const mo_pickle *p, const mo_pnode *node, size_t i);

/* Whether node is this text; a global or a call of a global with these names. */
bool mo_pickle_is_text(const mo_pnode *node, const char *text);
bool mo_pickle_is(const mo_pickle *p, const mo_pnode *node, const char *module, const char *name);

#endif
