// What the page says: changes politely, errors in words.

import { element } from "./element.js";

export function say(text) {
  document.getElementById("live").textContent = text;
}

export function clear() {
  document.getElementById("notice").replaceChildren();
}

const BY_STATUS = {
  403: "The token does not open this.",
  404: "It is not here.",
  429: "Too many requests: wait a moment.",
};

export function problem(error) {
  if (error.name === "AbortError") return;
  const lead = BY_STATUS[error.status] ?? "";
  const text = `${lead} ${error.message}`.trim();
  document.getElementById("notice").replaceChildren(
    element(
      "div",
      { class: "notice" },
      element("p", {}, text.endsWith(".") || text.endsWith("?") ? text : `${text}.`),
      element("button", { class: "quiet", onclick: clear }, "Close"),
    ),
  );
}
