// SPDX-License-Identifier: AGPL-3.0-or-later
// Who looks at the page, and what they may do.
import {get, post, remove, setCsrf} from "./api.js";

const RIGHTS = {
  viewer: [], operator: ["operate"], archivist: ["archive", "prove"], auditor: ["audit", "prove"],
  administrator: ["operate", "archive", "prove", "audit", "administer"],
};

export const session = {
  name: "", role: "", units: [],
  may: (right) => (RIGHTS[session.role] ?? []).includes(right),
};

function take(said) {
  Object.assign(session, {name: said.name, role: said.role, units: said.units});
  setCsrf(said.csrf);
}

export const open = async () => take(await get("session"));
export const login = async (name, password) => take(await post("session", {name, password}));
export async function logout() {
  await remove("session");
  setCsrf(null);
}
