/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What Vietnamese administrative prose is made of: lists of patterns for phrase.c. All facts in it are invented.
 * Words of the context: topic, lead, organ, area, above, year, last, next, law, deputy. */
#include "bench/organ.h"
#include "bench/phrase.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const adverb[] = {
    "kịp thời",
    "nghiêm túc",
    "đồng bộ",
    "quyết liệt",
    "có hiệu quả",
    "đúng quy định",
    "đúng tiến độ",
    "chặt chẽ",
    "thường xuyên",
    "công khai, minh bạch",
    "thiết thực, tiết kiệm",
    "an toàn, chất lượng",
};

static const char *const department[] = {
    "Văn phòng HĐND và UBND",
    "Phòng Nội vụ",
    "Phòng Tư pháp",
    "Phòng Tài chính - Kế hoạch",
    "Phòng Tài nguyên và Môi trường",
    "Phòng Quản lý đô thị",
    "Phòng Kinh tế",
    "Phòng Văn hóa và Thông tin",
    "Phòng Giáo dục và Đào tạo",
    "Phòng Y tế",
    "Phòng Lao động - Thương binh và Xã hội",
    "Thanh tra",
    "Công an",
    "Ban Chỉ huy Quân sự",
    "Chi cục Thuế",
    "Kho bạc Nhà nước",
    "Ban Quản lý dự án đầu tư xây dựng",
    "Trung tâm Phát triển quỹ đất",
    "Đội Quản lý trật tự xây dựng đô thị",
    "Trung tâm Văn hóa - Thông tin và Thể thao",
    "Chi nhánh Văn phòng đăng ký đất đai Hà Nội",
    "Bảo hiểm xã hội",
    "Trung tâm Y tế",
    "Hạt Kiểm lâm",
};

static const char *const partner[] = {
    "{department}",
    "{department} và {department}",
    "{department}, {department} và các đơn vị liên quan",
    "các phòng, ban, ngành liên quan",
    "Ủy ban Mặt trận Tổ quốc Việt Nam và các tổ chức chính trị - xã hội",
    "các cơ quan, đơn vị có liên quan trên địa bàn",
    "Đảng ủy, UBND cấp xã",
};

static const char *const people[] = {
    "cán bộ, công chức, viên chức và người lao động",
    "các tầng lớp nhân dân",
    "cán bộ, đảng viên và nhân dân",
    "đoàn viên, hội viên và nhân dân",
    "các hộ gia đình, cá nhân",
    "các tổ chức, doanh nghiệp trên địa bàn",
    "người có công với cách mạng",
    "hộ nghèo, hộ cận nghèo",
    "học sinh, sinh viên",
    "các hộ sản xuất, kinh doanh",
};

static const char *const means[] = {
    "bằng nhiều hình thức phù hợp",
    "trên hệ thống truyền thanh cơ sở",
    "trên Cổng thông tin điện tử",
    "thông qua sinh hoạt tổ dân phố, khu dân cư",
    "thông qua các hội nghị chuyên đề",
    "bằng pa nô, áp phích, khẩu hiệu",
    "trên các phương tiện thông tin đại chúng",
    "gắn với các phong trào thi đua yêu nước",
};

static const char *const matter[] = {
    "chủ trương, đường lối của Đảng, chính sách, pháp luật của Nhà nước",
    "các quy định của pháp luật về {topic}",
    "mục đích, ý nghĩa và nội dung của {topic}",
    "kết quả thực hiện {topic}",
    "các nội dung của Kế hoạch này",
    "kinh nghiệm hay, cách làm sáng tạo trong {topic}",
    "vai trò, trách nhiệm của người đứng đầu đối với {topic}",
};

