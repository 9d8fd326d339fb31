/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Old encodings: what is certain is told and converted, the rest is not guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/legacy.h"

static void expect(const char *text, enum legacy legacy, const char *wanted)
{
    assert_int_equal(legacy_of(&text, 1), legacy);
    char *converted = legacy_convert(text, legacy);
    if (wanted)
        assert_string_equal(converted, wanted);
    else
        assert_null(converted);
    free(converted);
}

static void tcvn3_is_converted(void **state)
{
    (void)state;
    expect("Céng hoµ x· héi chñ nghÜa ViÖt Nam", LEGACY_TCVN3, "Cộng hoà xã hội chủ nghĩa Việt Nam");
    expect("VÒ viÖc phª duyÖt kÕ ho¹ch ®Çu t­ n¨m 1998", LEGACY_TCVN3, "Về việc phê duyệt kế hoạch đầu tư năm 1998");
    expect("Q§-UBND", LEGACY_TCVN3, "QĐ-UBND");
    expect("uû BAN NH¢N D¢N", LEGACY_TCVN3, "uỷ BAN NHÂN DÂN");
    expect("Uû BAN NH¢N D¢N", LEGACY_TCVN3, "UỶ BAN NHÂN DÂN");
}

static void vni_is_converted(void **state)
{
    (void)state;
    expect("Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam", LEGACY_VNI, "Cộng hòa xã hội chủ nghĩa Việt Nam");
    expect("Ñöôøng soá 5, phöôøng Taân Thuaän, naêm 1999", LEGACY_VNI, "Đường số 5, phường Tân Thuận, năm 1999");
    expect("UÛY BAN NHAÂN DAÂN QUAÄN", LEGACY_VNI, "ỦY BAN NHÂN DÂN QUẬN");
}

static void unicode_stays(void **state)
{
    (void)state;
    expect("Cộng hòa xã hội chủ nghĩa Việt Nam", LEGACY_NONE, "Cộng hòa xã hội chủ nghĩa Việt Nam");
    expect("QD-UBND", LEGACY_NONE, "QD-UBND");
    expect("xã Hà Trì, 30°, «Hà» § 5", LEGACY_NONE, "xã Hà Trì, 30°, «Hà» § 5");
    /* a name from elsewhere among Unicode */
    expect("Hãng Müller tại Việt Nam", LEGACY_NONE, "Hãng Müller tại Việt Nam");
    /* as CP1258 keeps it: letters and tones apart */
    expect("Ti\u00ea\u0301ng Vi\u00ea\u0323t", LEGACY_NONE, "Tiếng Việt");
    expect("  hai \t\n  ba ", LEGACY_NONE, "hai ba");
}

static void what_is_not_certain_is_not_guessed(void **state)
{
    (void)state;
    expect("Müller café", LEGACY_UNKNOWN, NULL);
    expect("Hµ Müller café Zürich", LEGACY_UNKNOWN, NULL); /* one word of four would be a syllable */
    expect("Ð\u00a4ng \u00d0\u00b4", LEGACY_UNKNOWN, NULL);
    assert_null(legacy_convert("\xff\xfe", LEGACY_NONE));
}

/* A single word is settled by those beside it. */
static void texts_of_one_row_are_looked_at_together(void **state)
{
    (void)state;
    const char *texts[] = {"Hµ Néi", NULL, "ñy ban nh©n d©n", "Néi"};
    assert_int_equal(legacy_of(texts, 4), LEGACY_TCVN3);
    texts[1] = "Việt";
    assert_int_equal(legacy_of(texts, 4), LEGACY_NONE);
}

/* The table is iconv's. */
static void tcvn_is_what_iconv_says(void **state)
{
    (void)state;
    for (unsigned code = 0xa1; code <= 0xfe; code++) {
        if (code >= 0xb0 && code <= 0xb4)
            continue; /* tone marks alone */
        char command[120], latin[8] = "", *converted;
        utf8proc_encode_char((utf8proc_int32_t)code, (utf8proc_uint8_t *)latin);
        converted = legacy_convert(latin, LEGACY_TCVN3);
        snprintf(command, sizeof command, "printf '\\%o ' | iconv -f TCVN5712-1 -t UTF-8", code);
        FILE *iconv = popen(command, "r");
        char said[16] = "";
        assert_non_null(iconv);
        assert_non_null(fgets(said, sizeof said, iconv));
        pclose(iconv);
        said[strcspn(said, " ")] = '\0';
        utf8proc_uint8_t *nfc = utf8proc_NFC((utf8proc_uint8_t *)said);
        assert_string_equal(converted, (char *)nfc);
        free(nfc);
        free(converted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcvn3_is_converted),
        cmocka_unit_test(vni_is_converted),
        cmocka_unit_test(unicode_stays),
        cmocka_unit_test(what_is_not_certain_is_not_guessed),
        cmocka_unit_test(texts_of_one_row_are_looked_at_together),
        cmocka_unit_test(tcvn_is_what_iconv_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
