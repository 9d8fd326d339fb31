/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Places and people. All invented people: names are put together by chance. */
#include "bench/place.h"

#include <stdio.h>

static const struct district districts[] = {
    {"001",
     "quận",    "Ba Đình",
     {{"00001", "phường", "Phúc Xá"},
      {"00004", "phường", "Trúc Bạch"},
      {"00007", "phường", "Cống Vị"},
      {"00019", "phường", "Điện Biên"},
      {"00028", "phường", "Kim Mã"}}           },
    {"002",
     "quận",    "Hoàn Kiếm",
     {{"00037", "phường", "Phúc Tân"},
      {"00040", "phường", "Đồng Xuân"},
      {"00058", "phường", "Lý Thái Tổ"},
      {"00070", "phường", "Hàng Trống"},
      {"00079", "phường", "Tràng Tiền"}}     },
    {"003",
     "quận",    "Tây Hồ",
     {{"00091", "phường", "Phú Thượng"},
      {"00094", "phường", "Nhật Tân"},
      {"00103", "phường", "Xuân La"},
      {"00109", "phường", "Bưởi"},
      {"00112", "phường", "Thụy Khuê"}}      },
    {"004",
     "quận",    "Long Biên",
     {{"00115", "phường", "Thượng Thanh"},
      {"00118", "phường", "Ngọc Thụy"},
      {"00124", "phường", "Đức Giang"},
      {"00139", "phường", "Bồ Đề"},
      {"00148", "phường", "Thạch Bàn"}}      },
    {"005",
     "quận",    "Cầu Giấy",
     {{"00157", "phường", "Nghĩa Đô"},
      {"00163", "phường", "Mai Dịch"},
      {"00166", "phường", "Dịch Vọng"},
      {"00169", "phường", "Quan Hoa"},
      {"00172", "phường", "Yên Hòa"}}         },
    {"006",
     "quận",    "Đống Đa",
     {{"00178", "phường", "Cát Linh"},
      {"00190", "phường", "Ô Chợ Dừa"},
      {"00199", "phường", "Láng Hạ"},
      {"00229", "phường", "Kim Liên"},
      {"00238", "phường", "Khương Thượng"}}},
    {"007",
     "quận",    "Hai Bà Trưng",
     {{"00241", "phường", "Nguyễn Du"},
      {"00256", "phường", "Lê Đại Hành"},
      {"00277", "phường", "Bách Khoa"},
      {"00283", "phường", "Vĩnh Tuy"},
      {"00298", "phường", "Trương Định"}}  },
    {"016",
     "huyện",   "Sóc Sơn",
     {{"00376", "thị trấn", "Sóc Sơn"},
      {"00382", "xã", "Minh Trí"},
      {"00391", "xã", "Trung Giã"},
      {"00427", "xã", "Mai Đình"},
      {"00448", "xã", "Phù Lỗ"}}               },
    {"017",
     "huyện",   "Đông Anh",
     {{"00454", "thị trấn", "Đông Anh"},
      {"00478", "xã", "Uy Nỗ"},
      {"00493", "xã", "Kim Chung"},
      {"00505", "xã", "Cổ Loa"},
      {"00523", "xã", "Đông Hội"}}            },
    {"250",
     "huyện",   "Mê Linh",
     {{"08974", "xã", "Đại Thịnh"},
      {"08989", "thị trấn", "Quang Minh"},
      {"09010", "xã", "Mê Linh"},
      {"09019", "xã", "Tiền Phong"},
      {"09022", "xã", "Tráng Việt"}}           },
    {"268",
     "quận",    "Hà Đông",
     {{"09538", "phường", "Quang Trung"},
      {"09541", "phường", "Mộ Lao"},
      {"09544", "phường", "Vạn Phúc"},
      {"09565", "phường", "Kiến Hưng"},
      {"10123", "phường", "Biên Giang"}}       },
    {"269",
     "thị xã", "Sơn Tây",
     {{"09574", "phường", "Ngô Quyền"},
      {"09592", "xã", "Đường Lâm"},
      {"09601", "phường", "Trung Hưng"},
      {"09604", "xã", "Thanh Mỹ"},
      {"09616", "xã", "Cổ Đông"}}             },
    {"271",
     "huyện",   "Ba Vì",
     {{"09619", "thị trấn", "Tây Đằng"},
      {"09628", "xã", "Cổ Đô"},
      {"09664", "xã", "Vật Lại"},
      {"09694", "xã", "Tản Lĩnh"},
      {"09700", "xã", "Ba Trại"}}               },
    {"274",
     "huyện",   "Hoài Đức",
     {{"09832", "thị trấn", "Trạm Trôi"},
      {"09841", "xã", "Dương Liễu"},
      {"09859", "xã", "Sơn Đồng"},
      {"09877", "xã", "An Khánh"},
      {"09889", "xã", "La Phù"}}                 },
};

static const char *const surname[] = {"Nguyễn", "Trần", "Lê",  "Phạm",  "Hoàng", "Vũ",   "Đặng",  "Bùi",
                                      "Đỗ",     "Hồ",   "Ngô", "Dương", "Lý",    "Đinh", "Phan",  "Trịnh",
                                      "Đào",    "Mai",  "Tạ",  "Cao",   "Lưu",   "Chu",  "Khuất", "Kiều"};
static const char *const man[] = {"Văn Hùng",  "Đức Thắng",  "Xuân Trường", "Mạnh Cường", "Quang Vinh", "Hữu Nghĩa",
                                  "Ngọc Tuấn", "Tiến Dũng",  "Anh Tuấn",    "Công Minh",  "Trọng Đông", "Quốc Khánh",
                                  "Hồng Sơn",  "Việt Cường", "Thanh Bình",  "Duy Hiển",   "Đình Phúc",  "Chí Lực",
                                  "Khắc Hiếu", "Tuấn Định",  "Bá Quỳnh",    "Sỹ Thành",   "Văn Thịnh",  "Minh Đức"};
static const char *const woman[] = {"Thị Thu Hà",      "Thị Hồng Nhung", "Thị Lan Hương",   "Thị Bích Ngọc",
                                    "Thanh Hằng",      "Thị Kim Oanh",   "Thị Minh Nguyệt", "Thùy Dương",
                                    "Thị Phương Mai",  "Thị Ngọc Ánh",   "Thu Hường",       "Thị Tuyết",
                                    "Thị Quỳnh Trang", "Thị Vân Anh",    "Thị Mỹ Hạnh"};

const struct district *place_district(struct chance *chance)
{
    return &CHANCE_PICK(chance, districts);
}

const struct commune *place_commune(struct chance *chance, const struct district *district)
{
    return &CHANCE_PICK(chance, district->communes);
}

void place_person(struct chance *chance, char *name, size_t bytes)
{
    const char *first = CHANCE_PICK(chance, surname);
    const char *rest = chance_percent(chance, 65) ? CHANCE_PICK(chance, man) : CHANCE_PICK(chance, woman);
    snprintf(name, bytes, "%s %s", first, rest);
}
