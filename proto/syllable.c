/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A syllable is onset + rime + tone. Rimes are spelled without their tone and listed with their medial, as they
 * are written; what a spelling rule says of an onset is a flag in its row. */
#include "proto/syllable.h"

#include <string.h>
#include <utf8proc.h>

enum {
    SYLLABLE_MAX_LETTERS = 7, /* nghiêng */
    SYLLABLE_RIME_LETTERS = 4,
    LETTER_MAX_BYTES = 4,
};

struct letters {
    struct letter at[SYLLABLE_MAX_LETTERS];
    size_t count;
};

/* ---- letters ---- */

static utf8proc_int32_t with_quality(utf8proc_int32_t base, utf8proc_int32_t mark)
{
    static const struct {
        utf8proc_int32_t base, mark, letter;
    } rule[] = {
        {'a', 0x306, 0x103},
        {'a', 0x302, 0xe2 },
        {'e', 0x302, 0xea },
        {'o', 0x302, 0xf4 },
        {'o', 0x31b, 0x1a1},
        {'u', 0x31b, 0x1b0},
    };
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        if (rule[i].base == base && rule[i].mark == mark)
            return rule[i].letter;
    return 0;
}

static bool tone_of_mark(utf8proc_int32_t mark, enum tone *tone)
{
    switch (mark) {
    case 0x301: *tone = TONE_ACUTE; return true;
    case 0x300: *tone = TONE_GRAVE; return true;
    case 0x309: *tone = TONE_HOOK; return true;
    case 0x303: *tone = TONE_TILDE; return true;
    case 0x323: *tone = TONE_DOT; return true;
    default: return false;
    }
}

bool letter_of(int32_t rune, struct letter *letter)
{
    utf8proc_int32_t part[LETTER_MAX_BYTES];
    utf8proc_int32_t lower = utf8proc_tolower(rune);
    *letter = (struct letter){.upper = lower != rune};
    if (lower == 0x111 || (lower < 0x80 && lower >= 'a' && lower <= 'z')) {
        letter->base = lower;
        return true;
    }
    utf8proc_ssize_t count = utf8proc_decompose_char(lower, part, LETTER_MAX_BYTES, UTF8PROC_DECOMPOSE, NULL);
    if (lower < 0x80 || count < 2 || count > LETTER_MAX_BYTES)
        return false;
    letter->base = part[0];
    for (utf8proc_ssize_t i = 1; i < count; i++)
        if (!tone_of_mark(part[i], &letter->tone))
            letter->base = with_quality(letter->base, part[i]);
    static const char vowels[] = "aeiouy";
    return letter->base && (letter->base >= 0x80 || strchr(vowels, letter->base));
}

static bool letters_take(const char *text, size_t bytes, struct letters *letters)
{
    letters->count = 0;
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t size =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(bytes - at), &rune);
        if (size <= 0 || letters->count == SYLLABLE_MAX_LETTERS || !letter_of(rune, &letters->at[letters->count++]))
            return false;
        at += (size_t)size;
    }
    return letters->count > 0;
}

static bool case_is_sane(const struct letters *letters)
{
    size_t upper = 0;
    for (size_t i = 0; i < letters->count; i++)
        upper += letters->at[i].upper;
    return upper == 0 || upper == letters->count || (upper == 1 && letters->at[0].upper);
}

/* ---- syllables ---- */

enum rime_rule {
    RIME_STOP = 1,   /* ends in p t c ch: sắc or nặng */
    RIME_FRONT = 2,  /* begins with i e ê y: k gh ngh before it, c g ng elsewhere */
    RIME_MEDIAL = 4, /* o or u glides into the vowel: not after labials; c is q there, which has its own rows */
    RIME_BARE = 8,   /* begins with y or ia: as a syllable of its own */
    RIME_Y = 16,     /* begins with y as the only vowel: after few onsets */
    RIME_Q = 32,     /* only after qu, or also there */
    RIME_ONLY_Q = 64,
    RIME_ONLY_GI = 128, /* giêng, giếc: the i is written once */
    RIME_INNER = 256,   /* iê.., written yê.. without an onset */
};

