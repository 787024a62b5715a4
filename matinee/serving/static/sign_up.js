// A page without an id: three titles, and perhaps a country.

import * as api from "./api.js";
import { choose } from "./choice.js";
import { disclosure } from "./card.js";
import { element, hidden, paused, select } from "./element.js";
import { problem, say } from "./notice.js";
import { poster } from "./poster.js";

const LEAST = 3;
const OFFERED = 24;

export function signUp() {
  const picked = new Map();
  const status = element("p", { id: "picked", class: "picked", "aria-live": "polite" });
  const go = element("button", { type: "button", class: "primary", onclick: () => start(picked, country) }, "Show my page");
  const grid = element("ul", { class: "grid", role: "list" });
  const choices = element("div", { class: "pick-bar" });
  const foot = element("div", { class: "pick-foot" }, status, go);
  let country = "";
  const input = element("input", { type: "search", id: "pick", autocomplete: "off", placeholder: "Name, person, genre", oninput: paused(() => offer(input.value.trim()), 180) });

  function count() {
    const left = LEAST - picked.size;
    go.disabled = left > 0;
    foot.classList.toggle("follows", picked.size > 0);
    status.textContent = left > 0 ? `${picked.size} of ${LEAST} chosen` : `${picked.size} chosen: your page is ready`;
  }

  function toggle(title, button) {
    if (picked.has(title.title_id)) picked.delete(title.title_id);
    else picked.set(title.title_id, title);
    button.setAttribute("aria-pressed", String(picked.has(title.title_id)));
    count();
  }

  async function offer(text) {
    try {
      const found = text
        ? (await api.search({ q: text, k: OFFERED })).titles
        : (await api.sessionPage({ titles: [] }, {})).shelves.flatMap((row) => row.titles).slice(0, OFFERED);
      if (input.value.trim() !== text) return;
      const kept = [...picked.values()].filter((one) => !found.some((other) => other.title_id === one.title_id));
      grid.replaceChildren(...[...kept, ...found].map(tile));
      if (text) say(`${found.length} titles found.`);
    } catch (error) {
      problem(error);
    }
  }

  function tile(title) {
    const button = element("button", { type: "button", class: "card tile", "aria-pressed": String(picked.has(title.title_id)), onclick: () => toggle(title, button) },
      element("span", { class: "sheet" }, poster(title), disclosure(title), element("span", { class: "tick", "aria-hidden": "true" }, "✓")), hidden(title.name));
    return element("li", {}, button);
  }

  async function countries() {
    try {
      const known = await api.catalogue();
      choices.append(select("Country", [["", "Not said"], ...known.countries.map((one) => [one, one])], "", (value) => { country = value; }));
    } catch (error) {
      problem(error);
    }
  }

  count();
  countries();
  offer("");
  choices.append(element("div", { class: "field wide" }, element("label", { for: "pick" }, "Look for a title"), input));
  return element("section", { class: "sign-up", "aria-labelledby": "new-head" },
    element("h2", { id: "new-head" }, "New here? Choose three titles you like"),
    element("p", { class: "muted" }, "Your page follows from them at once. Nothing is stored: no id, no account."),
    choices, grid, foot);
}

function start(picked, country) {
  choose({ view: "watch", member: "", titles: [...picked.keys()], country, child: "", hour: "", day: "" }, { isNew: true });
}
