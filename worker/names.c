/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/names.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "worker/bare.h"
#include "worker/rules.h"

enum { CASE_WORDS = 64, CASE_LETTERS = 24, CASE_RUNE_BYTES = 4 };

/* ---- spelling ---- */

enum { NAMES_MOST = 4096, NAME_LETTERS_SLIP = 10 };

/* A name and its bare letters, words parted by single blanks. */
struct name {
    char *text, *bare;
    size_t words;
};

struct names {
    struct name name[NAMES_MOST];
    size_t count;
};

static void name_add(struct names *names, const char *text)
{
    char *bare = malloc(bare_room(text));
    if (!bare || names->count == NAMES_MOST)
        abort();
    bare_text(text, bare, NULL);
    struct name *name = &names->name[names->count];
    *name = (struct name){.text = strdup(text), .bare = bare, .words = 1};
    for (const char *c = text; *c; c++)
        name->words += *c == ' ';
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->name[i].text, text)) {
            free(name->text);
            free(name->bare);
            return;
        }
    names->count++;
}

static struct names *names_new(void)
{
    struct names *names = calloc(1, sizeof *names);
    if (!names)
        abort();
    return names;
}

static const struct names *names_of_bodies(void)
{
    static struct names *names;
    if (names)
        return names;
    names = names_new();
    const struct rules *bodies = rules_of(RULES_BODIES);
    for (size_t i = 0; i < bodies->rows; i++)
        name_add(names, bodies->row[i][0]);
    return names;
}

/* "Quận ủy Ba Đình", "Thị đoàn Sơn Tây" of "Quận Ba Đình", "Thị xã Sơn Tây". */
static void party_bodies_add(struct names *names, const char *district)
{
    static const char *const body[] = {"ủy", "đoàn"};
    static const char town[] = "Thị xã";
    const char *name = strncmp(district, town, strlen(town)) ? strchr(district, ' ') : district + strlen(town);
    for (size_t i = 0; name && i < sizeof body / sizeof *body; i++) {
        AUTO(buf_destroy) struct buf text = {0};
        buf_printf(&text, "%.*s %s%s", (int)strcspn(district, " "), district, body[i], name);
        name_add(names, buf_text(&text));
    }
}

/* "phường Trúc Bạch", "quận Ba Đình": with their kind, which is what makes them known. */
static const struct names *names_of_places(void)
{
    static const int columns[] = {1, 3, 5};
    static struct names *names;
    if (names)
        return names;
    names = names_new();
    const struct rules *places = rules_of(RULES_PLACES);
    for (size_t i = 0; i < places->rows; i++)
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
            name_add(names, places->row[i][columns[k]]);
    for (size_t i = 0; i < places->rows; i++)
        party_bodies_add(names, places->row[i][3]);
    name_add(names, "thành phố Hà Nội");
    name_add(names, "thành ủy Hà Nội");
    name_add(names, "thành đoàn Hà Nội");
    return names;
}

/* How many characters bare has of name's, whole words of them, but for slips; 0: it does not begin so. */
static size_t name_fits(const struct name *name, const char *bare)
{
    size_t words = 0, size = 0;
    while (bare[size] && (bare[size] != ' ' || ++words < name->words))
        size++;
    if (words + (bare[size] ? 0 : 1) < name->words)
        return 0;
    unsigned most = (unsigned)(strlen(name->bare) / NAME_LETTERS_SLIP);
    return bare_distance(bare, size, name->bare, strlen(name->bare), most) <= most ? size : 0;
}

/* The longest name that fits, exactly before with slips; several alike: none, since their marks are what is asked for. */
static const struct name *names_find(const struct names *names, const char *bare, size_t *ret_size)
{
    const struct name *best = NULL;
    bool best_exact = false, alone = true;
    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->name[i];
        size_t size = name_fits(name, bare);
        bool exact = size && !strncmp(bare, name->bare, size) && !name->bare[size];
        if (!size || (best && (name->words < best->words || (name->words == best->words && best_exact && !exact))))
            continue;
        alone = !best || name->words > best->words || exact != best_exact;
        best = name;
        best_exact = exact;
        *ret_size = size;
    }
    return alone ? best : NULL;
}

size_t names_begin(const char *bare)
{
    size_t size = 0;
    return names_find(names_of_bodies(), bare, &size) ? size : 0;
}

static char *bare_copy(const char *text, uint32_t **ret_at)
{
    char *bare = malloc(bare_room(text));
    uint32_t *at = calloc(bare_room(text), sizeof *at);
    if (!bare || !at)
        abort();
    bare_text(text, bare, at);
    *ret_at = at;
    return bare;
}

size_t names_mend(const char *text, struct buf *out)
{
    AUTO(mem_destroy) uint32_t *at = NULL;
    AUTO(mem_destroy) char *bare = bare_copy(text, &at);
    size_t known = 0;
    for (size_t i = 0; bare[i];) {
        size_t size = 0;
        const struct name *name = names_find(names_of_places(), bare + i, &size);
        name = name ? name : names_find(names_of_bodies(), bare + i, &size);
        if (name && name->words > 1) {
            buf_puts(out, name->text);
            known += name->words;
            i += size;
        } else
            do
                buf_append(out, text + at[i], at[i + 1] - at[i]);
            while (bare[++i] && bare[i] != ' ');
        if (bare[i] == ' ') {
            buf_puts(out, " ");
            i++;
        }
    }
    return known;
}

/* ---- capitals ---- */

struct word {
    const char *text; /* not ended */
    size_t bytes;
    char bare[CASE_LETTERS];
};

static bool among(const char *bare, const char *const *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(bare, known[i]))
            return true;
    return false;
}

