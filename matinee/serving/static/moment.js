// The member's local time, and the instant that it stands for.

import { serverNow } from "./api.js";
import { profile } from "./choice.js";

const DAY = 86_400_000;

// The local clock as if it were UTC.
export function localNow() {
  return new Date(serverNow().getTime() + profile.offset * 60_000);
}

export function localOf(choice) {
  const now = localNow();
  const midnight = Math.floor(now.getTime() / DAY) * DAY;
  const hour = choice.hour === "" ? now.getUTCHours() + now.getUTCMinutes() / 60 : Number(choice.hour);
  return new Date(midnight + Number(choice.day || 0) * DAY + hour * 3_600_000);
}

// `at` of a request; null stands for the server's own clock.
export function instant(choice) {
  if (choice.hour === "" && choice.day === "") return null;
  return new Date(localOf(choice).getTime() - profile.offset * 60_000).toISOString().replace(/\.\d+Z$/, "Z");
}

const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const CLOCK = format({ hour: "2-digit", minute: "2-digit" });
const DATE = format({ weekday: "long", day: "numeric", month: "long" });

export const clock = (date) => CLOCK.format(date);
export const longDate = (date) => DATE.format(date);

export function days() {
  const now = localNow().getTime();
  const name = (place) => (place === 0 ? "Today" : longDate(new Date(now + place * DAY)));
  return [0, 1, 2, 3, 4, 5, 6].map((place) => [place ? String(place) : "", name(place)]);
}

export function greeting(date) {
  const hour = date.getUTCHours();
  if (hour >= 5 && hour < 12) return "Good morning";
  if (hour >= 12 && hour < 17) return "Good afternoon";
  return hour >= 17 && hour < 22 ? "Good evening" : "Up late";
}

export function partOfDay(date) {
  const hour = date.getUTCHours();
  if (hour >= 5 && hour < 12) return "morning";
  if (hour >= 12 && hour < 17) return "afternoon";
  return hour >= 17 && hour < 22 ? "evening" : "night";
}
