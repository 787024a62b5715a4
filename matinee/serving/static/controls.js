// What the visitor can turn: the time, the filters, a child's profile, the use of data.

import * as api from "./api.js";
import { choose, profile } from "./choice.js";
import { element, paused, select } from "./element.js";
import { clock, days, localOf, longDate } from "./moment.js";
import { problem, say } from "./notice.js";

let catalogue = null;

export async function prepare() {
  catalogue = await api.catalogue();
}

export function controls(now, page, refresh) {
  return element("section", { class: "controls", "aria-label": "Time, filters and profile" },
    time(now),
    select("Day", days(), now.day, (day) => choose({ day })),
    select("Language", [["", "Every language"], ...catalogue.languages.map((code) => [code, languageName(code)])], now.language, (language) => choose({ language })),
    select("Genre", [["", "Every genre"], ...catalogue.genres.map((one) => [one, one])], now.genre, (genre) => choose({ genre })),
    catalogue.maximum_ages.length > 0 && select("Child profile", [["", "Off"], ...catalogue.maximum_ages.filter((age) => age < 18).map((age) => [String(age), `Up to ${age}`])], now.child, (child) => choose({ child })),
    consent(now, page, refresh),
    note(now, page));
}

const move = paused((hour) => choose({ hour }), 90);

function time(now) {
  const local = localOf(now);
  const hours = local.getUTCHours() + local.getUTCMinutes() / 60;
  const out = element("output", { for: "time" }, clock(local));
  const input = element("input", {
    type: "range", id: "time", min: 0, max: 23.5, step: 0.5, "aria-valuetext": `${clock(local)}, ${longDate(local)}`,
    oninput: (event) => {
      const chosen = localOf({ ...now, hour: event.target.value });
      out.textContent = clock(chosen);
      input.setAttribute("aria-valuetext", `${clock(chosen)}, ${longDate(chosen)}`);
      move(event.target.value);
    },
  });
  input.value = String(Math.floor(hours * 2) / 2);
  return element("div", { class: "field time" }, element("label", { for: "time" }, "Time of day", out), input);
}

function consent(now, page, refresh) {
  if (!now.member || now.child || !page) return null;
  const isOff = page.source === "non_profiled";
  const button = element("button", {
    type: "button", role: "switch", id: "consent", class: "switch", "aria-checked": String(!isOff),
    onclick: async () => {
      button.disabled = true;
      try {
        await api.consent(now.member, isOff);
        say(isOff ? "Personalisation is granted." : "Personalisation is refused. The list uses no data of the member.");
        await refresh();
      } catch (error) {
        problem(error);
        button.disabled = false;
      }
    },
  }, element("span", { class: "knob", "aria-hidden": "true" }), "Personalised");
  return element("div", { class: "field" }, element("span", { "aria-hidden": "true" }, "Use of data"), button);
}

function note(now, page) {
  let text = "";
  if (now.child) text = `A child's page knows no member: only the age limit${profile.country ? ` and ${profile.country}` : ""} count.`;
  else if (now.member && page?.source === "non_profiled") text = "Refused: the list holds what is popular in the country. A grant counts at once, or from the next night for who had refused before it.";
  else if (now.isSession) text = `From ${now.titles.length} titles that you named, without an id. Open a title to change them.`;
  return text ? element("p", { class: "note" }, text) : null;
}

function languageName(code) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}