#define AMONG(bare, ...)                                                                                               \
    among(bare, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* All words behind it are of a place's name, until the next of these. */
static bool names_a_place(const char *bare, const char *before)
{
    return (!strcmp(bare, "pho") && !strcmp(before, "thanh")) ||
           AMONG(bare, "tinh", "quan", "huyen", "phuong", "xa", "tran", "thon", "uy", "doan");
}

static bool is_kind_of_place(const struct word *word, const char *after)
{
    return AMONG(word->bare, "tinh", "quan", "huyen", "phuong", "xa") ||
           (!strcmp(word->bare, "thanh") &&
            (!strcmp(after, "pho") || !strcmp(after, "uy") || !strcmp(after, "doan"))) ||
           (!strcmp(word->bare, "thi") && AMONG(after, "xa", "tran", "uy", "doan"));
}

/* The first word of what an office is for: "Phòng Tư pháp", "Ban Tổ chức", "Giáo dục và Đào tạo". */
static bool begins_a_duty(const char *before, const char *word, const char *two_before)
{
    if (!strcmp(before, "ban"))
        return strcmp(word, "nhan") != 0;
    if (!strcmp(before, "phong"))
        return strcmp(two_before, "van") != 0;
    return AMONG(before, "so", "bo", "cuc", "va", "-") && strcmp(two_before, "dang") != 0;
}

/* Bodies within a name: "Ban Chấp hành Đoàn xã ...", "Văn phòng Hội đồng nhân dân". */
static bool begins_a_body(const struct word *word, const char *before, const char *after)
{
    return (!strcmp(word->bare, "doan") && !AMONG(before, "tinh", "thanh", "quan", "huyen", "thi", "lien", "cong")) ||
           (!strcmp(word->bare, "hoi") && !strcmp(after, "dong")) ||
           (!strcmp(word->bare, "uy") && !strcmp(after, "ban")) ||
           (!strcmp(word->bare, "dang") && AMONG(after, "uy", "bo", "cong", ""));
}

static bool is_name(const char *word, const char *before, const char *after)
{
    static const char *const pair[][2] = {
        {"viet", "nam" },
        {"ha",   "noi" },
        {"to",   "quoc"},
        {"thu",  "do"  },
        {"chi",  "minh"}
    };
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        if ((!strcmp(word, pair[i][0]) && !strcmp(after, pair[i][1])) ||
            (!strcmp(word, pair[i][1]) && !strcmp(before, pair[i][0])))
            return strcmp(word, "quoc") != 0 && strcmp(word, "do") != 0;
    return !strcmp(word, "ho") && !strcmp(after, "chi");
}

/* Short forms stay as they are. */
static bool is_short_form(const char *bare)
{
    return AMONG(bare, "ubnd", "hdnd", "bch", "tncs", "ubmttq", "mttq", "tp", "tnhh", "ldld", "tw", "ubkt");
}

static void word_write(const struct word *word, bool capital, struct buf *out)
{
    bool keep = is_short_form(word->bare);
    for (size_t at = 0; at < word->bytes;) {
        utf8proc_int32_t rune;
        utf8proc_uint8_t to[CASE_RUNE_BYTES];
        utf8proc_ssize_t size =
            utf8proc_iterate((const utf8proc_uint8_t *)word->text + at, (utf8proc_ssize_t)(word->bytes - at), &rune);
        if (size <= 0)
            break;
        rune = keep ? rune : capital ? utf8proc_toupper(rune) : utf8proc_tolower(rune);
        buf_append(out, to, (size_t)utf8proc_encode_char(rune, to));
        at += (size_t)size;
        capital = false;
    }
}

static size_t words_take(const char *text, struct word *words)
{
    size_t count = 0;
    while (*text && count < CASE_WORDS) {
        struct word *word = &words[count++];
        *word = (struct word){.text = text, .bytes = strcspn(text, " ")};
        char *copy = strndup(text, word->bytes);
        char *bare = copy ? malloc(bare_room(copy)) : NULL;
        if (!bare)
            abort();
        bare_text(copy, bare, NULL);
        strncpy(word->bare, bare, CASE_LETTERS - 1);
        free(bare);
        free(copy);
        text += word->bytes + (text[word->bytes] == ' ');
    }
    return count;
}

void names_lower(const char *text, struct buf *out)
{
    struct word word[CASE_WORDS];
    size_t count = words_take(text, word);
    bool in_place = false;
    for (size_t i = 0; i < count; i++) {
        const char *before = i ? word[i - 1].bare : "", *two_before = i > 1 ? word[i - 2].bare : "";
        const char *after = i + 1 < count ? word[i + 1].bare : "";
        bool kind = is_kind_of_place(&word[i], after), capital = i == 0 || is_name(word[i].bare, before, after);
        if (kind || begins_a_body(&word[i], before, after))
            in_place = false;
        capital = capital || in_place || begins_a_duty(before, word[i].bare, two_before) ||
                  begins_a_body(&word[i], before, after);
        capital = capital && (i == 0 || !kind);
        in_place = in_place || (names_a_place(word[i].bare, before) && !AMONG(after, "ban", "uy", "doan"));
        buf_puts(out, i ? " " : "");
        word_write(&word[i], capital, out);
    }
}

bool names_office(const char *text, struct buf *out)
{
    const struct rules *offices = rules_of(RULES_OFFICES);
    AUTO(mem_destroy) uint32_t *at = NULL;
    AUTO(mem_destroy) char *bare = bare_copy(text, &at);
    for (size_t i = 0; i < offices->rows; i++) {
        AUTO(mem_destroy) uint32_t *known_at = NULL;
        AUTO(mem_destroy) char *known = bare_copy(offices->row[i][0], &known_at);
        if (strcmp(known, bare))
            continue;
        buf_puts(out, offices->row[i][0]);
        return true;
    }
    names_lower(text, out);
    return false;
}
