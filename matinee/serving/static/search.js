// Search of titles in the head of the page; a result says why it is shown, or why not.

import * as api from "./api.js";
import { choice } from "./choice.js";
import { element, paused } from "./element.js";
import { instant } from "./moment.js";
import { say } from "./notice.js";
import { poster, split } from "./poster.js";
import { openTitle } from "./title.js";

let running = null;

export function search(place, onchange) {
  const list = element("ul", { id: "found", role: "listbox", class: "found", "aria-label": "Titles found", hidden: true });
  const input = element("input", {
    type: "search", id: "q", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: "Any title: why, or why not?",
    "aria-label": "Search titles", "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list",
    oninput: paused(() => find(input, list, open), 140),
  });
  input.addEventListener("keydown", (event) => keys(event, input, list));
  input.addEventListener("blur", () => setTimeout(() => shut(input, list), 150));
  place.append(input, list);

  function open(title) {
    input.value = "";
    shut(input, list);
    openTitle(title, onchange);
  }
}

async function find(input, list, open) {
  const text = input.value.trim();
  running?.abort();
  if (!text) {
    shut(input, list);
    return;
  }
  running = new AbortController();
  const now = choice();
  const isPersonal = now.member && !now.child;
  try {
    // Without the member too: titles that they may not be shown are what "why not" is about.
    const values = { q: text, k: 8 };
    const own = isPersonal ? (await api.search({ ...values, member_id: now.member, at: instant(now) }, running.signal)).titles : [];
    const all = (await api.search(values, running.signal)).titles;
    const known = new Set(own.map((one) => one.title_id));
    const titles = [...own, ...all.filter((one) => !known.has(one.title_id))].slice(0, 8);
    list.replaceChildren(...titles.map((title, place) => option(title, place, open)));
    if (!titles.length) list.append(element("li", { class: "empty", role: "option", "aria-disabled": "true" }, "No title is like this."));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
    say(`${titles.length} titles found.`);
  } catch (error) {
    if (error.name === "AbortError") return;
    list.replaceChildren(element("li", { class: "empty", role: "option", "aria-disabled": "true" }, error.message));
    list.hidden = false;
  }
}

function option(title, place, open) {
  const [name, year] = split(title.name);
  const item = element("li", { role: "option", id: `found-${place}`, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); open(title); } },
    element("span", { class: "thumb" }, poster(title)),
    element("span", {}, element("strong", {}, name), element("span", { class: "muted" }, [year, ...(title.genres ?? []).slice(0, 2)].filter(Boolean).join(" · "))));
  item.addEventListener("choose", () => open(title));
  return item;
}

function keys(event, input, list) {
  if (event.key === "Escape") shut(input, list);
  const options = [...list.querySelectorAll("[aria-selected]")];
  if (list.hidden || !options.length) return;
  const place = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    const target = options[(place + step + options.length + (place < 0 && step < 0 ? 1 : 0)) % options.length];
    for (const one of options) one.setAttribute("aria-selected", String(one === target));
    input.setAttribute("aria-activedescendant", target.id);
    target.scrollIntoView({ block: "nearest" });
  }
  if (event.key === "Enter") {
    event.preventDefault();
    options[Math.max(place, 0)].dispatchEvent(new Event("choose"));
  }
}

function shut(input, list) {
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}
