// The list of a member by two releases, side by side.

import * as api from "./api.js";
import { disclosure } from "./card.js";
import { element } from "./element.js";
import { instant } from "./moment.js";
import { problem, say } from "./notice.js";
import { poster, split } from "./poster.js";
import { openTitle } from "./title.js";

const PLACES = 20;

export async function compare(main, now) {
  const body = element("div", { class: "two", "aria-busy": "true" });
  main.replaceChildren(element("section", { class: "plain", "aria-labelledby": "compare-head" },
    element("h1", { id: "compare-head" }, "Two releases side by side"),
    element("p", { class: "muted" }, now.member ? `The first ${PLACES} titles of ${now.member}, by the previous release and by the live one.` : "Choose a member first."),
    now.member ? body : element("p", {}, element("a", { class: "button", href: "#view=welcome" }, "Choose a member"))));
  if (!now.member) return;
  const of = (release) => api.slate(now.member, { release, at: instant(now), k: PLACES });
  try {
    const [before, live] = await Promise.all([of("previous"), of("live")]);
    const places = (list) => new Map(list.titles.map((one, place) => [one.title_id, place]));
    body.replaceChildren(
      column("Previous", before, (title) => leaving(title, places(live)), main, now),
      column("Live", live, (title, place) => moved(title, place, places(before)), main, now));
    const stay = live.titles.filter((one) => places(before).has(one.title_id)).length;
    main.querySelector("p.muted").append(` ${stay} of ${live.titles.length} titles are on both.`);
    say(`${stay} of ${live.titles.length} titles are on both lists.`);
  } catch (error) {
    body.replaceChildren(element("p", {}, error.status === 404 ? "There are not two releases to compare yet: run a second night." : ""));
    problem(error);
  }
  body.setAttribute("aria-busy", "false");
}

function moved(title, place, before) {
  const was = before.get(title.title_id);
  if (was === undefined) return ["new", "New"];
  if (was === place) return ["same", "Same place"];
  return was > place ? ["rose", `▲ ${was - place}`] : ["fell", `▼ ${place - was}`];
}

function leaving(title, live) {
  return live.has(title.title_id) ? ["same", `Now ${live.get(title.title_id) + 1}`] : ["gone", "Left"];
}

function column(name, list, change, main, now) {
  const refresh = () => compare(main, now);
  return element("section", { class: "column", "aria-labelledby": `column-${name}` },
    element("h2", { id: `column-${name}` }, name),
    element("p", { class: "muted mono" }, list.release_id),
    element("p", { class: "muted" }, `Source: ${list.source}`),
    element("ol", { class: "ranked" }, list.titles.map((title, place) => {
      const [kind, text] = change(title, place);
      const [plain, year] = split(title.name);
      return element("li", {}, element("button", { type: "button", class: "ranked-title", onclick: () => openTitle(title, refresh) },
        element("span", { class: "rank" }, String(place + 1)),
        element("span", { class: "thumb" }, poster(title)),
        element("span", { class: "ranked-text" }, element("strong", {}, plain, " ", element("span", { class: "muted" }, year)), element("span", { class: "muted" }, title.reason), disclosure(title)),
        element("span", { class: `change ${kind}` }, text)));
    })));
}
