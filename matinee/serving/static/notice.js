// What the page says: changes politely, errors in words.

import { element } from "./element.js";

export function say(text) {
  document.getElementById("live").textContent = text;
}

export function clear() {
  document.getElementById("notice").replaceChildren();
}

const BY_STATUS = {
  403: "The token does not open this: ",
  429: "Too many requests, wait a moment: ",
};

function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(begun) ? begun : `${begun}.`;
}

export function problem(error) {
  if (error.name === "AbortError") return;
  const text = sentence(`${BY_STATUS[error.status] ?? ""}${error.message}`);
  document.getElementById("notice").replaceChildren(
    element(
      "div",
      { class: "notice" },
      element("p", {}, text),
      element("button", { class: "quiet", onclick: clear }, "Close"),
    ),
  );
}
