// What the visitor chose. It is kept behind the # of the address, which no server is sent.

const KEYS = ["view", "member", "titles", "country", "child", "day", "hour", "language", "genre"];

const listeners = [];

export function choice() {
  const given = new URLSearchParams(location.hash.slice(1));
  const found = Object.fromEntries(KEYS.map((key) => [key, given.get(key) ?? ""]));
  found.titles = found.titles ? found.titles.split(" ") : [];
  found.isSession = !found.member && found.titles.length > 0;
  found.isChosen = Boolean(found.member) || found.isSession;
  found.view ||= found.isChosen ? "watch" : "welcome";
  return found;
}

// The address of a choice that differs in some values.
export function address(changes) {
  const { isSession, isChosen, ...now } = choice();
  const next = { ...now, ...changes };
  next.titles = next.titles.join(" ");
  const given = Object.entries(next).filter(([, value]) => value !== "" && value !== null);
  return `#${new URLSearchParams(given)}`;
}

// Changes of the moment and the filters are no new entry of the history.
export function choose(changes, { isNew = false } = {}) {
  const target = address(changes);
  if (target === location.hash) return;
  history[isNew ? "pushState" : "replaceState"](null, "", target);
  tell();
}

export function onChoice(listener) {
  listeners.push(listener);
}

function tell() {
  for (const listener of listeners) listener(choice());
}

addEventListener("popstate", tell);

// The country and the clock of the member that is shown; the lists say them.
export const profile = { memberId: null, country: null, offset: 0, maximumAge: null };

export function setProfile(row) {
  Object.assign(profile, {
    memberId: row.member_id,
    country: row.country,
    offset: row.utc_offset_minutes ?? 0,
    maximumAge: row.maximum_age,
  });
}
