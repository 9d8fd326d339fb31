/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A predicate is kept in postfix order. What is the same for all documents of a lot is decided once for the lot: often that is all of
 * it, and of millions of documents few are looked at. */
#include "coordinator/where.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/sha256.h"

enum { VALUE_BYTES = NAME_BYTES };

enum key {
    KEY_BATCH,
    KEY_UNIT,
    KEY_BLOC,
    KEY_PIPELINE,
    KEY_PRIORITY,
    KEY_STATE,
    KEY_ERROR,
    KEY_DOCUMENT,
    KEY_PAGES,
    KEY_DEAD,
    KEY_GENERATION,
    KEYS
};
enum op { OP_EQUAL, OP_OTHER, OP_LESS, OP_MOST, OP_MORE, OP_LEAST, OPS };
enum kind { STEP_TERM, STEP_AND, STEP_OR, STEP_NOT, STEP_SKIP };
enum truth { FALSE, TRUE, OPEN }; /* OPEN: it depends on the document */

static const struct {
    const char *name;
    bool number, of_lot;
} key_rule[KEYS] = {
    [KEY_BATCH] = {"batch",      false, true },
    [KEY_UNIT] = {"unit",       false, true },
    [KEY_BLOC] = {"bloc",       false, true },
    [KEY_PIPELINE] = {"pipeline",   false, true },
    [KEY_PRIORITY] = {"priority",   true,  true },
    [KEY_STATE] = {"state",      false, false},
    [KEY_ERROR] = {"error",      false, false},
    [KEY_DOCUMENT] = {"document",   true,  false},
    [KEY_PAGES] = {"pages",      true,  false},
    [KEY_DEAD] = {"dead",       true,  false},
    [KEY_GENERATION] = {"generation", true,  false},
};

static const char *const op_name[OPS] = {
    [OP_EQUAL] = "=", [OP_OTHER] = "!=", [OP_LESS] = "<", [OP_MOST] = "<=", [OP_MORE] = ">", [OP_LEAST] = ">="};

struct step {
    enum kind kind;
    enum key key;
    enum op op;
    char text[VALUE_BYTES];
    int64_t number;   /* of the value; a state; the code of an error */
    unsigned to;      /* STEP_SKIP: what is so decides; on behind that step */
    enum truth truth; /* STEP_SKIP: what decides. A term: of the lot that is being looked at */
};

struct where {
    struct step step[WHERE_STEPS];
    unsigned steps;
};

struct reading {
    const char *text, *at;
    struct where *where;
    unsigned depth;
};

void where_destroy(struct where **where)
{
    free(*where);
    *where = NULL;
}

/* ---- words ---- */

static int wrong(const struct reading *r, const char *wanted, struct err *err)
{
    return err_set(err, E_WHERE, "at character %td, before '%.30s': %s", r->at - r->text + 1, r->at, wanted);
}

