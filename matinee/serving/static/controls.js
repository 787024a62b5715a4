// What the visitor can turn: the time, the filters, an age limit, the use of data.
// The elements stay in the document while the page changes, so a drag or a focus is never lost.

import * as api from "./api.js";
import { choose, profile } from "./choice.js";
import { element, paused, select } from "./element.js";
import { clock, days, localOf, longDate } from "./moment.js";
import { problem, say } from "./notice.js";

let catalogue = null;

export async function prepare() {
  catalogue = await api.catalogue();
}

export function controls(now, refresh) {
  const parts = [
    time(now),
    chosen(now, "day", "Day", days()),
    chosen(now, "language", "Language", [["", "Every language"], ...catalogue.languages.map((code) => [code, languageName(code)])]),
    chosen(now, "genre", "Genre", [["", "Every genre"], ...catalogue.genres.map((one) => [one, one])]),
    chosen(now, "child", now.member ? "Child profile" : "Age limit", ages(now)),
    consent(refresh),
    note(),
  ];
  return {
    node: element("section", { class: "controls", "aria-label": "Time, filters and profile" }, parts.map((part) => part.node)),
    update: (next, page) => parts.forEach((part) => part.update(next, page)),
  };
}

function ages(now) {
  const limits = catalogue.maximum_ages.filter((age) => age < 18).map((age) => [String(age), `Up to ${age}`]);
  return now.member ? [["", "Off"], ...limits] : [["", "Not said"], ...limits, ["99", "Adults"]];
}

function chosen(now, key, label, options) {
  const node = select(label, options, now[key], (value) => choose({ [key]: value }));
  const box = node.querySelector("select");
  return { node, update: (next) => { box.value = next[key]; } };
}

const move = paused((hour) => choose({ hour }), 90);

function time() {
  const out = element("output", { for: "time" });
  let last = null;
  const input = element("input", { type: "range", id: "time", min: 0, max: 23.5, step: 0.5, oninput: () => {
    name(localOf({ ...last, hour: input.value }));
    move(input.value);
  } });
  function name(local) {
    out.textContent = clock(local);
    input.setAttribute("aria-valuetext", `${clock(local)}, ${longDate(local)}`);
  }
  function update(next) {
    const local = localOf(next);
    const isMoving = last !== null && document.activeElement === input && next.hour !== "" && next.hour !== input.value;
    last = next;
    if (isMoving) return;
    input.value = String(Math.floor((local.getUTCHours() + local.getUTCMinutes() / 60) * 2) / 2);
    name(local);
  }
  return { node: element("div", { class: "field time" }, element("label", { for: "time" }, "Time of day", out), input), update };
}

function consent(refresh) {
  let member = "";
  let isOff = false;
  const button = element("button", { type: "button", role: "switch", id: "consent", class: "switch", onclick: async () => {
    button.setAttribute("aria-disabled", "true");
    try {
      await api.consent(member, isOff);
      await refresh();
      say(isOff ? "Refused. The list uses no data of the member." : "Granted. The list is personal.");
    } catch (error) {
      problem(error);
    }
    button.removeAttribute("aria-disabled");
  } }, element("span", { class: "knob", "aria-hidden": "true" }), "Personalised");
  const node = element("div", { class: "field" }, element("span", { "aria-hidden": "true" }, "Use of data"), button);
  return { node, update: (next, page) => {
    member = next.member;
    node.hidden = !member || next.child !== "" || !page;
    if (!page) return;
    isOff = page.source === "non_profiled";
    button.setAttribute("aria-checked", String(!isOff));
  } };
}

function note() {
  const node = element("p", { class: "note" });
  return { node, update: (next, page) => {
    node.textContent = noteOf(next, page);
    node.hidden = !node.textContent;
  } };
}

function noteOf(now, page) {
  const where = profile.country ? ` and ${profile.country}` : "";
  if (now.member && now.child) return `A child's page knows no member: only the age limit${where} count.`;
  if (now.member && page?.source === "non_profiled") {
    return "Refused: the list holds what is popular in the country. A grant counts at the next read; who had refused before the last night gets a list of their own from the next one.";
  }
  if (now.isSession) {
    const limit = now.child ? "" : " Without an age limit the server uses its own.";
    return `From ${now.titles.length} titles that you named, without an id. Open a title to change them.${limit}`;
  }
  return "";
}

function languageName(code) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}