static const char *const duty[] = {
    "tổ chức tuyên truyền, phổ biến {matter} đến {people} {means}",
    "rà soát, thống kê, phân loại hồ sơ, tài liệu về {topic} theo từng năm, bảo đảm đầy đủ, chính xác",
    "xây dựng kế hoạch chi tiết, phân công rõ người, rõ việc, rõ thời gian hoàn thành",
    "kiểm tra, đôn đốc việc thực hiện {topic} tại {scope}; {adverb} phát hiện, xử lý các vi phạm theo thẩm quyền",
    "cân đối, bố trí kinh phí từ nguồn ngân sách được giao năm {year} để thực hiện {topic}",
    "tham mưu {organ} ban hành các văn bản chỉ đạo, điều hành về {topic}",
    "tổng hợp khó khăn, vướng mắc, kiến nghị của {people}, đề xuất {above} xem xét, giải quyết",
    "bố trí đủ nhân lực, phương tiện, trang thiết bị phục vụ {topic} {adverb}",
    "công khai thủ tục hành chính, quy trình giải quyết và phản ánh, kiến nghị của người dân tại trụ sở",
    "tập huấn, bồi dưỡng nghiệp vụ cho {15-180} lượt {people} về {topic}",
    "phối hợp với {partner} vận động {people} tham gia thực hiện {topic}",
    "cập nhật số liệu vào hệ thống thông tin dùng chung, bảo đảm tính chính xác và an toàn thông tin",
    "bàn giao hồ sơ, tài liệu, mốc giới cho {scope} quản lý theo quy định",
    "giải quyết dứt điểm đơn thư khiếu nại, tố cáo, kiến nghị của công dân, không để phát sinh điểm nóng",
    "lồng ghép nội dung {topic} vào chương trình công tác hằng tháng, hằng quý của đơn vị",
    "sơ kết, tổng kết, biểu dương, khen thưởng các tập thể, cá nhân có thành tích xuất sắc",
    "xác định rõ trách nhiệm của tập thể, cá nhân, nhất là người đứng đầu trong {topic}",
    "chuẩn hóa, số hóa tài liệu lưu trữ, nộp lưu vào kho lưu trữ lịch sử đúng thời hạn",
};

static const char *const scope[] = {
    "các tổ dân phố, khu dân cư",        "các đơn vị trực thuộc",
    "{3-19} đơn vị trên địa bàn",        "các trường học công lập",
    "các chi bộ, đảng bộ cơ sở",         "các công trình trọng điểm",
    "các cơ sở kinh doanh có điều kiện", "khu vực công cộng và các tuyến phố chính",
    "các cụm công nghiệp, làng nghề",
};

static const char *const reporting[] = {
    "báo cáo kết quả về {organ} trước ngày {day}",
    "định kỳ hằng quý báo cáo kết quả thực hiện về {lead} để tổng hợp",
    "hoàn thành trong quý {1-4} năm {year}",
    "gửi báo cáo bằng văn bản về {organ} (qua {lead}) trước ngày {10-25} hằng tháng",
    "kịp thời báo cáo những vấn đề phát sinh ngoài thẩm quyền",
    "chịu trách nhiệm trước {organ} về tiến độ và chất lượng thực hiện",
};

static const char *const assignment[] = {
    "Giao {department} chủ trì, phối hợp với {partner} {duty}; {reporting}.",
    "{^department} có trách nhiệm {duty}; {duty}; {reporting}.",
    "Yêu cầu Thủ trưởng các cơ quan, đơn vị {adverb} {duty}; {reporting}.",
    "{^lead} là cơ quan thường trực, giúp {organ} theo dõi, hướng dẫn, đôn đốc việc thực hiện; {duty}; {reporting}.",
    "Đề nghị {partner} {duty}, góp phần thực hiện {adverb} {topic} trên địa bàn {area}.",
    "{^partner} căn cứ chức năng, nhiệm vụ được giao, {duty}; {reporting}.",
    "Trong quá trình thực hiện, nếu có khó khăn, vướng mắc, các đơn vị phản ánh về {lead} để tổng hợp, báo cáo {organ} xem xét, quyết định.",
    "Kinh phí thực hiện: {10-950} triệu đồng, từ nguồn ngân sách {area} năm {year} và các nguồn huy động hợp pháp khác.",
};