static const struct {
    const char *spelling;
    unsigned rule;
} rimes[] = {
#define STOP   RIME_STOP
#define FRONT  RIME_FRONT
#define MEDIAL RIME_MEDIAL
#define Q      RIME_Q
    {"a",      Q                             },
    {"ai",     Q                             },
    {"ao",     Q                             },
    {"au",     Q                             },
    {"ay",     Q                             },
    {"am",     Q                             },
    {"an",     Q                             },
    {"ang",    Q                             },
    {"anh",    Q                             },
    {"ap",     Q | STOP                      },
    {"at",     Q | STOP                      },
    {"ac",     Q | STOP                      },
    {"ach",    Q | STOP                      },
    {"ăm",    Q                             },
    {"ăn",    Q                             },
    {"ăng",   Q                             },
    {"ăp",    Q | STOP                      },
    {"ăt",    Q | STOP                      },
    {"ăc",    Q | STOP                      },
    {"ăk",    STOP                          }, /* Đắk Lắk, Đắk Nông: the provinces' official spelling */
    {"âu",    Q                             },
    {"ây",    Q                             },
    {"âm",    0                             },
    {"ân",    Q                             },
    {"âng",   Q                             },
    {"âp",    STOP                          },
    {"ât",    Q | STOP                      },
    {"âc",    STOP                          },
    {"e",      Q | FRONT                     },
    {"eo",     Q | FRONT                     },
    {"em",     FRONT                         },
    {"en",     Q | FRONT                     },
    {"eng",    FRONT                         },
    {"ep",     FRONT | STOP                  },
    {"et",     Q | FRONT | STOP              },
    {"ec",     FRONT | STOP                  },
    {"ê",     Q | FRONT                     },
    {"êu",    Q | FRONT                     },
    {"êm",    FRONT                         },
    {"ên",    Q | FRONT                     },
    {"ênh",   Q | FRONT                     },
    {"êp",    FRONT | STOP                  },
    {"êt",    Q | FRONT | STOP              },
    {"êch",   Q | FRONT | STOP              },
    {"êng",   RIME_ONLY_GI                  },
    {"êc",    RIME_ONLY_GI | STOP           },
    {"i",      Q | FRONT                     },
    {"ia",     FRONT                         },
    {"iu",     Q | FRONT                     },
    {"im",     FRONT                         },
    {"in",     FRONT                         },
    {"inh",    FRONT                         },
    {"ip",     FRONT | STOP                  },
    {"it",     Q | FRONT | STOP              },
    {"ich",    Q | FRONT | STOP              },
    {"iêu",   FRONT | RIME_INNER            },
    {"iêm",   FRONT | RIME_INNER            },
    {"iên",   FRONT | RIME_INNER            },
    {"iêng",  FRONT | RIME_INNER            },
    {"iêp",   FRONT | RIME_INNER | STOP     },
    {"iêt",   FRONT | RIME_INNER | STOP     },
    {"iêc",   FRONT | RIME_INNER | STOP     },
    {"y",      Q | FRONT | RIME_BARE | RIME_Y},
    {"yêu",   RIME_BARE                     },
    {"yêm",   RIME_BARE                     },
    {"yên",   Q | RIME_BARE                 },
    {"yêng",  RIME_BARE                     },
    {"yêt",   Q | RIME_BARE | STOP          },
    {"yu",     RIME_ONLY_Q                   },
    {"ynh",    RIME_ONLY_Q                   },
    {"yt",     RIME_ONLY_Q | STOP            },
    {"ych",    RIME_ONLY_Q | STOP            },
    {"yn",     RIME_ONLY_Q                   },
    {"yp",     RIME_ONLY_Q | STOP            },
    {"o",      0                             },
    {"oi",     0                             },
    {"om",     0                             },
    {"on",     0                             },
    {"ong",    0                             },
    {"op",     STOP                          },
    {"ot",     STOP                          },
    {"oc",     STOP                          },
    {"oong",   0                             },
    {"ooc",    STOP                          },
    {"ô",     0                             },
    {"ôi",    0                             },
    {"ôm",    0                             },
    {"ôn",    0                             },
    {"ông",   0                             },
    {"ôp",    STOP                          },
    {"ôt",    STOP                          },
    {"ôc",    Q | STOP                      },
    {"ơ",     Q                             },
    {"ơi",    0                             },
    {"ơm",    0                             },
    {"ơn",    0                             },
    {"ơp",    STOP                          },
    {"ơt",    Q | STOP                      },
    {"u",      0                             },
    {"ua",     0                             },
    {"ui",     0                             },
    {"um",     0                             },
    {"un",     0                             },
    {"ung",    0                             },
    {"up",     STOP                          },
    {"ut",     STOP                          },
    {"uc",     STOP                          },
    {"uôi",   0                             },
    {"uôm",   0                             },
    {"uôn",   0                             },
    {"uông",  0                             },
    {"uôt",   STOP                          },
    {"uôc",   STOP                          },
    {"ư",     0                             },
    {"ưa",    0                             },
    {"ưi",    0                             },
    {"ưu",    0                             },
    {"ưm",    0                             },
    {"ưn",    0                             },
    {"ưng",   0                             },
    {"ưt",    STOP                          },
    {"ưc",    STOP                          },
    {"ươi",  0                             },
    {"ươu",  0                             },
    {"ươm",  0                             },
    {"ươn",  0                             },
    {"ương", 0                             },
    {"ươp",  STOP                          },
    {"ươt",  STOP                          },
    {"ươc",  STOP                          },
    {"oa",     MEDIAL                        },
    {"oai",    MEDIAL                        },
    {"oao",    MEDIAL                        },
    {"oay",    MEDIAL                        },
    {"oam",    MEDIAL                        },
    {"oan",    MEDIAL                        },
    {"oang",   MEDIAL                        },
    {"oanh",   MEDIAL                        },
    {"oap",    MEDIAL | STOP                 },
    {"oat",    MEDIAL | STOP                 },
    {"oac",    MEDIAL | STOP                 },
    {"oach",   MEDIAL | STOP                 },
    {"oăm",   MEDIAL                        },
    {"oăn",   MEDIAL                        },
    {"oăng",  MEDIAL                        },
    {"oăt",   MEDIAL | STOP                 },
    {"oăc",   MEDIAL | STOP                 },
    {"oe",     MEDIAL                        },
    {"oeo",    MEDIAL                        },
    {"oen",    MEDIAL                        },
    {"oet",    MEDIAL | STOP                 },
    {"uân",   MEDIAL                        },
    {"uâng",  MEDIAL                        },
    {"uât",   MEDIAL | STOP                 },
    {"uây",   MEDIAL                        },
    {"uê",    MEDIAL                        },
    {"uênh",  MEDIAL                        },
    {"uêch",  MEDIAL | STOP                 },
    {"uơ",    MEDIAL                        },
    {"uy",     MEDIAL                        },
    {"uya",    MEDIAL                        },
    {"uyu",    MEDIAL                        },
    {"uyn",    MEDIAL                        },
    {"uynh",   MEDIAL                        },
    {"uyp",    MEDIAL | STOP                 },
    {"uyt",    MEDIAL | STOP                 },
    {"uych",   MEDIAL | STOP                 },
    {"uyên",  MEDIAL                        },
    {"uyêt",  MEDIAL | STOP                 },
#undef STOP
#undef FRONT
#undef MEDIAL
#undef Q
};

