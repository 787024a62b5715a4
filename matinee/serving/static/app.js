// Brings the views together: the address says which of them is shown, and for whom.

import { address, choice, choose, onChoice, profile, setProfile } from "./choice.js";
import { prepare } from "./controls.js";
import { clear, problem } from "./notice.js";
import { avatar } from "./poster.js";
import { search } from "./search.js";
import { watch } from "./watch.js";
import { profileOf, welcome } from "./welcome.js";

const main = document.getElementById("main");

let shown = "";
let update = () => {};

async function show(now) {
  head(now);
  if (now.member && profile.memberId !== now.member) setProfile(await profileOf(now.member));
  if (!now.member) setProfile({ member_id: null, country: now.country, utc_offset_minutes: 0, maximum_age: null });
  const view = now.view === "watch" && !now.isChosen ? "welcome" : now.view;
  const key = view === "watch" ? "watch" : `${view} ${now.member}`;
  if (key === shown) {
    update(now);
    return;
  }
  const isFirst = shown === "";
  shown = key;
  clear();
  update = () => {};
  if (view === "watch") update = watch(main);
  else if (view === "compare") (await import("./compare.js")).compare(main, now);
  else if (view === "release") (await import("./release.js")).release(main);
  else welcome(main);
  if (!isFirst) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

function head(now) {
  for (const link of document.querySelectorAll("nav a")) {
    link.href = address({ view: link.dataset.view });
    if (link.dataset.view === now.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const who = document.getElementById("who");
  who.href = address({ view: "welcome" });
  const name = now.member || (now.isSession ? "Your titles" : "Choose a member");
  who.replaceChildren(...(now.isChosen ? [avatar(name)] : []), name);
  document.title = now.isChosen ? `${name} · matinee` : "matinee";
}

async function start() {
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  try {
    await prepare();
    search(document.getElementById("find"), () => update(choice()));
    onChoice((now) => show(now).catch(failed));
    await show(choice());
  } catch (error) {
    failed(error);
  }
}

function failed(error) {
  if (error.status === 404 && choice().member) {
    choose({ view: "welcome", member: "" });
  }
  main.querySelector(".loading")?.remove();
  problem(error);
}

start();