static const char *const done[] = {
    "đã ban hành {3-48} văn bản chỉ đạo, hướng dẫn thực hiện {topic}",
    "đã tổ chức {2-36} hội nghị quán triệt với {120-980} lượt {people} tham dự",
    "đã kiểm tra {5-60} lượt tại {scope}, phát hiện và xử lý {1-24} trường hợp vi phạm",
    "đã tiếp nhận {150-990} hồ sơ, giải quyết đúng hạn {90-149} hồ sơ, không có hồ sơ quá hạn kéo dài",
    "đã hoàn thành {70-100}% kế hoạch năm, tăng {2-25}% so với cùng kỳ năm {last}",
    "đã thu ngân sách được {20-980} tỷ đồng, đạt {71-128}% dự toán {above} giao",
    "đã vận động {people} đóng góp {12-870} triệu đồng và {150-960} ngày công",
    "đã tập huấn nghiệp vụ cho {20-240} lượt {people}",
    "đã giải quyết {11-98} đơn thư khiếu nại, tố cáo, kiến nghị, đạt tỷ lệ {81-100}%",
    "đã chỉnh lý {12-480} mét giá tài liệu, số hóa {2-90} nghìn trang văn bản",
    "đã phối hợp với {partner} thực hiện {adverb} các nhiệm vụ được giao",
};

static const char *const finding[] = {
    "Trong năm {year}, {organ} {done}; {done}.",
    "{^organ} {done}, được {people} đồng tình, ủng hộ.",
    "Thực hiện chỉ đạo của {above}, {lead} {done}; đồng thời {duty}.",
    "Công tác phối hợp giữa {department} với {partner} được duy trì {adverb}; {done}.",
    "Tính đến ngày {day}, trên địa bàn {area} {done}; {done}.",
    "Về công tác tuyên truyền: {done}; {done}.",
    "Về công tác kiểm tra, giám sát: {done}; qua đó góp phần nâng cao hiệu quả {topic}.",
};

static const char *const shortcoming[] = {
    "Công tác tham mưu của một số đơn vị chưa kịp thời, chất lượng chưa đáp ứng yêu cầu; còn {2-9} nhiệm vụ chậm tiến độ so với kế hoạch.",
    "Việc tuyên truyền {matter} ở một số nơi còn hình thức, chưa thu hút được {people} tham gia.",
    "Nhận thức của một bộ phận {people} về {topic} còn hạn chế.",
    "Sự phối hợp giữa {department} và {partner} có lúc chưa chặt chẽ.",
    "Kinh phí dành cho {topic} còn khó khăn, mới đáp ứng {45-85}% nhu cầu thực tế.",
    "Hồ sơ, tài liệu của các năm trước còn phân tán, có {3-60} hồ sơ hư hỏng, thiếu thành phần.",
    "Tỷ lệ giải quyết hồ sơ đúng hạn tại {scope} chưa cao, còn {2-19} hồ sơ phải xin lỗi do quá hạn.",
};

static const char *const cause[] = {
    "Khối lượng công việc lớn, trong khi biên chế được giao còn thiếu {2-8} người so với yêu cầu vị trí việc làm.",
    "Một số quy định của pháp luật về {topic} còn chồng chéo, chưa có hướng dẫn cụ thể.",
    "Người đứng đầu một số đơn vị chưa {adverb} trong chỉ đạo, điều hành.",
    "Cơ sở vật chất, trang thiết bị phục vụ {topic} chưa đồng bộ, xuống cấp.",
    "Điều kiện thời tiết, dịch bệnh diễn biến phức tạp, ảnh hưởng đến tiến độ thực hiện tại {scope}.",
};

