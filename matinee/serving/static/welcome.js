// Who is watching: a member by search, or somebody new who names three titles.

import * as api from "./api.js";
import { choose, setProfile } from "./choice.js";
import { element, paused } from "./element.js";
import { problem, say } from "./notice.js";
import { avatar } from "./poster.js";
import { signUp } from "./sign_up.js";

const SHOWN = 12;

const SOURCES = { hybrid: "own list", cold_member: "new", popular: "country's list", non_profiled: "not profiled" };

export function welcome(main) {
  const list = element("ul", { class: "people", role: "list" });
  const input = element("input", { type: "search", id: "member", autocomplete: "off", spellcheck: "false", placeholder: "A part of an id", oninput: paused(() => find(input, list), 150) });
  const form = element("form", { class: "ask", role: "search", "aria-label": "Members", onsubmit: (event) => {
    event.preventDefault();
    if (input.value.trim()) enter(input.value.trim(), list);
  } }, element("label", { for: "member" }, "Find a member"), input, element("button", { class: "primary" }, "Open"));
  main.replaceChildren(
    element("section", { class: "welcome", "aria-labelledby": "who-head" },
      element("p", { class: "eyebrow" }, "Every list has its reasons"),
      element("h1", { id: "who-head" }, "Who is watching?"),
      form,
      list),
    signUp());
  find(input, list);
}

async function find(input, list) {
  const text = input.value.trim();
  try {
    const { members } = await api.members(text, SHOWN);
    if (input.value.trim() !== text) return;
    list.replaceChildren(...members.map(person));
    if (text) say(members.length ? `${members.length} members` : "No member has this in the id.");
    if (!members.length) list.append(element("li", { class: "empty" }, "No member of the release has this in the id."));
  } catch (error) {
    if (error.status === 403) list.replaceChildren(element("li", { class: "empty" }, "This token opens one member: type the id, then Open."));
    else problem(error);
  }
}

function person(row) {
  const age = row.maximum_age === null ? "" : ` · up to ${row.maximum_age}`;
  return element("li", {}, element("button", { type: "button", class: "person", onclick: () => open(row) },
    avatar(row.member_id),
    element("span", { class: "person-name" }, row.member_id),
    element("span", { class: "muted" }, `${row.country ?? "country unknown"}${age} · ${SOURCES[row.source] ?? row.source}`)));
}

function open(row) {
  setProfile(row);
  choose({ view: "watch", member: row.member_id, titles: [], country: "", child: "", hour: "", day: "" }, { isNew: true });
}

async function enter(id, list) {
  try {
    setProfile(await profileOf(id));
    choose({ view: "watch", member: id, titles: [], country: "", child: "", hour: "", day: "" }, { isNew: true });
  } catch (error) {
    list.replaceChildren();
    problem(error);
  }
}

// From the list of members, or from the member's own statement where a token opens only that.
export async function profileOf(id) {
  try {
    const { members } = await api.members(id, 100);
    const row = members.find((one) => one.member_id === id);
    if (row) return row;
  } catch (error) {
    if (error.status !== 403) throw error;
  }
  const { member_id: memberId, profile } = await api.statement(id);
  return { member_id: memberId, ...profile };
}