enum onset_rule {
    ONSET_FRONT = 1,  /* only before i e ê y */
    ONSET_BACK = 2,   /* never before them */
    ONSET_LABIAL = 4, /* never before a medial */
    ONSET_NONE = 8,
    ONSET_Q = 16,
    ONSET_GI = 32,
    ONSET_Y = 64, /* y is written for i after it, too: kỷ, lý, mỹ, quy, sỹ, tỷ, hy, vỹ, names as Thy, Dy */
};

/* The longer before what they begin with. */
static const struct {
    const char *spelling;
    unsigned rule;
} onsets[] = {
    {"ngh", ONSET_FRONT              },
    {"ng",  ONSET_BACK               },
    {"nh",  0                        },
    {"n",   0                        },
    {"gh",  ONSET_FRONT              },
    {"gi",  ONSET_GI | ONSET_LABIAL  },
    {"g",   ONSET_BACK               },
    {"qu",  ONSET_Q                  },
    {"ch",  0                        },
    {"c",   ONSET_BACK | ONSET_LABIAL},
    {"kh",  0                        },
    {"k",   ONSET_FRONT | ONSET_Y    },
    {"th",  ONSET_Y                  },
    {"tr",  0                        },
    {"t",   ONSET_Y                  },
    {"ph",  ONSET_LABIAL             },
    {"p",   ONSET_LABIAL             },
    {"b",   ONSET_LABIAL             },
    {"d",   ONSET_Y                  },
    {"đ",  0                        },
    {"h",   ONSET_Y                  },
    {"l",   ONSET_Y                  },
    {"m",   ONSET_LABIAL | ONSET_Y   },
    {"r",   0                        },
    {"s",   ONSET_Y                  },
    {"v",   ONSET_LABIAL | ONSET_Y   },
    {"x",   0                        },
    {"",    ONSET_NONE               },
};

/* Common syllables that no rule makes: loans, and g before i. */
static const char *const exceptions[] = {"gì",   "gìn", "gỉ",   "gí",  "gìm", "gích", "quấc", "buýt",
                                         "voan", "boa", "kông", "kôn", "pa",  "ka",   "đoóc"};