static const char *const aim[] = {
    "Nâng cao nhận thức, trách nhiệm của {people} đối với {topic}.",
    "Bảo đảm thực hiện {adverb} các chỉ tiêu, nhiệm vụ về {topic} được {above} giao năm {year}.",
    "Tạo chuyển biến rõ nét trong {topic}, góp phần hoàn thành nhiệm vụ phát triển kinh tế - xã hội, bảo đảm quốc phòng, an ninh của {area}.",
    "Phát huy vai trò của {partner} trong {topic}.",
    "Việc tổ chức thực hiện phải {adverb}, phù hợp với tình hình thực tế của {area}, tránh phô trương, hình thức.",
    "Các đơn vị xác định {topic} là nhiệm vụ trọng tâm, thường xuyên; {duty}.",
};

static const char *const figure[] = {
    "Phấn đấu {85-100}% {scope} hoàn thành nhiệm vụ trước ngày {day}.",
    "Trên {80-99}% hồ sơ được giải quyết đúng hạn và trước hạn.",
    "{85-100}% {people} được phổ biến, quán triệt về {topic}.",
    "Giảm ít nhất {5-30}% số vụ việc vi phạm so với năm {last}.",
    "Bố trí tối thiểu {100-900} triệu đồng cho {topic} trong năm {year}.",
};

static const char *const article[] = {
    "Phê duyệt nội dung {topic} trên địa bàn {area} năm {year}, gồm các nội dung chủ yếu sau:",
    "Ban hành kèm theo Quyết định này kế hoạch thực hiện {topic} trên địa bàn {area}.",
    "Kiện toàn Ban Chỉ đạo về {topic} gồm {7-19} thành viên do đồng chí {person} làm Trưởng ban.",
    "Giao {lead} chủ trì tổ chức thực hiện {topic}; {reporting}.",
    "Thành lập Tổ công tác giúp việc gồm {5-12} thành viên do đồng chí {person}, {deputy}, làm Tổ trưởng.",
    "Bổ sung {15-880} triệu đồng từ nguồn dự phòng ngân sách {area} năm {year} để thực hiện {topic}.",
};

static const char *const clause[] = {
    "Thời gian thực hiện: từ ngày {day} đến hết ngày 31/12/{year}.",
    "Địa điểm thực hiện: tại {scope} trên địa bàn {area}.",
    "Tổng diện tích: {120-990} m2, thuộc tờ bản đồ số {2-48}, thửa đất số {10-390}.",
    "Tổng mức đầu tư: {2-95} tỷ đồng, từ nguồn vốn ngân sách {area}.",
    "Nguồn kinh phí: ngân sách {area} và các nguồn huy động hợp pháp khác.",
    "{^department} {duty}.",
    "{^lead} {duty}; {reporting}.",
    "{^partner} có trách nhiệm {duty}.",
};

static const char *const basis[] = {
    "Căn cứ Luật Tổ chức chính quyền địa phương ngày 19 tháng 6 năm 2015;",
    "Căn cứ Luật Ngân sách nhà nước ngày 25 tháng 6 năm 2015;",
    "Căn cứ Luật Ban hành văn bản quy phạm pháp luật ngày 22 tháng 6 năm 2015;",
    "Căn cứ Nghị định số {10-178}/{last}/NĐ-CP của Chính phủ quy định chi tiết thi hành một số điều về {topic};",
    "Căn cứ Thông tư số {10-60}/{last}/TT-BNV của Bộ trưởng Bộ Nội vụ hướng dẫn thực hiện {topic};",
    "Căn cứ Quyết định số {100-6800}/QĐ-UBND ngày {day} của UBND Thành phố Hà Nội về {topic};",
    "Căn cứ Kế hoạch số {10-290}/KH-UBND ngày {day} của UBND Thành phố Hà Nội về {topic} năm {year};",
    "Căn cứ Nghị quyết số {10-45}/NQ-HĐND ngày {day} của HĐND {area} về nhiệm vụ năm {year};",
};

