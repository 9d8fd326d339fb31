// SPDX-License-Identifier: AGPL-3.0-or-later
// The frame: who is there, where one is, and the view of that place. A view is a module with show(node, place): it fills node and
// returns what to call when one leaves.
import {h, replace, announce} from "./dom.js";
import {lang, setLang, t} from "./i18n.js";
import {whenLoginNeeded} from "./api.js";
import {open, logout, session} from "./session.js";
import {follow, unfollow} from "./events.js";
import {failedNote, note} from "./parts.js";

/* Where views go. `menu`: it is in the navigation; `right`: of those only who have it. */
const VIEWS = {
  overview: {menu: true}, units: {menu: true}, batches: {menu: true}, review: {menu: true}, failures: {menu: true}, duplicates: {menu: true},
  workers: {menu: true}, plan: {menu: true}, quarantine: {menu: true}, handover: {menu: true}, reports: {menu: true}, ledger: {menu: true}, accounts: {menu: true, right: "audit"}, document: {menu: false}, login: {menu: false},
};

const head = document.getElementById("head"), main = document.getElementById("main");
const connection = h("span", {class: "bad", role: "status"});
let leave = null, turn = 0, wasLost = false;

/** "#batches/b1/7?state=dead" -> {view, parts, query} */
function place() {
  const [path, rest] = location.hash.replace(/^#/, "").split("?");
  const [view, ...parts] = path.split("/").map(decodeURIComponent);
  return {view: VIEWS[view] ? view : "overview", parts, query: new URLSearchParams(rest ?? "")};
}

function theme() {
  return localStorage.getItem("sohoa.theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function setTheme(value) {
  document.documentElement.dataset.theme = value;
}

const inMenu = (name) => VIEWS[name].menu && (!VIEWS[name].right || session.may(VIEWS[name].right));

function drawHead(view) {
  document.getElementById("skip").textContent = t("skip");
  replace(head, h("span", {class: "name"}, "Sohoa"),
    session.role && h("nav", {"aria-label": "Sohoa"}, Object.keys(VIEWS).filter(inMenu).map((name) =>
      h("a", {href: `#${name}`, "aria-current": name === view && "page"}, t(name)))),
    h("span", {class: "rest"}, connection,
      session.role && h("span", {class: "dim"}, `${session.name} · ${session.role}${session.units.length ? " · " + session.units.join(", ") : ""}`),
      h("button", {type: "button", id: "language", onclick: switchLanguage}, t("language")),
      h("button", {type: "button", onclick: switchTheme}, t("theme")),
      session.role && !["local", "open"].includes(session.name) && h("button", {type: "button", onclick: leaveSession}, t("logout"))));
}

function switchLanguage() {
  setLang(lang() === "vi" ? "en" : "vi");
  draw();
  document.getElementById("language").focus();
}

function switchTheme() {
  const value = theme() === "dark" ? "light" : "dark";
  localStorage.setItem("sohoa.theme", value);
  setTheme(value);
  draw();
}

async function leaveSession() {
  await logout();
  session.role = "";
  unfollow();
  location.hash = "#login";
}

async function draw(moved = false) {
  const here = place(), mine = ++turn;
  leave?.();
  leave = null;
  drawHead(here.view);
  document.title = `${t(here.view)} · Sohoa`;
  const node = h("div", {}, h("h1", {}, t(here.view)));
  replace(main, node);
  if (moved) main.focus();
  try {
    const view = await import(`./views/${here.view}.js`);
    const stop = await view.show(node, here, begin);
    if (mine === turn) leave = stop ?? null;
    else stop?.();
  } catch (why) {
    if (mine === turn) node.append(failedNote(why));
  }
}

function onConnection(isLost) {
  connection.textContent = isLost ? t("connectionLost") : "";
  if (wasLost && !isLost) announce(t("connectionBack"));
  wasLost = isLost;
}

/** After a login too: opens the session, then the view. */
async function begin() {
  try {
    await open();
  } catch (why) {
    if (why.status === 401) location.hash = "#login";
    else {
      drawHead("");
      replace(main, note("bad", t("connectionLost")));
      setTimeout(begin, 3000);
      return;
    }
  }
  if (session.role) follow(onConnection);
  draw();
}

setTheme(theme());
setLang(lang());
whenLoginNeeded(() => {
  session.role = "";
  unfollow();
  location.hash = "#login";
});
window.addEventListener("hashchange", () => draw(true));
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
begin();
