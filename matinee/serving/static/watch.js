// The page of a member, or of somebody who named titles: controls, one large title, shelves.

import * as api from "./api.js";
import { disclosure } from "./card.js";
import { choice, profile } from "./choice.js";
import { controls } from "./controls.js";
import { element, newId } from "./element.js";
import { clock, greeting, instant, localOf, longDate, partOfDay } from "./moment.js";
import { clear, problem, say } from "./notice.js";
import { art, poster, split } from "./poster.js";
import { shelf } from "./shelf.js";
import { openTitle } from "./title.js";

const SOURCES = {
  hybrid: "Made for this member",
  cold_member: "First picks for a new member",
  popular: "Popular in the country",
  non_profiled: "Not profiled: no data of the member is used",
};

function sourceOf(now, page) {
  if (!now.member && page.source === "hybrid") return "Made from the titles that you named";
  if (!now.member && page.source === "non_profiled") return "Not profiled: popular in the country";
  const text = SOURCES[page.source] ?? `List: ${page.source}`;
  return page.context === "session" ? `${text} · active now` : text;
}

let running = null;

export function watch(main) {
  const top = element("div", { class: "hero-place" });
  const shelves = element("div", { class: "shelves", "aria-busy": "true" });
  const view = { top, shelves, refresh: () => load(view) };
  view.controls = controls(choice(), view.refresh);
  view.controls.update(choice(), null);
  main.replaceChildren(top, view.controls.node, shelves);
  load(view);
  return (now) => now.view === "watch" && load(view);
}

function ask(now, signal) {
  const filters = { at: instant(now), language: now.language, genre: now.genre };
  if (now.member && !now.child) return api.page(now.member, filters, signal);
  const body = { titles: now.isSession ? now.titles : [] };
  const country = now.country || profile.country;
  if (country) body.country = country;
  if (now.child) body.maximum_age = Number(now.child);
  return api.sessionPage(body, filters, signal);
}

async function load(view) {
  running?.abort();
  running = new AbortController();
  const now = choice();
  const { signal } = running;
  view.shelves.setAttribute("aria-busy", "true");
  try {
    const page = await ask(now, signal);
    clear();
    show(view, now, page);
  } catch (error) {
    if (error.name === "AbortError") return;
    view.top.replaceChildren();
    view.shelves.replaceChildren();
    problem(error);
  }
  view.shelves.setAttribute("aria-busy", "false");
}

function show(view, now, page) {
  const held = document.activeElement;
  const isHeld = view.top.contains(held) || view.shelves.contains(held);
  const open = (title) => openTitle(title, view.refresh);
  document.getElementById("release").textContent = `This one is ${page.release_id}.`;
  view.top.replaceChildren(hero(now, page, open));
  view.controls.update(now, page);
  const rows = page.shelves.map((row) => shelf(row, open));
  view.shelves.replaceChildren(...(rows.length ? rows : [nothing(now)]));
  if (rows.length) view.shelves.append(more(page, open));
  if (isHeld) again(view, held).focus({ preventScroll: true });
  const names = page.shelves.map((row) => row.name);
  say(names.length ? `${names.length} shelves: ${names.join(", ")}. ${sourceOf(now, page)}.` : "No shelves.");
}

// Where the focus goes when what had it is drawn again, or is gone.
function again(view, held) {
  if (held.id) return document.getElementById(held.id) ?? document.getElementById("main");
  const title = held.dataset.title ?? "";
  return view.shelves.querySelector(`[data-title="${CSS.escape(title)}"]`) ?? view.shelves.querySelector("button.card") ?? document.getElementById("main");
}

function hero(now, page, open) {
  const row = page.shelves.find((one) => one.kind !== "continue_watching");
  const local = localOf(now);
  const eyebrow = `${greeting(local)} · ${longDate(local)}, ${clock(local)}`;
  const head = newId("hero");
  const source = element("p", { class: "source", "data-source": page.source },
    `${sourceOf(now, page)}${page.degraded ? " · from the previous release, because the live one does not verify" : ""}`);
  if (!row) {
    return element("section", { class: "hero bare", "data-part": partOfDay(local), "aria-labelledby": head },
      element("div", { class: "hero-text" }, element("p", { class: "eyebrow" }, eyebrow), element("h1", { id: head }, "Nothing to show"), source));
  }
  const [title] = row.titles;
  const [name, year] = split(title.name);
  return element("section", { class: "hero", "data-part": partOfDay(local), "aria-labelledby": head },
    art(title, { class: "hero-art" }),
    element("div", { class: "hero-shade" }),
    element("div", { class: "hero-text" },
      element("p", { class: "eyebrow" }, eyebrow),
      element("h1", { id: head }, name),
      element("p", { class: "hero-facts" }, [year, title.kind === "series" ? "Series" : "Film", ...(title.genres ?? []).slice(0, 4)].filter(Boolean).join(" · ")),
      element("p", { class: "hero-reason" }, row.name === title.reason ? row.name : `${row.name}: ${title.reason}`),
      element("div", { class: "actions" }, element("button", { type: "button", id: "hero-why", class: "primary", "aria-haspopup": "dialog", onclick: () => open(title) }, "Why this title?")),
      source),
    element("div", { class: "hero-poster sheet" }, poster(title), disclosure(title)));
}

function nothing(now) {
  const reasons = [now.language && "language", now.genre && "genre", now.child && "age limit"].filter(Boolean);
  return element("p", { class: "empty" }, reasons.length
    ? `No shelf has three titles with this ${reasons.join(" and ")}. Choose another.`
    : "No title may be shown to this member now.");
}

function more(page, open) {
  let pageId = page.page_id;
  const button = element("button", { type: "button", class: "more", onclick: async () => {
    button.disabled = true;
    try {
      const next = await api.next(pageId);
      pageId = next.page_id;
      const rows = next.shelves.map((row) => shelf(row, open));
      button.before(...rows);
      say(rows.length ? `${rows.length} more shelves.` : "That was all.");
      rows[0]?.querySelector("button.card")?.focus();
      if (rows.length < page.shelves.length) button.replaceWith(element("p", { class: "end muted" }, "That was all for now."));
    } catch (error) {
      problem(error);
    }
    button.disabled = false;
  } }, "Show more shelves");
  return button;
}