static const char *const party_basis[] = {
    "Căn cứ Điều lệ Đảng Cộng sản Việt Nam;",
    "Căn cứ Quy chế làm việc của {organ} nhiệm kỳ 2020 - 2025;",
    "Căn cứ Quy định số {10-230}-QĐ/TW ngày {day} của Ban Chấp hành Trung ương về {topic};",
    "Căn cứ Hướng dẫn số {10-45}-HD/BTCTW ngày {day} của Ban Tổ chức Trung ương về {topic};",
    "Căn cứ Chương trình công tác số {10-45}-CTr/TU ngày {day} của Thành ủy Hà Nội;",
    "Căn cứ Nghị quyết số {10-45}-NQ/TU ngày {day} của Ban Chấp hành Đảng bộ Thành phố về {topic};",
};

static const char *const youth_basis[] = {
    "Căn cứ Điều lệ Đoàn TNCS Hồ Chí Minh;",
    "Căn cứ Kế hoạch số {10-190}-KH/TĐTN ngày {day} của Ban Thường vụ Thành đoàn Hà Nội về {topic};",
    "Căn cứ Chương trình công tác Đoàn và phong trào thanh thiếu nhi năm {year} của {organ};",
    "Căn cứ Nghị quyết Đại hội đại biểu Đoàn TNCS Hồ Chí Minh {area} nhiệm kỳ 2022 - 2027;",
};

static const char *const opening[] = {
    "Thực hiện Kế hoạch số {10-290}/KH-UBND ngày {day} của UBND Thành phố Hà Nội về {topic}; trên cơ sở đề nghị của {lead}, {organ} {intent} như sau:",
    "Thời gian qua, {topic} trên địa bàn {area} đã được {partner} quan tâm thực hiện, bước đầu đạt kết quả tích cực. Tuy nhiên, vẫn còn một số tồn tại, hạn chế. Để thực hiện {adverb} {topic}, {organ} {intent} như sau:",
    "Căn cứ ý kiến chỉ đạo của {above} tại Công văn số {100-4800} ngày {day} về {topic}; xét tình hình thực tế trên địa bàn {area}, {organ} {intent} như sau:",
    "Thực hiện Quyết định số {100-6800}/QĐ-UBND ngày {day} của UBND Thành phố Hà Nội, căn cứ chức năng, nhiệm vụ được giao, {organ} {intent} như sau:",
};

static const char *const party_opening[] = {
    "Thực hiện Chương trình công tác năm {year} của {above}; xét đề nghị của {lead}, {organ} {intent} như sau:",
    "Thực hiện Nghị quyết số {10-45}-NQ/TU ngày {day} của Thành ủy Hà Nội về {topic}, {organ} {intent} như sau:",
    "Trong những năm qua, {topic} trên địa bàn được các cấp ủy, tổ chức đảng quan tâm lãnh đạo, chỉ đạo và đạt được "
    "những kết quả quan trọng. Tuy nhiên, một số nơi thực hiện chưa {adverb}. Để khắc phục những hạn chế nêu trên, "
    "{organ} {intent} như sau:",
    "Căn cứ Hướng dẫn số {10-45}-HD/TU ngày {day} của Thành ủy Hà Nội về {topic}, {organ} {intent} như sau:",
};

static const char *const youth_opening[] = {
    "Thực hiện Kế hoạch số {10-190}-KH/TĐTN ngày {day} của Ban Thường vụ Thành đoàn Hà Nội về {topic}, {organ} "
    "{intent} như sau:",
    "Thực hiện Chương trình công tác Đoàn và phong trào thanh thiếu nhi năm {year}, {organ} {intent} như sau:",
    "Nhằm phát huy vai trò xung kích, tình nguyện của đoàn viên, thanh niên {area} trong {topic}, {organ} {intent} "
    "như sau:",
};

static const char *const hearing[] = {
    "Đồng chí {person}, {post}, báo cáo: {done}; {done}.",
    "Đồng chí {person}, {post}, đề nghị {duty}.",
    "Ý kiến của đồng chí {person}: cơ bản nhất trí với báo cáo, đề nghị {lead} {duty}.",
    "Các ý kiến thảo luận tập trung vào {matter}; đề nghị {department} {duty}.",
    "Đồng chí chủ trì kết luận: giao {department} {duty}; {reporting}.",
};

