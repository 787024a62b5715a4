// One title of a shelf: a poster that is a button, its label and its reason.

import { element, hidden, newId } from "./element.js";
import { poster, split } from "./poster.js";

const PROGRESS = /(\d+) % watched/;

// The label of what was made with AI is text of the page, and always there.
export function disclosure(title) {
  return title.disclosure ? element("span", { class: "label" }, title.disclosure) : null;
}

export function card(title, { isContinued = false, onopen }) {
  const reason = newId("reason");
  const [name, year] = split(title.name);
  const watched = isContinued ? PROGRESS.exec(title.reason) : null;
  const button = element(
    "button",
    { class: "card", type: "button", "aria-describedby": reason, "aria-haspopup": "dialog", tabindex: "-1", "data-title": title.title_id, onclick: () => onopen(title, button) },
    element("span", { class: "sheet" }, poster(title), disclosure(title), watched && bar(watched[1])),
    hidden(year ? `${name}, ${year}` : name),
  );
  const text = element("span", { class: "reason", id: reason },
    element("span", { class: "why" }, title.reason),
    element("span", { class: "genres" }, [title.kind === "series" ? "Series" : "", ...(title.genres ?? []).slice(0, 3)].filter(Boolean).join(" · ")));
  return element("li", {}, button, text);
}

function bar(percent) {
  const inner = element("span", { class: "bar-done" });
  inner.style.width = `${percent}%`;
  return element("span", { class: "bar", "aria-hidden": "true" }, inner);
}
