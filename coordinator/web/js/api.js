// SPDX-License-Identifier: AGPL-3.0-or-later
// The one way to the API. An error is an ApiError with what the coordinator said.

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.code = problem.code ?? "";
  }
}

let csrf = null;
let onLogin = () => {};

export function whenLoginNeeded(callback) {
  onLogin = callback;
}

export function setCsrf(token) {
  csrf = token;
}

async function call(method, path, body, type = "application/json") {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = type;
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  const text = body === undefined ? undefined : type === "application/json" ? JSON.stringify(body) : body;
  const answer = await fetch(`api/v1/${path}`, {method, headers, body: text, credentials: "same-origin"});
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  if (answer.status === 401 && path !== "session") onLogin();
  throw new ApiError(answer.status, problem);
}

export const get = async (path) => (await call("GET", path)).json();
export const getText = async (path) => (await call("GET", path)).text();
export const post = async (path, body = {}) => (await call("POST", path, body)).json();
export const postCsv = async (path, text) => (await call("POST", path, text, "text/csv")).json();
export const remove = async (path) => (await call("DELETE", path)).json();

/** "?a=1&b=2" of what is not empty. */
export function query(values) {
  const some = Object.entries(values).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  return some.length ? "?" + new URLSearchParams(some) : "";
}