static const char *const post[] = {
    "Trưởng phòng",
    "Phó Trưởng phòng",
    "Chủ tịch UBND phường",
    "công chức địa chính",
    "Bí thư chi bộ",
    "Tổ trưởng tổ dân phố số {1-48}",
    "Chánh Thanh tra",
    "Giám đốc Trung tâm",
    "Chủ tịch Hội Cựu chiến binh",
    "Chủ tịch Hội Liên hiệp Phụ nữ",
};

static const char *const attendant[] = {
    "Đồng chí {person}, {post}: chủ trì;",       "Đồng chí {person}, {post};",
    "Đồng chí {person}, đại diện {department};", "Bà {person}, {post};",
    "Ông {person}, đại diện {scope};",
};

static const char *const resolve[] = {
    "Tập trung lãnh đạo, chỉ đạo thực hiện {adverb} {topic}; coi đây là nhiệm vụ chính trị trọng tâm của {organ} trong năm {year}.",
    "Các cấp ủy, tổ chức đảng {duty}; {reporting}.",
    "Yêu cầu Ủy ban Kiểm tra, các ban tham mưu giúp việc {duty}.",
    "{^organ} thống nhất chủ trương {duty}; giao {partner} {duty}.",
    "Tăng cường công tác kiểm tra, giám sát, kỷ luật đảng; {adverb} xử lý các tổ chức đảng, đảng viên vi phạm.",
    "Đẩy mạnh học tập và làm theo tư tưởng, đạo đức, phong cách Hồ Chí Minh gắn với {topic}.",
    "Phấn đấu kết nạp {12-180} đảng viên mới; {85-100}% chi bộ hoàn thành tốt nhiệm vụ trở lên.",
    "Mặt trận Tổ quốc và các đoàn thể chính trị - xã hội vận động {people} tích cực hưởng ứng {topic}.",
};

static const char *const youth_task[] = {
    "Tổ chức {3-25} buổi sinh hoạt chi đoàn chuyên đề về {topic}, thu hút {80-960} lượt đoàn viên, thanh niên tham gia.",
    "Ra quân {2-18} đợt tình nguyện, vệ sinh môi trường tại {scope}.",
    "Xây dựng và gắn biển {2-12} công trình thanh niên, trị giá {15-380} triệu đồng.",
    "Các cơ sở Đoàn {duty}; {reporting}.",
    "Giới thiệu {10-120} đoàn viên ưu tú cho Đảng xem xét, kết nạp.",
    "Phối hợp với {partner} tổ chức hội thi, hội diễn cho {120-900} thiếu nhi trên địa bàn {area}.",
    "Tuyên truyền {matter} trên các trang mạng xã hội của tổ chức Đoàn.",
    "Vận động đoàn viên, thanh niên hiến {50-620} đơn vị máu tình nguyện trong năm {year}.",
};

#define LIST(name)                                                                                                     \
    {                                                                                                                  \
#name, name, COUNT(name)                                                                                       \
    }

const struct phrase_list phrase_book[] = {
    LIST(adverb),      LIST(department),  LIST(partner),     LIST(people),     LIST(means),         LIST(matter),
    LIST(duty),        LIST(scope),       LIST(reporting),   LIST(assignment), LIST(done),          LIST(finding),
    LIST(shortcoming), LIST(cause),       LIST(aim),         LIST(figure),     LIST(article),       LIST(clause),
    LIST(basis),       LIST(party_basis), LIST(youth_basis), LIST(opening),    LIST(party_opening), LIST(youth_opening),
    LIST(hearing),     LIST(attendant),   LIST(post),        LIST(resolve),    LIST(youth_task),    {NULL, NULL, 0},
};

