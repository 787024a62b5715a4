// Requests to the API of this origin. A token, where one is needed, lives as long as the tab.

import { askToken } from "./token.js";

const KEY = "matinee.token";

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function send(path, body, signal) {
  const headers = {};
  const token = sessionStorage.getItem(KEY);
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The server does not answer. Is `matinee serve` running?");
  }
}

async function request(path, body, signal) {
  let answer = await send(path, body, signal);
  while (answer.status === 401) {
    const { detail } = await answer.json();
    const token = await askToken(detail, sessionStorage.getItem(KEY) !== null);
    if (!token) throw new Problem(401, "Without a token this server shows no data.");
    sessionStorage.setItem(KEY, token);
    answer = await send(path, body, signal);
  }
  const text = await answer.text();
  const document = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Problem(answer.status, document?.detail ?? `The server answered ${answer.status}.`);
  return document;
}

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

const id = encodeURIComponent;

export const members = (q, limit) => request(`/v1/members${query({ q, limit })}`);
export const statement = (member) => request(`/v1/members/${id(member)}/statement`);
export const page = (member, filters, signal) => request(`/v1/members/${id(member)}/page${query(filters)}`, undefined, signal);
export const next = (pageId) => request(`/v1/pages/${id(pageId)}/next`);
export const slate = (member, filters) => request(`/v1/members/${id(member)}/slate${query(filters)}`);
export const why = (member, title, at) => request(`/v1/members/${id(member)}/why/${id(title)}${query({ at })}`);
export const similar = (title, k) => request(`/v1/titles/${id(title)}/similar${query({ k })}`);
export const search = (values, signal) => request(`/v1/search${query(values)}`, undefined, signal);
export const sessionPage = (body, filters, signal) => request(`/v1/session/page${query(filters)}`, body, signal);
export const consent = (member, granted) => request(`/v1/members/${id(member)}/consent`, { purpose: "personalisation", granted });
export const notInterested = (member, title) => request(`/v1/members/${id(member)}/not-interested`, { title_id: title });
export const events = (rows) => request("/v1/events", rows);
export const release = () => request("/v1/releases/current");

let known = null;
let askedAt = 0;

// What filters can be, once; the clock of the server goes on here.
export async function catalogue() {
  if (!known) {
    known = await request("/v1/catalogue");
    askedAt = performance.now();
  }
  return known;
}

export function serverNow() {
  return new Date(Date.parse(known.now) + performance.now() - askedAt);
}
