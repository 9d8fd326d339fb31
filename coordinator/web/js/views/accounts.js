// SPDX-License-Identifier: AGPL-3.0-or-later
// Who may do what; and what their units merged into, for an administrator to decide whether their rights go with it.
import {h} from "../dom.js";
import {t} from "../i18n.js";
import {get, post} from "../api.js";
import {action, ask, attempt, card, choice, field, unitName} from "../parts.js";
import {table} from "../table.js";
import {moment} from "../format.js";

const ROLES = ["viewer", "operator", "archivist", "auditor", "administrator"];
const RANK = {proposed: 0, confirmed: 1, declined: 2};
const MEANS = {proposed: "warn", confirmed: "good", declined: "dim"};

const accountTag = (account) => (account.disabled ? h("span", {class: "tag dim"}, t("disabled")) : h("span", {class: "tag good"}, t("inUse")));
const secrets = (account) => [account.password && t("password"), account.token_id && `token ${account.token_id}`].filter(Boolean).join(", ") || "–";
const address = (name) => `accounts/${encodeURIComponent(name)}`;

export async function show(node) {
  const said = h("div", {role: "status"});

  const change = (account, body, question) => async () => {
    if (question && !(await ask(question))) return;
    await attempt(said, async () => {
      await post(address(account), body);
      await refresh();
    });
  };

  const accounts = table(t("accounts"), [
    {key: "name", title: t("name"), value: (a) => a.name, cell: (a) => a.name},
    {key: "role", title: t("role"), value: (a) => a.role, cell: (a) => t(`r:${a.role}`)},
    {key: "units", title: t("units"), value: (a) => a.units.join(), cell: (a) => a.units.join(", ") || t("allUnits")},
    {key: "secrets", title: t("secrets"), cell: secrets},
    {key: "state", title: t("state"), value: (a) => Number(a.disabled), cell: accountTag},
    {key: "disable", title: "", cell: (a) => action(t(a.disabled ? "enable" : "disable"), "administer",
      change(a.name, {disabled: !a.disabled}, a.disabled ? null : t("disableAsk", a.name)))},
  ], {sort: "name"});

  const successions = table(t("successions"), [
    {key: "account", title: t("account"), value: (s) => `${s.account} ${s.of} ${s.unit}`, cell: (s) => s.account},
    {key: "of", title: t("merged"), value: (s) => s.of, cell: (s) => unitName({unit: s.of, name: s.of_name})},
    {key: "unit", title: t("into"), value: (s) => s.unit, cell: (s) => unitName(s)},
    {key: "since", title: t("since"), value: (s) => s.since, cell: (s) => s.since, number: true},
    {key: "state", title: t("state"), value: (s) => RANK[s.state], cell: (s) => h("span", {class: `tag ${MEANS[s.state]}`}, t(`d:${s.state}`))},
    {key: "decided", title: t("decided"), value: (s) => s.decided_ms, cell: (s) => moment(s.decided_ms), number: true},
    {key: "decide", title: "", cell: (s) => h("div", {class: "buttons"},
      s.state !== "confirmed" && action(t("confirmRight"), "administer", change(s.account, {confirm: [s.unit]}, t("confirmAsk", s.account, unitName(s)))),
      s.state !== "declined" && action(t("declineRight"), "administer", change(s.account, {decline: [s.unit]})))},
  ], {sort: "state"});

  node.append(said, card(t("accounts"), accounts.node),
    card(t("successions"), h("p", {class: "dim"}, t("successionsHint")), successions.node),
    card(t("newAccount"), form()));

  function form() {
    const name = h("input", {required: true, autocomplete: "off"}), units = h("input", {placeholder: "district:001, old:00004"});
    const password = h("input", {type: "password", required: true, autocomplete: "new-password"});
    const role = choice("viewer", ROLES.map((one) => [one, t(`r:${one}`)]));
    const make = async (event) => {
      event.preventDefault();
      await attempt(said, async () => {
        await post(address(name.value), {role: role.value, units: units.value.split(/[\s,]+/).filter(Boolean), password: password.value});
        const made = t("accountMade", name.value);
        event.target.reset();
        await refresh();
        return made;
      });
    };
    return h("form", {class: "form", onsubmit: make}, field(t("name"), name), field(t("role"), role), field(t("unitsOrAll"), units),
      field(t("password"), password), h("button", {class: "main"}, t("save")));
  }

  async function refresh() {
    const list = (await get("accounts")).accounts;
    accounts.show(list);
    successions.show(list.flatMap((account) => account.successions.map((one) => ({...one, account: account.name}))));
  }
  await refresh();
}