static const struct theme state_themes[] = {
    {"công tác cải cách hành chính",                                           "Phòng Nội vụ",                                "NV",      "Luật Cán bộ, công chức ngày 13 tháng 11 năm 2008"},
    {"công tác văn thư, lưu trữ",                                              "Phòng Nội vụ",                                "NV",      "Luật Lưu trữ ngày 11 tháng 11 năm 2011"             },
    {"công tác bồi thường, hỗ trợ và tái định cư",                   "Trung tâm Phát triển quỹ đất",            "GPMB",
     "Luật Đất đai ngày 29 tháng 11 năm 2013"                                                                                                                                                            },
    {"công tác quản lý trật tự xây dựng",                                 "Phòng Quản lý đô thị",                     "QLĐT",   "Luật Xây dựng ngày 18 tháng 6 năm 2014"             },
    {"công tác phòng cháy, chữa cháy và cứu nạn, cứu hộ",             "Công an",                                         "CA",
     "Luật Phòng cháy và chữa cháy ngày 29 tháng 6 năm 2001"                                                                                                                                           },
    {"công tác phòng, chống thiên tai và tìm kiếm cứu nạn",             "Phòng Kinh tế",                                 "KT",
     "Luật Phòng, chống thiên tai ngày 19 tháng 6 năm 2013"                                                                                                                                              },
    {"công tác giảm nghèo bền vững",                                         "Phòng Lao động - Thương binh và Xã hội", "LĐTBXH",
     "Luật Bảo hiểm y tế ngày 14 tháng 11 năm 2008"                                                                                                                                                    },
    {"công tác tuyển sinh vào các trường mầm non, lớp 1, lớp 6",       "Phòng Giáo dục và Đào tạo",               "GDĐT",
     "Luật Giáo dục ngày 14 tháng 6 năm 2019"                                                                                                                                                             },
    {"công tác an toàn thực phẩm",                                             "Phòng Y tế",                                    "YT",      "Luật An toàn thực phẩm ngày 17 tháng 6 năm 2010"  },
    {"công tác tiếp công dân, giải quyết khiếu nại, tố cáo",         "Thanh tra",                                        "TTr",
     "Luật Khiếu nại ngày 11 tháng 11 năm 2011"                                                                                                                                                          },
    {"công tác thu, chi ngân sách nhà nước",                                  "Phòng Tài chính - Kế hoạch",                "TCKH",
     "Luật Ngân sách nhà nước ngày 25 tháng 6 năm 2015"                                                                                                                                                },
    {"việc cấp Giấy chứng nhận quyền sử dụng đất",                 "Phòng Tài nguyên và Môi trường",           "TNMT",
     "Luật Đất đai ngày 29 tháng 11 năm 2013"                                                                                                                                                            },
    {"công tác vệ sinh môi trường, thu gom rác thải",                      "Phòng Tài nguyên và Môi trường",           "TNMT",
     "Luật Bảo vệ môi trường ngày 23 tháng 6 năm 2014"                                                                                                                                               },
    {"công tác tuyển chọn và gọi công dân nhập ngũ",                    "Ban Chỉ huy Quân sự",                         "QS",
     "Luật Nghĩa vụ quân sự ngày 19 tháng 6 năm 2015"                                                                                                                                                  },
    {"việc quản lý, sử dụng nhà chung cư",                                 "Phòng Quản lý đô thị",                     "QLĐT",   "Luật Nhà ở ngày 25 tháng 11 năm 2014"               },
    {"công tác bảo tồn, phát huy giá trị di tích lịch sử - văn hóa", "Phòng Văn hóa và Thông tin",                  "VHTT",
     "Luật Di sản văn hóa ngày 29 tháng 6 năm 2001"                                                                                                                                                      },
    {"chương trình xây dựng nông thôn mới nâng cao",                       "Phòng Kinh tế",                                 "KT",
     "Luật Hợp tác xã ngày 20 tháng 11 năm 2012"                                                                                                                                                         },
    {"công tác phổ biến, giáo dục pháp luật",                             "Phòng Tư pháp",                                 "TP",
     "Luật Phổ biến, giáo dục pháp luật ngày 20 tháng 6 năm 2012"                                                                                                                                  },
    {"công tác bảo đảm trật tự, an toàn giao thông",                     "Công an",                                         "CA",
     "Luật Giao thông đường bộ ngày 13 tháng 11 năm 2008"                                                                                                                                             },
    {"việc sắp xếp đơn vị hành chính cấp xã",                          "Phòng Nội vụ",                                "NV",
     "Luật Tổ chức chính quyền địa phương ngày 19 tháng 6 năm 2015"                                                                                                                              },
};

