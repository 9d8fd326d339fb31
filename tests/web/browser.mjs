// SPDX-License-Identifier: AGPL-3.0-or-later
// Debian's Chromium, with a profile of its own that is gone afterwards.
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {chromium} from "playwright-core";

const FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** {page, close()} */
export async function open() {
  const profile = mkdtempSync(join(tmpdir(), "sohoa-web-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium", headless: true, chromiumSandbox: false, args: FLAGS, viewport: {width: 1366, height: 900}, locale: "vi-VN",
  });
  return {
    page: await browser.newPage(),
    async close() {
      await browser.close();
      rmSync(profile, {recursive: true, force: true});
    },
  };
}