static bool spelled(const struct letter *at, size_t count, const char *spelling)
{
    for (size_t i = 0; i < count; i++) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)spelling, -1, &rune);
        if (!*spelling || size <= 0 || rune != at[i].base)
            return false;
        spelling += size;
    }
    return !*spelling;
}

static bool is_vowel(utf8proc_int32_t base)
{
    return base >= 0x80 ? base != 0x111 : base && strchr("aeiouy", base);
}

/* Which letters of a rime may bear the tone mark, as a bit each. */
static unsigned tone_places(const struct letter *rime, size_t count)
{
    size_t vowels = 0;
    for (size_t i = 0; i < count && is_vowel(rime[i].base); i++)
        vowels++;
    for (size_t i = vowels; i-- > 0;)
        if (rime[i].base >= 0x80)
            return 1U << i;
    if (vowels == 1)
        return 1;
    if (vowels > 2)
        return 2;
    if (vowels < count)
        return rime[0].base == 'o' && rime[1].base == 'o' ? 3 : 2;
    utf8proc_int32_t first = rime[0].base, second = rime[1].base;
    bool either = (first == 'o' && (second == 'a' || second == 'e')) || (first == 'u' && second == 'y');
    return either ? 3 : 1;
}

static bool tone_fits(const struct letter *at, size_t count, size_t onset, bool stop)
{
    unsigned places = tone_places(at + onset, count - onset), marks = 0;
    enum tone tone = TONE_LEVEL;
    for (size_t i = 0; i < count; i++)
        if (at[i].tone != TONE_LEVEL) {
            if (i < onset || !(places & 1U << (i - onset)))
                return false;
            tone = at[i].tone;
            marks++;
        }
    return marks <= 1 && (!stop || tone == TONE_ACUTE || tone == TONE_DOT);
}

static bool spelling_fits(unsigned onset, unsigned rime)
{
    if (onset & ONSET_Q)
        return rime & (RIME_Q | RIME_ONLY_Q);
    if (rime & RIME_ONLY_GI)
        return onset & ONSET_GI;
    if (rime & RIME_ONLY_Q)
        return false;
    if (onset & ONSET_NONE)
        return !(rime & RIME_INNER);
    if (rime & RIME_BARE)
        return rime & RIME_Y && onset & ONSET_Y;
    if (onset & ONSET_FRONT && !(rime & RIME_FRONT))
        return false;
    if (onset & ONSET_BACK && rime & RIME_FRONT)
        return false;
    return !(onset & ONSET_LABIAL && rime & RIME_MEDIAL);
}

/* What a split into onset and rime says; with any_tone the tone is not looked at. */
static bool rime_fits(const struct letters *letters, size_t onset_letters, unsigned onset, bool any_tone)
{
    const struct letter *rime = letters->at + onset_letters;
    size_t count = letters->count - onset_letters;
    if (!count || count > SYLLABLE_RIME_LETTERS)
        return false;
    for (size_t i = 0; i < sizeof rimes / sizeof *rimes; i++)
        if (spelled(rime, count, rimes[i].spelling))
            return spelling_fits(onset, rimes[i].rule) &&
                   (any_tone || tone_fits(letters->at, letters->count, onset_letters, rimes[i].rule & RIME_STOP));
    return false;
}

static size_t spelling_letters(const char *spelling)
{
    size_t count = 0;
    for (; *spelling; spelling++)
        count += ((unsigned char)*spelling & 0xc0) != 0x80;
    return count;
}

static bool letters_fit(const struct letters *letters, bool any_tone)
{
    for (size_t i = 0; i < sizeof onsets / sizeof *onsets; i++) {
        size_t count = spelling_letters(onsets[i].spelling);
        if (count < letters->count && spelled(letters->at, count, onsets[i].spelling) &&
            rime_fits(letters, count, onsets[i].rule, any_tone))
            return true;
    }
    return false;
}

static bool is_exception(const struct letters *letters)
{
    struct letters known;
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        if (!letters_take(exceptions[i], strlen(exceptions[i]), &known) || known.count != letters->count)
            continue;
        size_t same = 0;
        while (same < known.count && known.at[same].base == letters->at[same].base &&
               known.at[same].tone == letters->at[same].tone)
            same++;
        if (same == known.count)
            return true;
    }
    return false;
}

bool syllable_possible(const char *text, size_t bytes)
{
    struct letters letters;
    return letters_take(text, bytes, &letters) && case_is_sane(&letters) &&
           (letters_fit(&letters, false) || is_exception(&letters));
}

bool syllable_toneless(const char *text, size_t bytes)
{
    struct letters letters;
    return letters_take(text, bytes, &letters) && letters_fit(&letters, true);
}