static const struct theme party_themes[] = {
    {"công tác xây dựng Đảng và hệ thống chính trị",                     "Ban Tổ chức",     "", "Điều lệ Đảng"                        },
    {"công tác phát triển đảng viên",                                           "Ban Tổ chức",     "", "Điều lệ Đảng"                        },
    {"công tác quy hoạch, luân chuyển cán bộ",                                 "Ban Tổ chức",     "", "Điều lệ Đảng"                        },
    {"công tác kiểm tra, giám sát và thi hành kỷ luật đảng",              "Ủy ban Kiểm tra", "", "Điều lệ Đảng"                        },
    {"việc kê khai tài sản, thu nhập",                                           "Ủy ban Kiểm tra", "", "Luật Phòng, chống tham nhũng"          },
    {"công tác tuyên giáo và định hướng dư luận xã hội",                "Ban Tuyên giáo",    "", "Điều lệ Đảng"                        },
    {"việc học tập, quán triệt Nghị quyết Đại hội XIII của Đảng", "Ban Tuyên giáo",    "", "Điều lệ Đảng"                        },
    {"công tác dân vận chính quyền",                                             "Ban Dân vận",      "", "Điều lệ Đảng"                        },
    {"việc thực hiện Quy chế dân chủ ở cơ sở",                           "Ban Dân vận",      "", "Luật Thực hiện dân chủ ở cơ sở"},
    {"công tác đại hội chi bộ, đảng bộ cơ sở",                          "Ban Tổ chức",     "", "Điều lệ Đảng"                        },
    {"công tác tài chính đảng, thu nộp đảng phí",                           "Văn phòng",         "", "Điều lệ Đảng"                        },
    {"công tác văn thư, lưu trữ trong các cơ quan đảng",                     "Văn phòng",         "", "Luật Lưu trữ"                           },
    {"công tác phòng, chống tham nhũng, tiêu cực",                              "Ban Nội chính",    "", "Luật Phòng, chống tham nhũng"          },
};

static const struct theme youth_themes[] = {
    {"phong trào Tuổi trẻ Thủ đô rèn đức, luyện tài",         "Ban Phong trào",      "", "Luật Thanh niên"},
    {"Tháng Thanh niên",                                                    "Ban Phong trào",      "", "Luật Thanh niên"},
    {"chiến dịch Thanh niên tình nguyện hè",                         "Ban Phong trào",      "", "Luật Thanh niên"},
    {"công tác giáo dục truyền thống cho đoàn viên, thanh niên", "Ban Tuyên giáo",     "", "Luật Thanh niên"},
    {"công tác Đội và phong trào thiếu nhi",                         "Hội đồng Đội", "", "Luật Trẻ em"   },
    {"công tác xây dựng tổ chức Đoàn vững mạnh",               "Ban Tổ chức",      "", "Luật Thanh niên"},
    {"phong trào hiến máu tình nguyện",                                "Ban Phong trào",      "", "Luật Thanh niên"},
    {"công tác chuẩn bị Đại hội Đoàn các cấp",                "Ban Tổ chức",      "", "Luật Thanh niên"},
};

const struct theme *theme_draw(struct chance *chance, int kind)
{
    switch (kind) {
    case ORGAN_PARTY: return &CHANCE_PICK(chance, party_themes);
    case ORGAN_YOUTH: return &CHANCE_PICK(chance, youth_themes);
    default: return &CHANCE_PICK(chance, state_themes);
    }
}
