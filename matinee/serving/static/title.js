// One title in a dialog: why it is shown, or why not, what is like it, and what a member can do.

import * as api from "./api.js";
import { disclosure } from "./card.js";
import { choice, choose, profile } from "./choice.js";
import { bars, signed } from "./chart.js";
import { element, newId } from "./element.js";
import { instant } from "./moment.js";
import { problem, say } from "./notice.js";
import { poster, split } from "./poster.js";

const ABOUT_SCORE = new Set(["rank", "shelf", "gap", "outranked"]);

// A title that may not be shown cannot be played either.
const CLOSED = new Set(["retired", "embargo", "maturity", "window"]);

export function openTitle(title, onchange) {
  const head = newId("title");
  const [name, year] = split(title.name);
  const body = element("div", { class: "stack why-body", "aria-live": "polite" });
  const more = element("div", {});
  const dialog = element(
    "dialog",
    { class: "title", "aria-labelledby": head },
    element("form", { method: "dialog", class: "corner" }, element("button", { class: "quiet", "aria-label": "Close" }, "✕")),
    element("div", { class: "title-top" },
      element("div", { class: "sheet" }, poster(title), disclosure(title)),
      element("div", { class: "stack" },
        element("h2", { id: head }, name),
        element("p", { class: "muted" }, [year, title.kind === "series" ? "Series" : "Film", ...(title.genres ?? [])].filter(Boolean).join(" · ")),
        title.disclosure && element("p", { class: "muted" }, `Label: ${title.disclosure}.`),
        actions(title, () => dialog.close(), onchange),
        body)),
    more,
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  explain(title, body);
  alike(title, more, dialog, onchange);
}

async function explain(title, body) {
  const now = choice();
  if (!now.member || now.child) {
    body.replaceChildren(element("h3", {}, "Why it is here"), element("p", {}, title.reason || "It is open to this profile."));
    return;
  }
  body.replaceChildren(element("p", { class: "muted" }, "Looking up why"));
  try {
    const answer = await api.why(now.member, title.title_id, instant(now));
    body.replaceChildren(...because(answer));
    if (answer.because.some((row) => CLOSED.has(row.kind))) body.parentNode.querySelector("button.play")?.remove();
  } catch (error) {
    body.replaceChildren(element("p", {}, error.message));
  }
}

function because(answer) {
  const scored = answer.because.findIndex((row) => row.kind === "score");
  const facts = scored < 0 ? answer.because : answer.because.slice(0, scored);
  const parts = scored < 0 ? [] : answer.because.slice(scored + 1);
  const total = scored < 0 ? null : answer.because[scored].value;
  const rows = parts.map((row) => ({ name: row.text, value: row.value }));
  return [
    element("h3", {}, answer.shown ? "Why it is shown" : "Why it is not recommended"),
    element("ul", { class: "facts" }, facts.map((row) => element("li", { "data-kind": row.kind, class: ABOUT_SCORE.has(row.kind) ? "" : "rule" }, row.text))),
    rows.length > 0 && element("p", { class: "muted" }, `Its score is ${signed(total)}, the exact sum of these parts:`),
    rows.length > 0 && bars(rows),
  ].filter(Boolean);
}

function actions(title, close, onchange) {
  const now = choice();
  const act = (label, action, text, kind = "") => element("button", {
    type: "button", class: kind, onclick: async () => {
      try {
        await action();
        close();
        say(text);
        onchange();
      } catch (error) {
        close();
        problem(error);
      }
    },
  }, label);
  if (now.isSession) {
    const isIn = now.titles.includes(title.title_id);
    const titles = isIn ? now.titles.filter((one) => one !== title.title_id) : [...now.titles, title.title_id];
    return element("div", { class: "actions" }, act(isIn ? "Remove from my titles" : "I like this", async () => choose({ titles }), "Your titles changed. The page follows.", "primary"));
  }
  if (!now.member || now.child) return null;
  return element("div", { class: "actions" },
    act("Play", () => play(now.member, title.title_id), `${title.name} was played. The page follows.`, "primary play"),
    act("Not interested", () => api.notInterested(now.member, title.title_id), `${title.name} is not shown again.`));
}

// Forty minutes of it, at the time of the server: an event like those of a player.
async function play(member, titleId) {
  const numbers = crypto.getRandomValues(new Uint32Array(4));
  const answer = await api.events([{
    stream: "plays",
    event_id: `page-${[...numbers].map((one) => one.toString(16)).join("")}`,
    event_at: api.serverNow().toISOString(),
    member_id: member,
    title_id: titleId,
    watched_seconds: 2400,
    position_seconds: 2400,
    country: profile.country ?? undefined,
    utc_offset_minutes: profile.offset || undefined,
  }]);
  const [rejected] = answer.rejected;
  if (rejected) throw new Error(`The play was refused: ${rejected.column} breaks the rule ${rejected.rule}.`);
}

async function alike(title, place, dialog, onchange) {
  try {
    const { titles } = await api.similar(title.title_id, 6);
    if (!titles.length) return;
    place.append(
      element("h3", {}, "Like it"),
      element("ul", { class: "strip", role: "list" }, titles.map((one) => element("li", {},
        element("button", { type: "button", class: "card", "aria-label": one.name, onclick: () => { dialog.close(); openTitle({ ...one, reason: `Like ${title.name}` }, onchange); } },
          element("span", { class: "sheet" }, poster(one), disclosure(one)))))));
  } catch (error) {
    place.append(element("p", { class: "muted" }, error.message));
  }
}
