// SPDX-License-Identifier: AGPL-3.0-or-later
import {h} from "../dom.js";
import {t} from "../i18n.js";
import {login} from "../session.js";
import {failedNote, field} from "../parts.js";

export function show(node, place, begin) {
  const name = h("input", {name: "name", autocomplete: "username", required: true});
  const password = h("input", {name: "password", type: "password", autocomplete: "current-password", required: true});
  const said = h("div");
  node.append(said, h("form", {class: "form", onsubmit: enter}, field(t("userName"), name), field(t("password"), password),
    h("button", {class: "main"}, t("login"))));
  name.focus();

  async function enter(event) {
    event.preventDefault();
    try {
      await login(name.value, password.value);
      location.hash = "#overview";
      begin();
    } catch (why) {
      said.replaceChildren(failedNote(why));
      password.value = "";
      password.focus();
    }
  }
}
