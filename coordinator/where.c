/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A predicate is kept as it is evaluated: terms, and behind its operands what joins them. Values lie apart, those of a term
 * together; numbers of a list are sorted. */
#include "coordinator/where.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/auto.h"
#include "proto/limits.h"
#include "proto/sohoa.pb-c.h"
#include "proto/unit.h"

enum op_kind { OP_SET, OP_TEXT, OP_IN, OP_LESS, OP_MOST, OP_MORE, OP_LEAST, OP_NOT, OP_AND, OP_OR };

enum {
    NEAR = 2, /* letters that a misspelled name may differ in */
    WORD_BYTES = 32,
    NUMBER_DIGITS = 9,
    PERCENT_CPCT = 100,
};

struct where {
    struct where_op *op;
    uint32_t ops;
    uint32_t *number;
    uint32_t numbers;
    const char **text;
    uint32_t texts;
    char *words; /* that text points to */
    bool of_pages;
};

static const char *const key_name[WHERE_KEYS] = {
    [WHERE_BATCH] = "batch",           [WHERE_UNIT] = "unit",         [WHERE_BLOC] = "bloc",
    [WHERE_PIPELINE] = "pipeline",     [WHERE_STATE] = "state",       [WHERE_ERROR] = "error",
    [WHERE_CONFIDENCE] = "confidence", [WHERE_PAGES] = "pages",       [WHERE_DEAD] = "dead",
    [WHERE_DOCUMENT] = "document",     [WHERE_PRIORITY] = "priority", [WHERE_GENERATION] = "generation",
    [WHERE_GRADE] = "grade",
};
static const char *const state_name[] = {"open", "stored", "dead", "duplicate", "quarantined", "withdrawn", "refused"};
static const char *const grade_name[] = {"none", "A", "B", "C"};

void where_destroy(struct where **where)
{
    if (!*where)
        return;
    free((*where)->op);
    free((*where)->number);
    free((*where)->text);
    free((*where)->words);
    free(*where);
    *where = NULL;
}

/* ---- parsing ---- */

struct parser {
    const char *text, *at;
    struct where *where;
    char *word_end; /* of the words so far */
    unsigned nest;
    struct err *err;
};

static int wrong(struct parser *p, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int wrong(struct parser *p, const char *at, const char *format, ...)
{
    char what[ERR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return err_set(p->err, E_WHERE, "at letter %zu: %s", (size_t)(at - p->text) + 1, what);
}

static void skip_space(struct parser *p)
{
    p->at += strspn(p->at, " \t\r\n");
}

static size_t word_length(const char *at)
{
    return strcspn(at, " \t\r\n(),=<>!\"'");
}

/* Takes the word if it comes next. */
static bool keyword(struct parser *p, const char *word)
{
    skip_space(p);
    size_t n = word_length(p->at);
    if (n != strlen(word) || strncasecmp(p->at, word, n))
        return false;
    p->at += n;
    return true;
}

static bool sign(struct parser *p, const char *sign)
{
    skip_space(p);
    if (strncmp(p->at, sign, strlen(sign)))
        return false;
    p->at += strlen(sign);
    return true;
}

static int op_add(struct parser *p, struct where_op op)
{
    struct where *where = p->where;
    if (where->ops == WHERE_OPS)
        return wrong(p, p->at, "there are more than %d terms and what joins them (WHERE_OPS)", WHERE_OPS);
    where->op[where->ops++] = op;
    return 0;
}

static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_BYTES + 1], n = (unsigned)strlen(b);
    if (strlen(a) > WORD_BYTES || n > WORD_BYTES)
        return NEAR + 1;
    for (unsigned i = 0; i <= n; i++)
        row[i] = i;
    for (unsigned k = 1; *a; a++, k++) {
        unsigned before = row[0];
        row[0] = k;
        for (unsigned i = 1; i <= n; i++) {
            unsigned changed = before + (*a != b[i - 1]), least = row[i - 1] < row[i] ? row[i - 1] + 1 : row[i] + 1;
            before = row[i];
            row[i] = changed < least ? changed : least;
        }
    }
    return row[n];
}

