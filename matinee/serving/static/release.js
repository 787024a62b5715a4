// What stands behind the lists: the gate, the metrics, the exposure and the trends of the release.

import * as api from "./api.js";
import { intervals, percent, shares, trend } from "./chart.js";
import { element } from "./element.js";
import { problem } from "./notice.js";

const METRICS = ["ndcg@10", "recall@10", "session_ndcg@10"];
const ATTRIBUTES = { genre: "By genre", country: "By country of origin", language: "By language", added: "By time in the catalogue" };

export async function release(main) {
  const body = element("div", { class: "panels", "aria-busy": "true" });
  const facts = element("p", { class: "muted" }, "Opening the release");
  main.replaceChildren(element("section", { class: "plain", "aria-labelledby": "release-head" }, element("h1", { id: "release-head" }, "Behind the lists"), facts, body));
  try {
    const found = await api.release();
    facts.textContent = `${found.release_id}, as of ${found.as_of.slice(0, 10)}. ${found.evaluation ?? ""}.`;
    body.replaceChildren(
      element("div", { class: "panel-column" }, gate(found.gate), exposure(found.exposure)),
      element("div", { class: "panel-column" }, metrics(found.metrics), trends(found.trends)));
  } catch (error) {
    facts.textContent = error.status === 403 ? "These panels need a token of the scope operator." : "The release could not be read.";
    problem(error);
  }
  body.setAttribute("aria-busy", "false");
}

function panel(id, name, ...content) {
  return element("section", { class: "panel", "aria-labelledby": id }, element("h2", { id }, name), ...content);
}

function gate(rules) {
  const count = (status) => rules.filter((rule) => rule.status === status).length;
  const sum = ["PASS", "WARN", "FAIL"].filter(count).map((status) => element("span", { class: `badge ${status.toLowerCase()}` }, `${count(status)} ${status}`));
  const order = { FAIL: 0, WARN: 1, PASS: 2 };
  const sorted = [...rules].sort((one, other) => order[one.status] - order[other.status]);
  return panel("gate", "Gate", element("p", { class: "badges" }, sum),
    element("ul", { class: "rules", role: "list" }, sorted.map((rule) => element("li", {}, element("span", { class: `badge ${rule.status.toLowerCase()}` }, rule.status), element("span", {}, textOf(rule))))));
}

// Lists for right after a title have rules of their own.
function textOf(rule) {
  const text = rule.text.replaceAll("  ", " · ");
  return rule.rule.startsWith("session_") && !text.startsWith("session_") ? `Session: ${text}` : text;
}

function metrics(rows) {
  const charts = METRICS.flatMap((metric) => {
    const found = rows.filter((row) => row.metric === metric && row.mean !== null).sort((one, other) => other.mean - one.mean);
    return found.length ? [intervals(`${metric}, ${found[0].n} members, mean and interval`, found.map((row) => ({ ...row, name: row.model, isOurs: row.model === "hybrid" })))] : [];
  });
  return panel("metrics", "Metrics", ...(charts.length ? charts : [element("p", { class: "muted" }, "This release has no evaluation of its own.")]));
}

function exposure(found) {
  const facts = [
    ["Titles shown", found.titles_shown],
    ["Coverage", percent(found.coverage)],
    ["Effective titles", found.effective_titles?.toFixed(0)],
    ["Gini", found.gini?.toFixed(2)],
  ];
  const tables = Object.entries(ATTRIBUTES).map(([attribute, name]) => {
    const rows = (found.providers ?? []).filter((row) => row.attribute === attribute).slice(0, 8);
    return rows.length > 0 && element("details", { open: attribute === "genre" }, element("summary", {}, name),
      shares("Shares of the catalogue, of viewing and of what is shown", ["Catalogue", "Viewing", "Shown"], rows.map((row) => ({ name: row.value, values: [row.catalogue_ratio, row.watched_ratio, row.shown_ratio] }))));
  });
  return panel("exposure", "Exposure", element("dl", { class: "numbers" }, facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(value ?? "–"))))), ...tables.filter(Boolean));
}

function trends(found) {
  const of = (rows, key) => {
    const days = [...new Set(rows.map((row) => row.acted_on))].sort();
    const names = [...new Set(rows.map((row) => row[key]))];
    const series = names.map((name) => {
      const byDay = new Map(rows.filter((row) => row[key] === name).map((row) => [row.acted_on, row.play_count]));
      return { name, days, values: days.map((day) => byDay.get(day) ?? null) };
    });
    const total = (one) => one.values.reduce((sum, value) => sum + (value ?? 0), 0);
    return series.filter((one) => one.values.some((value) => value !== null)).sort((one, other) => total(other) - total(one));
  };
  const drawn = (rows, key, most) => element("div", { class: "trends" }, of(rows ?? [], key).slice(0, most).map((one) => trend(one.name, one.days, one.values)));
  return panel("trends", "Trends", element("p", { class: "muted" }, "Plays a day. Totals of too few members are left out."),
    element("h3", {}, "Parts of the day"), drawn(found.dayparts, "daypart", 4), element("h3", {}, "Genres"), drawn(found.genres, "genre", 8));
}
