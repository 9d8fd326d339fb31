// SPDX-License-Identifier: AGPL-3.0-or-later
// Numbers and moments as people here write them. Time is Hanoi's, wherever the browser is.
import {lang, t} from "./i18n.js";

const ZONE = "Asia/Ho_Chi_Minh";
export const locale = () => (lang() === "vi" ? "vi-VN" : "en-GB");

export const number = (value, digits = 0) =>
  value === null || value === undefined ? "–" : new Intl.NumberFormat(locale(), {maximumFractionDigits: digits}).format(value);

export const percent = (part, whole) => (whole > 0 ? number((100 * part) / whole, 1) + " %" : "–");

export const moment = (ms) =>
  ms ? new Intl.DateTimeFormat(locale(), {timeZone: ZONE, dateStyle: "short", timeStyle: "short"}).format(ms) : "–";

export const day = (ms) => (ms ? new Intl.DateTimeFormat(locale(), {timeZone: ZONE, dateStyle: "short"}).format(ms) : "–");

export const clock = (ms) => new Intl.DateTimeFormat(locale(), {timeZone: ZONE, hour: "2-digit", minute: "2-digit"}).format(ms);

/** YYYY-MM-DD, for a date input. */
export const isoDay = (ms) => (ms ? new Intl.DateTimeFormat("sv-SE", {timeZone: ZONE, dateStyle: "short"}).format(ms) : "");

export function span(ms) {
  if (ms === null || ms === undefined) return "–";
  const hours = Math.abs(ms) / 3.6e6, sign = ms < 0 ? "−" : "";
  if (hours < 1) return sign + number(hours * 60) + " " + t("minutes");
  return hours < 48 ? sign + number(hours, 1) + " " + t("hours") : sign + number(hours / 24, 1) + " " + t("days");
}

export const bytes = (value) => number(value / 1048576) + " MB";
export const rate = (value) => number(value, value < 10 ? 1 : 0) + " " + t("pagesPerSecond");