static int key_take(struct parser *p, enum where_key *ret_key)
{
    char word[WORD_BYTES];
    skip_space(p);
    size_t n = word_length(p->at);
    const char *nearest = NULL;
    snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), p->at);
    if (!n)
        return wrong(p, p->at, "a term is expected here, such as grade=C");
    for (unsigned key = 0; key < WHERE_KEYS; key++) {
        if (!strcmp(word, key_name[key])) {
            p->at += n;
            *ret_key = (enum where_key)key;
            return 0;
        }
        if (distance(word, key_name[key]) <= NEAR)
            nearest = key_name[key];
    }
    return nearest
               ? wrong(p, p->at, "'%s' is no key; '%s' is", word, nearest)
               : wrong(p, p->at,
                       "'%s' is no key: batch, unit, bloc, pipeline, state, error, confidence, pages, dead, document, "
                       "priority, generation, grade",
                       word);
}

/* A value, as it is or in quotes; kept. */
static int word_take(struct parser *p, const char **ret_word)
{
    skip_space(p);
    char quote = *p->at == '"' || *p->at == '\'' ? *p->at : '\0';
    size_t n = quote ? strcspn(p->at + 1, quote == '"' ? "\"" : "'") : word_length(p->at);
    const char *from = p->at + !!quote;
    if (quote && !from[n])
        return wrong(p, p->at, "the quote does not end");
    if (!quote && !n)
        return wrong(p, p->at, "a value is expected here");
    memcpy(p->word_end, from, n);
    p->word_end[n] = '\0';
    *ret_word = p->word_end;
    p->word_end += n + 1;
    p->at = from + n + !!quote;
    return 0;
}

static bool name_find(const char *const *name, size_t count, const char *word, uint32_t *ret_number)
{
    for (uint32_t i = 0; i < count; i++)
        if (!strcasecmp(word, name[i])) {
            *ret_number = i;
            return true;
        }
    return false;
}

static bool percent_read(const char *word, uint32_t *ret_cpct)
{
    size_t whole = strspn(word, "0123456789"), parts = word[whole] == '.' ? strspn(word + whole + 1, "0123456789") : 0;
    const char *end = word + whole + (word[whole] == '.') + parts;
    if (!whole || whole > 3 || parts > 2 || (word[whole] == '.' && !parts) || (*end && strcmp(end, "%")))
        return false;
    uint32_t cpct = (uint32_t)strtoul(word, NULL, 10) * PERCENT_CPCT;
    if (parts)
        cpct += (uint32_t)strtoul(word + whole + 1, NULL, 10) * (parts == 1 ? 10 : 1);
    *ret_cpct = cpct;
    return cpct <= 100 * PERCENT_CPCT;
}

static bool number_read(const char *word, uint32_t *ret_number)
{
    size_t digits = strspn(word, "0123456789");
    *ret_number = (uint32_t)strtoul(word, NULL, 10);
    return digits && !word[digits] && digits <= NUMBER_DIGITS;
}

static int text_check(struct parser *p, enum where_key key, const char *at, const char *word)
{
    struct err why;
    if (key == WHERE_UNIT && unit_check(word, &why))
        return wrong(p, at, "%s", why.text);
    if (key == WHERE_PIPELINE && (!*word || word[strspn(word, "0123456789abcdef")] || strlen(word) > SHA256_HEX_CHARS))
        return wrong(p, at, "'%.70s' is no digest of a pipeline, nor its first digits", word);
    return 0;
}

/* What the word says, as a value of the term. */
static int value_add(struct parser *p, struct where_op *op, const char *at, const char *word)
{
    struct where *where = p->where;
    uint32_t number = 0;
    const char *wanted = NULL;
    op->count++;
    switch (op->key) {
    case WHERE_BATCH:
    case WHERE_UNIT:
    case WHERE_BLOC:
    case WHERE_PIPELINE: where->text[where->texts++] = word; return text_check(p, (enum where_key)op->key, at, word);
    case WHERE_STATE:
        if (!name_find(state_name, sizeof state_name / sizeof *state_name, word, &number))
            wanted = "a state: stored, dead, refused, open, duplicate, quarantined or withdrawn";
        break;
    case WHERE_GRADE:
        if (!name_find(grade_name, sizeof grade_name / sizeof *grade_name, word, &number))
            wanted = "a grade: A, B, C or none";
        op->grades |= (uint8_t)(1u << number);
        break;
    case WHERE_ERROR:
        number = (uint32_t)-err_code_named(word);
        wanted = number ? NULL : "an error's code, such as E_TIME";
        break;
    case WHERE_CONFIDENCE: wanted = percent_read(word, &number) ? NULL : "a percentage, such as 85 or 85.5"; break;
    default: wanted = number_read(word, &number) ? NULL : "a number"; break;
    }
    where->number[where->numbers++] = number;
    return wanted ? wrong(p, at, "'%.60s' is not %s", word, wanted) : 0;
}

