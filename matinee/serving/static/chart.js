// Charts as SVG, each with its numbers in words.

import { element, svg } from "./element.js";

// Signed parts of a sum, from a middle line.
export function bars(rows) {
  const most = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-9);
  return element("table", { class: "bars" },
    element("caption", { class: "hidden" }, "Parts of the score"),
    element("tbody", {}, rows.map((row) => {
      const width = (Math.abs(row.value) / most) * 49;
      const isUp = row.value >= 0;
      return element("tr", {},
        element("th", { scope: "row" }, row.name),
        element("td", { class: "drawn" }, svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
          svg("rect", { x: 49.6, y: 0, width: 0.8, height: 10, class: "axis" }),
          svg("rect", { x: isUp ? 50 : 50 - width, y: 1.5, width, height: 7, class: isUp ? "up" : "down" }))),
        element("td", { class: "number" }, signed(row.value)));
    })));
}

export const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
export const percent = (ratio) => (ratio === null || ratio === undefined ? "–" : `${(ratio * 100).toFixed(1)} %`);

// Several shares side by side for each group.
export function shares(caption, names, rows) {
  const most = Math.max(...rows.flatMap((row) => row.values), 1e-9);
  return element("table", { class: "bars shares" },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Group"), names.map((name, place) => element("th", { scope: "col" }, element("span", { class: `key key-${place}` }), name)))),
    element("tbody", {}, rows.map((row) => element("tr", {},
      element("th", { scope: "row" }, row.name),
      row.values.map((value, place) => element("td", {},
        svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { width: (value / most) * 100, height: 8, class: `fill-${place}` })),
        element("span", { class: "number" }, percent(value))))))));
}

// A mean with its interval, on one scale for all rows.
export function intervals(caption, rows) {
  const low = Math.min(0, ...rows.map((row) => row.low ?? row.mean));
  const high = Math.max(...rows.map((row) => row.high ?? row.mean), 1e-9);
  const place = (value) => ((value - low) / (high - low)) * 100;
  return element("table", { class: "bars intervals" },
    element("caption", {}, caption),
    element("tbody", {}, rows.map((row) => element("tr", { class: row.isOurs ? "ours" : "" },
      element("th", { scope: "row" }, row.name),
      element("td", { class: "drawn" }, svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
        svg("rect", { x: place(row.low ?? row.mean), y: 4, width: Math.max(0.4, place(row.high ?? row.mean) - place(row.low ?? row.mean)), height: 2, class: "axis" }),
        svg("rect", { x: place(row.mean) - 0.8, y: 0, width: 1.6, height: 10, class: row.isOurs ? "up" : "mark" }))),
      element("td", { class: "number" }, row.mean.toFixed(3))))));
}

// A line over days; days without a value leave a gap.
export function trend(name, days, values) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(...known, 1);
  const x = (place) => (days.length > 1 ? (place / (days.length - 1)) * 196 + 2 : 100);
  const y = (value) => 46 - (value / most) * 42;
  let d = "";
  values.forEach((value, place) => {
    if (value === null) return;
    d += `${place && values[place - 1] !== null ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  const last = known.at(-1) ?? 0;
  const summary = `${name}: ${known.length} of ${days.length} days known, ${Math.min(...known, most)} to ${most} plays a day, ${last} on the last`;
  return element("figure", { class: "trend" },
    svg("svg", { viewBox: "0 0 200 50", role: "img", "aria-label": summary },
      svg("path", { d, class: "line" }),
      values.map((value, place) => value !== null && svg("circle", { cx: x(place), cy: y(value), r: 2, class: "dot" }))),
    element("figcaption", {}, element("strong", {}, name), ` ${last} plays on the last known day, ${most} at most`));
}
