/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Syllables that are and that can't be; what is a number, an abbreviation, a foreign word, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/syllable.h"
#include "worker/token.h"

static const char possible[] =
    "cộng hòa xã hội chủ nghĩa việt nam độc lập tự do hạnh phúc số quyết định nghị thông tư kế hoạch báo cáo tờ trình "
    "biên bản chỉ thị hướng dẫn ủy ban nhân dân thành phố hà nội quận huyện phường thị trấn đảng cộng sản đoàn thanh "
    "niên kính gửi nơi nhận lưu văn thư chánh phòng giám đốc trưởng phó bí thư điều khoản mục chương phần thứ nhất hai "
    "ba bốn năm sáu bảy tám chín mười mươi nghìn triệu tỷ đồng ngày tháng căn cứ luật tổ chức chính quyền địa xét đề "
    "nghị của về việc ban hành quy chế làm thực hiện nhiệm vụ công tác xây dựng cơ bản giữ gìn giếng giêng giặc giày "
    "già giữa gì gìn quốc quý quyển quần quanh quýt quỳnh quở quên quăng nghiêng nghề ngành nguyễn ngoài ngoẹo khuya "
    "khuỷu tuyết thuở huơ xoong ngoằn ngoèo hoặc hoẵng loắt choắt xuân khuâng luật tuần huệ huênh thuê thuế tuệ uy uỷ "
    "hoà toà tòa thủy thuỷ khỏe khoẻ yên yêu yết yếm ý y kỷ kỹ lý mỹ sỹ tỷ vỹ ưu ướt ước uống ươm âm ấy ở ơn ôn ông ong "
    "oanh oai oán ếch én em êm iu im in ích ỉa anh ách ăn ắp áo âu cua của cưa cừu kiêu keo kẻ kê kiến nghênh ghế ghi "
    "ghiền nhoà nhuận trượt trườn rượu hươu bướu chuối đuôi muối buồn muốn luôn cuộn cuộc thuộc guốc tuốt suốt suôn đuổi "
    "chiếc tiếc việc tiệc liếc biếc phiếu nhiều thiếu niêm phiên triển điểm kiểm hiếp tiếp nghiệp triệt thiết biệt đặc "
    "đắk lắk lặng thắng bằng bắt cặp gặp ngắm chậm tâm cân hấp thấp tập chất mật đất cấc bậc nấc bẩy đẩy đấu đâu đen "
    "đèo héo đẹp hẹp mẹ kén kén két tét đếm thêm nếp bếp hết kết lệch chếch lênh bệnh đêm";

static const char impossible[] =
    "thuc đât câp quyêt cấp tich hocj bạà cáơ qưyết giaỏ việệ nghèẻo ngê nge ghà ghô kà kô ke̋ cê ci cy cẻ qa qô "
    "nghà ngho gê gẻ uyêtt iên iêu thiếuu ăa êa ôa âa ươ ươo bm nng ssố trr tx nđ đt đnh tpanh strong ngưyễn "
    "quóc xuát phuòng chủng̃ toàj lam2 hộl hộ1 ản9 pàph bôc bac bach bich hêt hip đăc hach thoăt boan buyên "
    "phuyên vuyên mả́ tưong trưong nguời khoẳ yôn yan ynh yach ôô ưư ơơng ăng̀g ắ̀ng zân wan fân jao";

static size_t each_word(const char *list, bool expected)
{
    size_t count = 0;
    for (const char *at = list; *at; count++) {
        size_t bytes = strcspn(at, " ");
        if (syllable_possible(at, bytes) != expected)
            fail_msg("%.*s is taken as %s", (int)bytes, at, expected ? "impossible" : "possible");
        at += bytes + (at[bytes] == ' ');
    }
    return count;
}

static void real_syllables_are_possible(void **state)
{
    (void)state;
    assert_true(each_word(possible, true) > 300);
}

static void others_are_not(void **state)
{
    (void)state;
    assert_true(each_word(impossible, false) > 90);
}

static void capitals_stand_alone_or_first(void **state)
{
    (void)state;
    each_word("QUYẾT ĐỊNH Quyết Định ỦY Ủy ĐẮK Y Ý", true);
    each_word("qUYẾT QUyết quyếT đỊnh ĐịNH", false);
}

static void text_that_is_none_is_no_syllable(void **state)
{
    (void)state;
    assert_false(syllable_possible("", 0));
    assert_false(syllable_possible("\xe1\xba", 2));
    assert_false(syllable_possible("nghiêngnghiêng", strlen("nghiêngnghiêng")));
    assert_true(syllable_toneless("TICH", 4));
    assert_false(syllable_toneless("UBND", 4));
}

static void kinds_are(enum token kind, const char *list)
{
    char word[64];
    for (const char *at = list; *at;) {
        size_t bytes = strcspn(at, " ");
        memcpy(word, at, bytes);
        word[bytes] = '\0';
        if (token_look(word) != kind)
            fail_msg("%s is %d, not %d", word, token_look(word), kind);
        at += bytes + (at[bytes] == ' ');
    }
}

static void tokens_are_told_apart(void **state)
{
    (void)state;
    kinds_are(TOKEN_VIETNAMESE, "Độc lập, (sau “Kế hoạch”; kinh-tế và/hoặc Hà-Nội... xã: \"phường\" nghĩa!");
    kinds_are(TOKEN_NUMBER, "2016. 12/QĐ-UBND 01/01/2020 1.500.000đ 15% a) b. đ) II. XXIII iv. 7h30 14h 66-QĐ/TW m2 "
                            "12/UBND-VX 85/2025/QĐ-UBND 2016-2020 H26.001.P04 V/v 37/2023/NQ-HĐND");
    kinds_are(TOKEN_ABBREVIATION, "UBND HĐND; TNHH TM. VT. QĐ-UBND TTr km (HĐND) UBMTTQ KT. ĐTN");
    kinds_are(TOKEN_MARK, "- – * *** ..... … : \" ——");
    kinds_are(TOKEN_FOREIGN, "Internet, website email: Covid Agribank file Facebook (Microsoft)");
    kinds_are(TOKEN_IMPOSSIBLE, "đât câp, TICH QUYÉT vIỆc frường nghèẻo thuc (quyêt) KIEM");
    kinds_are(TOKEN_GARBAGE, "| ~ § h|nh đ@ x»++k a„.b rrrrr l0pq7x ‡ ^ -_~");
    assert_int_equal(token_look(""), TOKEN_MARK);
}

static void punctuation_around_is_left_aside(void **state)
{
    (void)state;
    size_t start, bytes;
    token_core("(“Điều”),", &start, &bytes);
    assert_int_equal(start, strlen("(“"));
    assert_int_equal(bytes, strlen("Điều"));
    token_core("...", &start, &bytes);
    assert_int_equal(bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_syllables_are_possible),   cmocka_unit_test(others_are_not),
        cmocka_unit_test(capitals_stand_alone_or_first), cmocka_unit_test(text_that_is_none_is_no_syllable),
        cmocka_unit_test(tokens_are_told_apart),         cmocka_unit_test(punctuation_around_is_left_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