static int value_take(struct parser *p, struct where_op *op)
{
    const char *word = "";
    skip_space(p);
    const char *at = p->at;
    int rc = word_take(p, &word);
    return rc ? rc : value_add(p, op, at, word);
}

static int number_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int list_take(struct parser *p, struct where_op *op)
{
    if (!sign(p, "("))
        return wrong(p, p->at, "a list is expected behind 'in': (VALUE, VALUE)");
    do {
        int rc = value_take(p, op);
        if (rc)
            return rc;
    } while (sign(p, ","));
    if (!sign(p, ")"))
        return wrong(p, p->at, "a comma or ')' is expected here");
    if (op->kind == OP_IN)
        qsort(p->where->number + op->first, op->count, sizeof *p->where->number, number_order);
    return 0;
}

/* The sign of a comparison: how it compares, of the kind that the key has. */
static int compare_take(struct parser *p, struct where_op *op)
{
    static const struct {
        const char *sign;
        enum op_kind kind;
    } rule[] = {
        {"<=", OP_MOST },
        {">=", OP_LEAST},
        {"<",  OP_LESS },
        {">",  OP_MORE }
    };
    bool ordered = op->key >= WHERE_CONFIDENCE && op->key < WHERE_GRADE;
    if (sign(p, "="))
        return 0;
    op->negate = sign(p, "!=");
    for (size_t i = 0; i < sizeof rule / sizeof *rule && !op->negate; i++) {
        const char *at = p->at;
        if (!sign(p, rule[i].sign))
            continue;
        op->kind = (uint8_t)rule[i].kind;
        return ordered ? 0 : wrong(p, at, "%s takes =, != and in", key_name[op->key]);
    }
    return op->negate ? 0
                      : wrong(p, p->at, "%s is expected behind %s",
                              ordered ? "=, !=, <, <=, >, >= or in" : "=, != or in", key_name[op->key]);
}

static int term_take(struct parser *p)
{
    struct where *where = p->where;
    enum where_key key = WHERE_KEYS;
    int rc = key_take(p, &key);
    if (rc)
        return rc;
    struct where_op op = {.key = (uint8_t)key, .kind = key < WHERE_TEXTS ? OP_TEXT : OP_IN};
    op.first = key < WHERE_TEXTS ? where->texts : where->numbers;
    op.negate = keyword(p, "not");
    bool list = keyword(p, "in");
    if (op.negate && !list)
        return wrong(p, p->at, "'in' is expected behind 'not'");
    rc = list ? list_take(p, &op) : compare_take(p, &op);
    if (!rc && !list)
        rc = value_take(p, &op);
    if (key == WHERE_GRADE) {
        where->of_pages = true;
        op = (struct where_op){.kind = OP_SET, .grades = op.negate ? op.grades ^ WHERE_ALL : op.grades};
    }
    return rc ? rc : op_add(p, op);
}

static int any_take(struct parser *p);

static int operand_take(struct parser *p)
{
    const char *at = p->at;
    int rc;
    if (p->nest == WHERE_NEST)
        return wrong(p, at, "more than %d parentheses and 'not's are within each other (WHERE_NEST)", WHERE_NEST);
    p->nest++;
    if (keyword(p, "not")) {
        rc = operand_take(p);
        if (!rc)
            rc = op_add(p, (struct where_op){.kind = OP_NOT});
    } else if (sign(p, "(")) {
        rc = any_take(p);
        if (!rc && !sign(p, ")"))
            rc = wrong(p, p->at, "'and', 'or' or ')' is expected here");
    } else {
        rc = term_take(p);
    }
    p->nest--;
    return rc;
}

