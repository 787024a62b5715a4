// Asks for a bearer token; servers on this machine need none.

import { element } from "./element.js";

let waiting = null;

// The token, or "" if it was not given. Requests that wait at once share one question.
export function askToken(detail, isWrong) {
  waiting ??= ask(detail, isWrong).finally(() => {
    waiting = null;
  });
  return waiting;
}

function ask(detail, isWrong) {
  return new Promise((resolve) => {
    const input = element("input", { type: "password", name: "token", autocomplete: "off", required: true, id: "token" });
    const form = element(
      "form",
      { method: "dialog", class: "stack" },
      element("h2", { id: "token-head" }, "This server needs a token"),
      element("p", {}, isWrong ? `The token was refused: ${detail}.` : `${detail}.`),
      element("label", { for: "token" }, "Token"),
      input,
      element("p", { class: "muted" }, "It is kept in this tab only, and gone when the tab is closed."),
      element("div", { class: "actions" }, element("button", { class: "primary" }, "Use the token")),
    );
    const dialog = element("dialog", { class: "small", "aria-labelledby": "token-head" }, form);
    dialog.addEventListener("close", () => {
      resolve(input.value.trim());
      dialog.remove();
    });
    dialog.addEventListener("cancel", () => {
      input.value = "";
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
