// SPDX-License-Identifier: AGPL-3.0-or-later
// Two languages, a row for each text: [Vietnamese, English].

const TEXTS = {
  skip: ["Đến nội dung chính", "Skip to the content"],
  overview: ["Tổng quan", "Overview"], units: ["Đơn vị", "Units"], batches: ["Lô", "Batches"], failures: ["Lỗi", "Failures"],
  workers: ["Máy trạm", "Workers"], plan: ["Kế hoạch", "Plan"], log: ["Nhật ký", "Log"], document: ["Tài liệu", "Document"],
  language: ["English", "Tiếng Việt"], theme: ["Sáng/tối", "Light/dark"], logout: ["Đăng xuất", "Log out"],
  login: ["Đăng nhập", "Log in"], userName: ["Tên", "Name"], password: ["Mật khẩu", "Password"],
  connectionLost: ["Mất kết nối với máy điều phối; đang thử lại …", "No connection to the coordinator; trying again …"],
  connectionBack: ["Đã kết nối lại", "Connected again"],
  minutes: ["phút", "min"], hours: ["giờ", "h"], days: ["ngày", "days"], pagesPerSecond: ["trang/giây", "pages/s"],
  speed: ["Tốc độ", "Speed"], lastMinute: ["trong phút qua", "in the last minute"], done: ["Đã xong", "Done"], left: ["Còn lại", "Left"],
  pages: ["trang", "pages"], documents: ["tài liệu", "documents"], ends: ["Dự kiến xong", "Forecast finish"],
  p50: ["P50", "P50"], p90: ["P90", "P90"], cores: ["lõi", "cores"], coreUse: ["Lõi đang dùng", "Cores in use"], of: ["trên", "of"],
  feasible: ["Mọi hạn đều kịp", "All deadlines can be met"], infeasible: ["Không thể kịp mọi hạn", "Not all deadlines can be met"],
  verdicts: ["Đơn vị theo dự báo", "Units by forecast"], alerts: ["Cảnh báo", "Alerts"], noAlerts: ["Không có cảnh báo", "No alerts"],
  overTime: ["Tốc độ theo thời gian", "Speed over time"], lastHour: ["1 giờ", "1 hour"], lastDay: ["1 ngày", "1 day"], lastMonth: ["30 ngày", "30 days"],
  "v:on time": ["kịp hạn", "on time"], "v:at risk": ["có nguy cơ", "at risk"], "v:late": ["trễ hạn", "late"], "v:paused": ["tạm dừng", "paused"],
  "v:no deadline": ["chưa có hạn", "no deadline"], "v:done": ["đã xong", "done"],
  "s:running": ["đang chạy", "running"], "s:paused": ["tạm dừng", "paused"], "s:finished": ["đã xong", "finished"], "s:withdrawn": ["đã rút", "withdrawn"],
  "s:open": ["đang xử lý", "open"], "s:stored": ["đã lưu", "stored"], "s:dead": ["hỏng trang", "dead"], "s:quarantined": ["cách ly", "quarantined"],
  "s:duplicate": ["trùng lặp", "duplicate"], "s:refused": ["bị từ chối", "refused"], "s:queued": ["đang chờ", "queued"], "s:leased": ["đang đọc", "being read"],
  "a:batch_paused": ["Lô tự dừng vì lỗi lặp lại", "A batch paused itself: the same failure again and again"],
  "a:unit_late": ["Đơn vị sẽ trễ hạn", "A unit will be late"], "a:unit_at_risk": ["Đơn vị có nguy cơ trễ hạn", "A unit may be late"],
  "a:standby_lost": ["Máy điều phối dự phòng không trả lời", "A coordinator that stands by does not answer"],
  "a:worker_lost": ["Máy trạm mất kết nối", "A worker is gone"], "a:redis_lost": ["Redis không trả lời", "Redis does not answer"],
  "a:no_workers": ["Không có máy trạm: không trang nào được đọc", "No worker: nothing is read"],
  "a:store_full": ["Kho lưu trữ sắp đầy", "The store is nearly full"], "a:quarantined": ["Tài liệu bị cách ly trong lô", "Documents of a batch are quarantined"],
  "a:no_progress": ["Còn trang, có máy trạm, nhưng không trang nào được đọc", "Pages are left and workers are there, but nothing is read"],
  notifyTest: ["Gửi cảnh báo thử", "Send a test alert"], notifyTaken: ["Bên nhận trả lời {0} sau {1} ms", "The receiver answered {0} in {1} ms"],
  "a:undated": ["Đơn vị có trang chưa có hạn", "Units with pages without a deadline"],
  unit: ["Đơn vị", "Unit"], name: ["Tên", "Name"], progress: ["Tiến độ", "Progress"], rateNow: ["Đang đạt", "Now"], rateNeeded: ["Cần đạt", "Needed"],
  deadline: ["Hạn", "Deadline"], slack: ["Dư", "Slack"], verdict: ["Dự báo", "Verdict"], coresNeeded: ["Cần thêm lõi", "Cores needed"],
  filter: ["Lọc", "Filter"], kind: ["Loại", "Kind"], all: ["Tất cả", "All"], district: ["Quận, huyện", "Districts"], old: ["Phường, xã cũ", "Communes until 2025"],
  new: ["Phường, xã mới", "Communes since 2025"], noUnit: ["(không có đơn vị)", "(no unit)"], nothing: ["Không có gì", "Nothing"],
  state: ["Trạng thái", "State"], priority: ["Ưu tiên", "Priority"], batch: ["Lô", "Batch"], more: ["Xem tiếp", "More"], back: ["Quay lại", "Back"],
  pause: ["Tạm dừng", "Pause"], resume: ["Chạy tiếp", "Resume"], save: ["Lưu", "Save"], withdraw: ["Rút lô", "Withdraw"],
  pauseAsk: ["Lô {0} sẽ không được cấp trang mới.", "Batch {0} is granted nothing new."], withdrawAsk: ["Bỏ những gì chưa xong của lô {0}. Không thể hoàn tác.", "What is not done of batch {0} is given up. This can't be undone."],
  cancel: ["Thôi", "Cancel"], confirm: ["Đồng ý", "Do it"], why: ["Lý do", "Why"], source: ["Tệp nguồn", "Source"], error: ["Lỗi", "Error"], page: ["Trang", "Page"],
  generation: ["Lần đọc", "Generation"], text: ["Văn bản", "Text"], metadata: ["Siêu dữ liệu", "Metadata"], downloads: ["Tải về", "Downloads"],
  noPicture: ["Chưa xem được ảnh trang.", "The page's picture can't be shown."], evidence: ["Căn cứ", "Evidence"], confidence: ["Độ tin cậy", "Confidence"], grade: ["Hạng", "Grade"],
  history: ["Lịch sử", "History"], readTimes: ["số lần đọc: {0}", "readings: {0}"], worker: ["Máy trạm", "Worker"], duplicateOf: ["Trùng với", "The same as"], noResult: ["Chưa có kết quả", "There is no result yet"],
  reason: ["Lý do", "Reason"], message: ["Nội dung", "Message"], select: ["Chọn", "Select"], where: ["Điều kiện", "Predicate"],
  whereHint: ["ví dụ: grade=C and unit=district:001", "such as grade=C and unit=district:001"], preview: ["Xem trước", "Preview"], rerun: ["Đọc lại", "Re-run"],
  rerunAsk: ["Đọc lại {0} trang của {1} tài liệu?", "Read {0} pages of {1} documents again?"], coreHours: ["giờ lõi", "core-hours"],
  effectNone: ["Không hạn nào bị ảnh hưởng.", "No deadline gets worse."], effectWorse: ["Đơn vị bị ảnh hưởng:", "Units that get worse:"], was: ["trước đó", "was"],
  endsThen: ["Toàn bộ sẽ xong {0} thay vì {1}.", "All would end {0} instead of {1}."], reruns: ["Các lần đọc lại", "Re-runs"], finished: ["đã xong", "finished"],
  undo: ["Hoàn tác", "Undo"], undone: ["{0} tài liệu đã trở lại như cũ, {1} đã bắt đầu", "{0} documents are as before, {1} had begun"], ordered: ["Đã đặt lệnh số {0}", "Order {0} is given"],
  slots: ["Khe", "Slots"], busy: ["Đang bận", "Busy"], memory: ["Bộ nhớ", "Memory"], version: ["Phiên bản", "Version"], tags: ["Nhãn", "Tags"],
  connected: ["đang nối", "connected"], lost: ["mất kết nối", "gone"], drained: ["đang rút việc", "draining"], drain: ["Rút việc", "Drain"], undrain: ["Giao việc lại", "Undrain"],
  drainAsk: ["{0} sẽ làm xong việc đang có và không nhận thêm.", "{0} finishes what it has and gets nothing new."], pace: ["Chậm hơn dự kiến", "Times as slow as expected"],
  whatIf: ["Nếu như …", "What if …"], addCores: ["Thêm lõi", "More cores"], withoutWorkers: ["Không có các máy", "Without workers"], newDeadline: ["Hạn khác", "Other deadline"],
  pausedUnits: ["Tạm dừng đơn vị", "Pause a unit"], compute: ["Tính", "Compute"], now: ["Hiện nay", "Now"], then: ["Khi đó", "Then"], nothingChanges: ["Không có gì bị thay đổi.", "Nothing is changed."],
  time: ["Lúc", "When"], who: ["Ai", "Who"], what: ["Việc", "What"], subject: ["Đối tượng", "Subject"],
  "k:admitted": ["nhận lô", "admitted"], "k:withdrawn": ["rút lô", "withdrawn"], "k:rerun": ["đọc lại", "re-run"], "k:undone": ["hoàn tác", "undone"],
  "k:quarantined": ["cách ly", "quarantined"], "k:released": ["thả ra", "released"], "k:standing": ["lệnh cho lô", "order for a batch"], "k:target": ["kế hoạch", "target"],
  "k:drained": ["máy trạm", "worker"], "k:calendar": ["lịch máy", "calendar"], "k:account": ["tài khoản", "account"],
  accounts: ["Tài khoản", "Accounts"], account: ["Tài khoản", "Account"], newAccount: ["Tài khoản mới", "New account"], accountMade: ["Đã có tài khoản {0}", "There is an account {0} now"],
  "r:viewer": ["người xem", "viewer"], "r:operator": ["điều hành", "operator"], "r:archivist": ["lưu trữ viên", "archivist"], "r:auditor": ["kiểm toán", "auditor"], "r:administrator": ["quản trị", "administrator"],
  allUnits: ["mọi đơn vị", "all units"], unitsOrAll: ["Đơn vị (để trống: mọi đơn vị)", "Units (none: all)"], secrets: ["Cách đăng nhập", "Comes in by"],
  inUse: ["đang dùng", "in use"], disabled: ["đã khóa", "disabled"], disable: ["Khóa", "Disable"], enable: ["Mở khóa", "Enable"], disableAsk: ["{0} sẽ không đăng nhập được nữa.", "{0} can't log in any more."],
  successions: ["Quyền theo đơn vị sáp nhập", "Rights that follow units through mergers"],
  successionsHint: ["Đơn vị kế thừa chỉ được đề xuất; người quản trị quyết định.", "Successors are only proposed; an administrator decides."],
  merged: ["Đơn vị cũ", "Was"], into: ["Đơn vị kế thừa", "Successor"], since: ["Từ ngày", "Since"], decided: ["Quyết định lúc", "Decided"],
  "d:proposed": ["đề xuất", "proposed"], "d:confirmed": ["đã xác nhận", "confirmed"], "d:declined": ["đã từ chối", "declined"],
  confirmRight: ["Xác nhận", "Confirm"], declineRight: ["Từ chối", "Decline"], confirmAsk: ["{0} sẽ có quyền với cả {1}.", "{0} will have its rights in the whole of {1}."],
  review: ["Kiểm duyệt", "Review"], queue: ["Hàng chờ", "Queue"], waitHere: ["tài liệu đang chờ", "documents wait"], doubts: ["trường nghi ngờ", "doubts"], doubted: ["nghi ngờ", "doubted"],
  accept: ["Chấp nhận", "Accept"], edit: ["Sửa", "Edit"], nextField: ["Trường sau", "Next field"], previousField: ["Trường trước", "Previous field"], otherField: ["Trường sau, trường trước", "Next, previous field"],
  skipDocument: ["Để sau", "Skip"], rejectDocument: ["Trả lại", "Reject"], rejectWhy: ["Vì sao trả lại tài liệu này?", "Why is this document rejected?"], keys: ["Phím tắt", "Keys"],
  chooseCandidate: ["Chọn phương án; 0: như máy đọc", "Choose a candidate; 0: as the machine read it"], candidates: ["Phương án", "Candidates"], machine: ["Máy đọc", "Machine"], rawReading: ["Nguyên văn", "Raw reading"],
  doubtWhy: ["Vì sao nghi ngờ", "Why doubted"], noValue: ["(không có)", "(none)"], nothingWaits: ["Không có tài liệu nào chờ quyết định", "No document waits for a decision"], doubtedField: ["Trường nghi ngờ", "Doubted field"],
  rounds: ["Các vòng kiểm tra", "Rounds"], round: ["Vòng", "Round"], share: ["Tỷ lệ, %", "Share, %"], seed: ["Mầm ngẫu nhiên", "Seed"], limit: ["giới hạn", "limit"], over: ["vượt giới hạn", "over the limit"],
  beginRound: ["Mở vòng mới", "Begin a round"], closeRound: ["Kết thúc vòng", "Close the round"], acceptBatch: ["Nghiệm thu lô", "Accept the batch"], rejectBatch: ["Trả lại lô", "Reject the batch"], allOfIt: ["cả lô", "all of it"],
  roundBegun: ["Vòng {0}: {1} tài liệu", "Round {0}: {1} documents"], sentBack: ["{0} tài liệu được đọc lại (lệnh {1})", "{0} documents are read again (order {1})"],
  rejectAsk: ["Các tài liệu bị trả lại của lô {0} sẽ được đọc lại.", "The rejected documents of batch {0} are read again."], rejectAllAsk: ["Mọi tài liệu của lô {0} sẽ được đọc lại.", "All documents of batch {0} are read again."],
  "w:none": ["chưa kiểm tra", "not begun"], "w:open": ["đang kiểm tra", "under way"], "w:passed": ["đạt", "passed"], "w:failed": ["không đạt", "failed"], "w:accepted": ["đã chấp nhận", "accepted"], "w:rejected": ["bị trả lại", "rejected"],
  "w:reopened": ["có tài liệu đọc lại", "read again since"], "w:fresh": ["chưa xem", "not looked at"], "w:waiting": ["đang chờ", "waiting"], "w:corrected": ["đã sửa", "corrected"],
  "f:header": ["Thể thức", "Header"], "f:organName": ["Cơ quan ban hành", "Issuing body"], "f:parentOrganName": ["Cơ quan chủ quản", "Body above"], "f:codeNumber": ["Số", "Number"], "f:codeNotation": ["Ký hiệu", "Notation"],
  "f:place": ["Địa danh", "Place"], "f:issuedDate": ["Ngày ban hành", "Date of issue"], "f:typeName": ["Loại văn bản", "Type"], "f:typeCode": ["Mã loại", "Type code"], "f:subject": ["Trích yếu", "Subject"], "f:addressee": ["Kính gửi", "Addressee"],
  "f:signerPrefix": ["Thẩm quyền ký", "Signed for"], "f:signerTitle": ["Chức vụ", "Signer's title"], "f:signer": ["Người ký", "Signer"], "f:recipients": ["Nơi nhận", "Recipients"], "f:urgency": ["Độ khẩn", "Urgency"], "f:copies": ["Số bản", "Copies"],
  "f:language": ["Ngôn ngữ", "Language"], "f:document": ["Tài liệu có lỗi", "Documents with an error"], "f:rejected": ["Tài liệu bị trả lại", "Rejected documents"], "k:review": ["kiểm duyệt", "review"],
  reports: ["Báo cáo", "Reports"], fromDay: ["Từ ngày", "From"], toDay: ["Đến ngày", "To"], printPage: ["Bản in", "To be printed"],
  role: ["Vai trò", "Role"], mayNot: ["Vai trò của bạn không được làm việc này", "Your role may not do this"], loading: ["Đang tải …", "Loading …"],
  failed: ["Không được: {0}", "It failed: {0}"], rowsShown: ["{0} dòng", "{0} rows"], updated: ["Cập nhật", "Updated"], total: ["Tổng", "Total"],
};

let current = localStorage.getItem("sohoa.lang") === "en" ? "en" : "vi";

export const lang = () => current;

export function setLang(value) {
  current = value;
  localStorage.setItem("sohoa.lang", value);
  document.documentElement.lang = value;
}

/** The text of a key, with {0}, {1} filled in. A key that nobody knows is shown as it is. */
export function t(key, ...parts) {
  const row = TEXTS[key];
  const text = row ? row[current === "vi" ? 0 : 1] : key.replace(/^[a-z]:/, "");
  return text.replace(/\{(\d)\}/g, (_, i) => parts[i] ?? "");
}