static int all_take(struct parser *p)
{
    int rc = operand_take(p);
    while (!rc && keyword(p, "and")) {
        rc = operand_take(p);
        if (!rc)
            rc = op_add(p, (struct where_op){.kind = OP_AND});
    }
    return rc;
}

static int any_take(struct parser *p)
{
    int rc = all_take(p);
    while (!rc && keyword(p, "or")) {
        rc = all_take(p);
        if (!rc)
            rc = op_add(p, (struct where_op){.kind = OP_OR});
    }
    return rc;
}

/* No value is without a letter, and each is behind a sign of its own. */
static struct where *where_new(size_t bytes)
{
    struct where *where = calloc(1, sizeof *where);
    if (!where)
        abort();
    where->op = calloc(WHERE_OPS, sizeof *where->op);
    where->number = calloc(bytes + 1, sizeof *where->number);
    where->text = calloc(bytes + 1, sizeof *where->text);
    where->words = malloc(bytes + 1);
    if (!where->op || !where->number || !where->text || !where->words)
        abort();
    return where;
}

int where_parse(const char *text, struct where **ret_where, struct err *err)
{
    size_t bytes = strlen(text);
    if (bytes >= WHERE_BYTES)
        return err_set(err, E_WHERE, "the predicate is longer than %d bytes (WHERE_BYTES)", WHERE_BYTES - 1);
    AUTO(where_destroy) struct where *where = where_new(bytes);
    struct parser p = {.text = text, .at = text, .where = where, .word_end = where->words, .err = err};
    int rc = any_take(&p);
    skip_space(&p);
    if (!rc && *p.at)
        rc = wrong(&p, p.at, "'and' or 'or' is expected here");
    if (rc)
        return rc;
    *ret_where = where;
    where = NULL;
    return 0;
}

/* ---- what it says ---- */

bool where_of_pages(const struct where *where)
{
    return where->of_pages;
}

const char *where_value(const struct where *where, enum where_key key, uint32_t nth)
{
    assert(key < WHERE_TEXTS);
    for (uint32_t i = 0; i < where->ops; i++) {
        const struct where_op *op = &where->op[i];
        if (op->kind != OP_TEXT || op->key != key)
            continue;
        if (nth < op->count)
            return where->text[op->first + nth];
        nth -= op->count;
    }
    return NULL;
}

static bool text_fits(const struct where *where, const struct where_op *op, const char *is)
{
    for (uint32_t i = 0; i < op->count; i++) {
        const char *value = where->text[op->first + i];
        if (op->key == WHERE_PIPELINE ? !strncmp(is, value, strlen(value)) : !strcmp(is, value))
            return true;
    }
    return false;
}

static bool number_in(const uint32_t *value, uint32_t count, uint32_t is)
{
    uint32_t low = 0;
    while (count > 1) { /* the last that is not above it is among count from low on */
        uint32_t half = count / 2;
        low = value[low + half] <= is ? low + half : low;
        count -= half;
    }
    return value[low] == is;
}

static bool number_fits(const struct where *where, const struct where_op *op, uint32_t is)
{
    const uint32_t *value = where->number + op->first;
    if (is == WHERE_NOTHING)
        return false;
    switch (op->kind) {
    case OP_LESS: return is < *value;
    case OP_MOST: return is <= *value;
    case OP_MORE: return is > *value;
    case OP_LEAST: return is >= *value;
    default: return number_in(value, op->count, is);
    }
}

uint8_t where_grades(const struct where *where, const struct where_op *op, uint32_t ops,
                     const struct where_facts *facts)
{
    uint8_t stack[WHERE_DEPTH];
    unsigned n = 0;
    for (uint32_t at = 0; at < ops; at++) {
        const struct where_op *it = &op[at];
        switch (it->kind) {
        case OP_AND: n--, stack[n - 1] &= stack[n]; break;
        case OP_OR: n--, stack[n - 1] |= stack[n]; break;
        case OP_NOT: stack[n - 1] ^= WHERE_ALL; break;
        case OP_SET: stack[n++] = it->grades; break;
        default: stack[n++] = number_fits(where, it, facts->number[it->key]) != it->negate ? WHERE_ALL : 0; break;
        }
        while (op[at].join && stack[n - 1] == op[at].decides)
            at = op[at].join;
    }
    return stack[0];
}