static void blanks_skip(struct reading *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static size_t word_length(const char *at)
{
    return strcspn(at, " \t\r\n()=!<>,\"");
}

/* Takes the word, if it is the next one, in any case of letters. */
static bool word_take(struct reading *r, const char *word)
{
    blanks_skip(r);
    size_t n = word_length(r->at);
    if (n != strlen(word) || strncasecmp(r->at, word, n))
        return false;
    r->at += n;
    return true;
}

static bool sign_take(struct reading *r, char sign)
{
    blanks_skip(r);
    if (*r->at != sign)
        return false;
    r->at++;
    return true;
}

static int value_take(struct reading *r, char value[VALUE_BYTES], struct err *err)
{
    blanks_skip(r);
    bool quoted = *r->at == '"';
    const char *from = r->at + quoted;
    size_t n = quoted ? strcspn(from, "\"") : word_length(from);
    if ((!n && !quoted) || (quoted && from[n] != '"'))
        return wrong(r, quoted ? "the quote is never closed" : "a value is missing", err);
    if (n >= VALUE_BYTES)
        return wrong(r, "the value is too long", err);
    memcpy(value, from, n);
    value[n] = '\0';
    r->at = from + n + quoted;
    return 0;
}

static int op_take(struct reading *r, enum op *ret_op, struct err *err)
{
    blanks_skip(r);
    size_t best = 0;
    for (int op = 0; op < OPS; op++) {
        size_t n = strlen(op_name[op]);
        if (n > best && !strncmp(r->at, op_name[op], n)) {
            *ret_op = (enum op)op;
            best = n;
        }
    }
    r->at += best;
    return best ? 0 : wrong(r, "=, !=, <, <=, >, >= or in (...) is missing", err);
}

/* ---- terms ---- */

static int step_add(struct reading *r, const struct step *step, struct err *err)
{
    if (r->where->steps == WHERE_STEPS)
        return wrong(r, "the predicate has too many terms (WHERE_STEPS)", err);
    r->where->step[r->where->steps++] = *step;
    return 0;
}

static int state_number(const char *name)
{
    int state = 0;
    while (state < DOC_STATES && strcmp(name, doc_state_name(state)))
        state++;
    return state < DOC_STATES ? state : -1;
}

static int value_know(struct reading *r, struct step *step, struct err *err)
{
    char *end;
    if (key_rule[step->key].number) {
        step->number = strtoll(step->text, &end, 10);
        if (end == step->text || *end)
            return wrong(r, "the value before this is not a number", err);
    } else if (step->key == KEY_STATE) {
        step->number = state_number(step->text);
        if (step->number < 0)
            return wrong(
                r, "the value before this is none of open, stored, dead, duplicate, quarantined, withdrawn, refused",
                err);
    } else if (step->key == KEY_ERROR) {
        step->number = err_code_named(step->text);
        if (!step->number)
            return wrong(r, "the value before this is no error's name, such as E_TIME", err);
    }
    return 0;
}

static int key_take(struct reading *r, enum key *ret_key, struct err *err)
{
    for (int key = 0; key < KEYS; key++)
        if (word_take(r, key_rule[key].name)) {
            *ret_key = (enum key)key;
            return 0;
        }
    return wrong(
        r, "batch, unit, bloc, pipeline, priority, state, error, document, pages, dead or generation is missing", err);
}

/* KEY in (A, B): A or B. */
static int list_read(struct reading *r, struct step step, struct err *err)
{
    const struct step either = {.kind = STEP_OR};
    int rc = sign_take(r, '(') ? 0 : wrong(r, "a list begins with (", err);
    step.op = OP_EQUAL;
    for (unsigned n = 0; !rc; n++) {
        rc = value_take(r, step.text, err);
        if (!rc)
            rc = value_know(r, &step, err);
        if (!rc)
            rc = step_add(r, &step, err);
        if (!rc && n)
            rc = step_add(r, &either, err);
        if (rc || !sign_take(r, ','))
            break;
    }
    return rc || sign_take(r, ')') ? rc : wrong(r, "a list ends with )", err);
}

static int term_read(struct reading *r, struct err *err)
{
    struct step step = {.kind = STEP_TERM};
    int rc = key_take(r, &step.key, err);
    if (!rc && word_take(r, "in"))
        return list_read(r, step, err);
    if (!rc)
        rc = op_take(r, &step.op, err);
    if (!rc && step.op > OP_OTHER && !key_rule[step.key].number)
        rc = wrong(r, "a key of text has =, != and in (...) only", err);
    if (!rc)
        rc = value_take(r, step.text, err);
    if (!rc)
        rc = value_know(r, &step, err);
    return rc ? rc : step_add(r, &step, err);
}

/* ---- not, and, or ---- */

static int or_read(struct reading *r, struct err *err);

static int not_read(struct reading *r, struct err *err)
{
    const struct step step = {.kind = STEP_NOT};
    if (++r->depth > WHERE_DEPTH)
        return wrong(r, "brackets and nots are nested too deep (WHERE_DEPTH)", err);
    int rc;
    if (word_take(r, "not")) {
        rc = not_read(r, err);
        rc = rc ? rc : step_add(r, &step, err);
    } else if (sign_take(r, '(')) {
        rc = or_read(r, err);
        if (!rc && !sign_take(r, ')'))
            rc = wrong(r, "and, or or ) is missing", err);
    } else {
        rc = term_read(r, err);
    }
    r->depth--;
    return rc;
}

/* Operands with a word between them; one that decides skips the next. */
static int joined_read(struct reading *r, const char *word, enum kind kind, enum truth decides,
                       int (*operand_read)(struct reading *r, struct err *err), struct err *err)
{
    const struct step join = {.kind = kind}, skip = {.kind = STEP_SKIP, .truth = decides};
    int rc = operand_read(r, err);
    while (!rc && word_take(r, word)) {
        unsigned at = r->where->steps;
        rc = step_add(r, &skip, err);
        rc = rc ? rc : operand_read(r, err);
        rc = rc ? rc : step_add(r, &join, err);
        if (!rc)
            r->where->step[at].to = r->where->steps - 1;
    }
    return rc;
}

static int and_read(struct reading *r, struct err *err)
{
    return joined_read(r, "and", STEP_AND, FALSE, not_read, err);
}

static int or_read(struct reading *r, struct err *err)
{
    return joined_read(r, "or", STEP_OR, TRUE, and_read, err);
}

int where_parse(const char *text, struct where **ret_where, struct err *err)
{
    AUTO(where_destroy) struct where *where = calloc(1, sizeof *where);
    struct reading r = {text, text, where, 0};
    if (!where)
        return err_set(err, E_NOMEM, "no memory for a predicate");
    if (strlen(text) >= WHERE_BYTES)
        return err_set(err, E_WHERE, "the predicate is longer than %d bytes (WHERE_BYTES)", WHERE_BYTES - 1);
    int rc = or_read(&r, err);
    blanks_skip(&r);
    if (!rc && *r.at)
        rc = wrong(&r, "and, or or the end is missing", err);
    if (rc)
        return rc;
    *ret_where = where;
    where = NULL;
    return 0;
}

/* ---- looking ---- */

static enum truth compared(int64_t is, enum op op, int64_t said)
{
    switch (op) {
    case OP_EQUAL: return is == said;
    case OP_OTHER: return is != said;
    case OP_LESS: return is < said;
    case OP_MOST: return is <= said;
    case OP_MORE: return is > said;
    case OP_LEAST: return is >= said;
    default: assert(!"an operator"); return FALSE;
    }
}

static enum truth text_term(const struct step *step, const char *is)
{
    return compared(strcmp(is, step->text) != 0, step->op, 0);
}

static enum truth pipeline_term(const struct step *step, const struct backlog *backlog, uint32_t pipeline)
{
    char hex[SHA256_HEX_CHARS + 1] = "";
    if (pipeline != NONE)
        sha256_hex(backlog->pipeline[pipeline], hex);
    return compared(strncmp(hex, step->text, strlen(step->text)) != 0, step->op, 0);
}

/* No document, or each, of the lot is in the state; or it depends. */
static enum truth state_term(const struct step *step, const struct lot *lot)
{
    uint32_t in = lot->doc_count[step->number];
    if (in && in < lot->docs)
        return OPEN;
    return compared(in == 0, step->op, 0);
}

static enum truth lot_term(const struct step *step, const struct backlog *backlog, const struct lot *lot)
{
    const struct batch *batch = backlog->batch[lot->batch];
    switch (step->key) {
    case KEY_BATCH: return text_term(step, batch->id);
    case KEY_UNIT: return text_term(step, lot->terms.unit);
    case KEY_BLOC: return text_term(step, lot->terms.bloc);
    case KEY_PIPELINE: return pipeline_term(step, backlog, batch->pipeline);
    case KEY_PRIORITY: return compared(lot->priority, step->op, step->number);
    case KEY_STATE: return state_term(step, lot);
    default: return OPEN;
    }
}

static enum truth doc_term(const struct step *step, const struct backlog *backlog, uint32_t number,
                           const struct doc *doc)
{
    switch (step->key) {
    case KEY_STATE: return compared(doc->state, step->op, step->number);
    case KEY_ERROR: return compared(doc->fault == NONE ? 0 : backlog->fault[doc->fault].code, step->op, step->number);
    case KEY_DOCUMENT: return compared(number, step->op, step->number);
    case KEY_PAGES: return compared(doc->pages, step->op, step->number);
    case KEY_DEAD: return compared(doc->pages_dead, step->op, step->number);
    case KEY_GENERATION: return compared(doc->generation, step->op, step->number);
    default: assert(!"a term of a document"); return FALSE;
    }
}

static enum truth joined(enum kind kind, enum truth a, enum truth b)
{
    if (kind == STEP_AND)
        return a == FALSE || b == FALSE ? FALSE : a == TRUE && b == TRUE ? TRUE : OPEN;
    return a == TRUE || b == TRUE ? TRUE : a == FALSE && b == FALSE ? FALSE : OPEN;
}

/* doc NULL: of the lot alone, as its steps say. */
static enum truth where_truth(const struct where *where, const struct backlog *backlog, uint32_t number,
                              const struct doc *doc)
{
    enum truth stack[WHERE_STEPS];
    unsigned n = 0;
    for (unsigned i = 0; i < where->steps; i++) {
        const struct step *step = &where->step[i];
        if (step->kind == STEP_TERM) {
            stack[n++] = step->truth == OPEN && doc ? doc_term(step, backlog, number, doc) : step->truth;
        } else if (step->kind == STEP_SKIP) {
            i = stack[n - 1] == step->truth ? step->to : i;
        } else if (step->kind == STEP_NOT) {
            stack[n - 1] = stack[n - 1] == OPEN ? OPEN : stack[n - 1] == FALSE;
        } else {
            n--;
            stack[n - 1] = joined(step->kind, stack[n - 1], stack[n]);
        }
    }
    return stack[0];
}

static void lot_look(struct where *where, const struct backlog *backlog, const struct lot *lot,
                     void (*each)(struct doc_ref ref, void *user), void *user)
{
    const struct batch *batch = backlog->batch[lot->batch];
    for (unsigned i = 0; i < where->steps; i++)
        if (where->step[i].kind == STEP_TERM)
            where->step[i].truth = lot_term(&where->step[i], backlog, lot);
    enum truth all = where_truth(where, backlog, 0, NULL);
    uint32_t end = lot->first_doc + lot->docs;
    for (uint32_t d = lot->first_doc, ahead; all != FALSE && d < end; d += ahead) {
        const struct doc *doc = doc_look(batch, d);
        ahead = DOC_BLOCK - d % DOC_BLOCK < end - d ? DOC_BLOCK - d % DOC_BLOCK : end - d;
        uint32_t step = batch->block[d / DOC_BLOCK] ? 1 : 0; /* of an untouched block all are the same one */
        for (uint32_t i = 0; i < ahead; i++, doc += step)
            if (all == TRUE || where_truth(where, backlog, d + i, doc))
                each((struct doc_ref){batch->index, d + i}, user);
    }
}

void where_each(struct where *where, const struct backlog *backlog, void (*each)(struct doc_ref ref, void *user),
                void *user)
{
    for (uint32_t b = 0; b < backlog->batches; b++)
        for (uint32_t i = 0; backlog->batch[b] && !backlog->batch[b]->check_only && i < backlog->batch[b]->lots; i++)
            lot_look(where, backlog, backlog->batch[b]->lot[i], each, user);
}
