// A named row of titles. One of its titles is in the tab order; arrow keys move on.

import { card } from "./card.js";
import { element, newId, svg } from "./element.js";

const NOTES = {
  continue_watching: "Newest first",
  daypart: "Changes with the time of day",
  trending: "The last days count most",
  popular: "The same for all in this country",
};

export function shelf(row, onopen) {
  const head = newId("shelf");
  const list = element("ul", { class: "row", role: "list" },
    row.titles.map((title) => card(title, { isContinued: row.kind === "continue_watching", onopen })));
  list.querySelector("button")?.setAttribute("tabindex", "0");
  list.addEventListener("keydown", move);
  list.addEventListener("focusin", (event) => hold(list, event.target));
  const note = NOTES[row.kind];
  return element(
    "section",
    { class: "shelf", "aria-labelledby": head, "data-kind": row.kind },
    element("div", { class: "shelf-head" }, element("h2", { id: head }, row.name), note && element("p", { class: "muted" }, note), arrows(list)),
    list,
  );
}

function hold(list, button) {
  if (!button.matches("button.card")) return;
  for (const one of list.querySelectorAll("button[tabindex='0']")) one.setAttribute("tabindex", "-1");
  button.setAttribute("tabindex", "0");
}

function move(event) {
  const cards = [...event.currentTarget.querySelectorAll("button.card")];
  const place = cards.indexOf(event.target);
  const last = cards.length - 1;
  const beside = { ArrowRight: Math.min(place + 1, last), ArrowLeft: Math.max(place - 1, 0), Home: 0, End: last };
  let target = cards[beside[event.key]];
  if (event.key === "ArrowDown" || event.key === "ArrowUp") target = inRowBeside(event, place);
  if (!target) return;
  event.preventDefault();
  target.focus();
  target.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function inRowBeside(event, place) {
  const rows = [...document.querySelectorAll("ul.row")];
  const row = rows[rows.indexOf(event.currentTarget) + (event.key === "ArrowDown" ? 1 : -1)];
  const cards = row ? [...row.querySelectorAll("button.card")] : [];
  return cards[Math.min(place, cards.length - 1)];
}

// For the mouse; the keyboard has the arrow keys.
function arrows(list) {
  const one = (way, d) => element("button", { type: "button", class: "arrow", tabindex: "-1", "aria-hidden": "true", onclick: () => list.scrollBy({ left: way * list.clientWidth * 0.8 }) },
    svg("svg", { viewBox: "0 0 20 20", width: 16, height: 16 }, svg("path", { d, fill: "none", stroke: "currentColor", "stroke-width": 2.4, "stroke-linecap": "round", "stroke-linejoin": "round" })));
  return element("div", { class: "arrows" }, one(-1, "M13 3 L6 10 L13 17"), one(1, "M7 3 L14 10 L7 17"));
}