/* ---- binding ---- */

/* What was bound so far: operands, one behind the other. */
struct bound {
    struct where_op *op;
    uint32_t ops;
    uint32_t first[WHERE_DEPTH]; /* of each operand */
    unsigned operands;
};

static bool operand_known(const struct bound *b, uint32_t first, uint32_t end)
{
    return end - first == 1 && b->op[first].kind == OP_SET;
}

/* The last two operands become one. Known sets are not evaluated again: all or none decide, or change nothing. */
static void bound_join(struct bound *b, struct where_op join)
{
    uint32_t right = b->first[--b->operands], left = b->first[b->operands - 1];
    uint8_t idle = join.kind == OP_AND ? WHERE_ALL : 0, decides = idle ^ WHERE_ALL;
    bool left_known = operand_known(b, left, right), right_known = operand_known(b, right, b->ops);
    if ((left_known && b->op[left].grades == decides) || (right_known && b->op[right].grades == decides)) {
        b->op[left] = (struct where_op){.kind = OP_SET, .grades = decides};
        b->ops = left + 1;
    } else if (right_known && b->op[right].grades == idle) {
        b->ops = right;
    } else if (left_known && b->op[left].grades == idle) {
        memmove(&b->op[left], &b->op[right], (b->ops - right) * sizeof *b->op);
        b->ops -= right - left;
    } else {
        b->op[b->ops++] = join;
    }
}

/* What the lot knows of a term becomes a set. */
static struct where_op term_bind(const struct where *where, const struct where_op *op, const struct where_lot *lot)
{
    uint32_t fit = 0, not_fit = 0;
    if (op->kind == OP_TEXT)
        fit = text_fits(where, op, lot->text[op->key]);
    else if (op->kind != OP_SET && op->key == WHERE_PRIORITY)
        fit = number_fits(where, op, lot->priority);
    else if (op->kind != OP_SET && op->key == WHERE_STATE)
        for (uint32_t state = 0; lot->states >> state; state++) {
            bool fits = lot->states >> state & 1 && number_fits(where, op, state);
            fit |= (uint32_t)fits << state;
            not_fit |= (lot->states >> state & 1 & !fits) << state;
        }
    else
        return *op;
    if (fit && not_fit)
        return *op;
    return (struct where_op){.kind = OP_SET, .grades = !fit != op->negate ? 0 : WHERE_ALL};
}

/* So that second operands are not looked at when the first decide. */
static void joins_tell(struct where_op *op, uint32_t ops)
{
    uint32_t first[WHERE_DEPTH];
    unsigned operands = 0;
    for (uint32_t i = 0; i < ops; i++) {
        op[i].join = 0;
        if (op[i].kind == OP_AND || op[i].kind == OP_OR) {
            struct where_op *left = &op[first[--operands] - 1];
            left->join = (uint16_t)i;
            left->decides = op[i].kind == OP_AND ? 0 : WHERE_ALL;
        } else if (op[i].kind != OP_NOT) {
            first[operands++] = i;
        }
    }
}

uint32_t where_bind(const struct where *where, const struct where_lot *lot, struct where_op *op)
{
    struct bound b = {.op = op};
    for (uint32_t i = 0; i < where->ops; i++) {
        const struct where_op *next = &where->op[i];
        if (next->kind == OP_AND || next->kind == OP_OR) {
            bound_join(&b, *next);
        } else if (next->kind == OP_NOT && operand_known(&b, b.first[b.operands - 1], b.ops)) {
            b.op[b.ops - 1].grades ^= WHERE_ALL;
        } else if (next->kind == OP_NOT) {
            b.op[b.ops++] = *next;
        } else {
            b.first[b.operands++] = b.ops;
            b.op[b.ops++] = term_bind(where, next, lot);
        }
    }
    joins_tell(op, b.ops);
    return b.ops;
}

bool where_never(const struct where_op *op, uint32_t ops)
{
    return ops == 1 && op->kind == OP_SET && !op->grades;
}

bool where_asks(const struct where_op *op, uint32_t ops)
{
    for (uint32_t i = 0; i < ops; i++)
        if (op[i].kind < OP_NOT && op[i].kind != OP_SET)
            return true;
    return false;
}
