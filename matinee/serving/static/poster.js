// A poster drawn from a title's id, name, year and genres.

import { newId, svg } from "./element.js";
import { GENRES } from "./motifs.js";

const WIDTH = 200;
const HEIGHT = 300;
const FACES = ["face-serif", "face-sans", "face-narrow", "face-wide"];

// Numbers from 0 to 1 that follow from a text (FNV-1a, then mulberry32).
function drawOf(text) {
  let state = 2166136261;
  for (const unit of text) state = Math.imul(state ^ unit.codePointAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

// "Jaws (1975)" -> ["Jaws", "1975"].
export function split(name) {
  const found = /^(.*?)\s*\((\d{4})\)$/.exec(name);
  return found ? [found[1], found[2]] : [name, ""];
}

function motifOf(title, draw) {
  const own = GENRES.filter(([genre]) => title.genres?.includes(genre));
  const among = own.length ? own.slice(0, 4) : GENRES;
  return among[Math.floor(draw() ** 1.5 * among.length)];
}

function paletteOf(hue, accent, draw) {
  const turn = draw() * 44 - 22;
  const tone = (h, s, l) => `hsl(${Math.round(h + turn + 360) % 360} ${s}% ${l}%)`;
  const isPale = draw() > 0.72;
  return {
    sheet: isPale ? tone(hue, 46, 78) : tone(hue, 52, 22 + draw() * 8),
    deep: tone(hue, 58, isPale ? 32 : 13),
    mid: tone(hue, 48, 44),
    accent: tone(accent, 76, 56),
    light: tone(accent, 72, isPale ? 94 : 84),
    shade: tone(hue, 60, 8),
  };
}

// The drawing of a title, some of them mirrored, nearer or farther.
function drawing(motif, draw, palette) {
  const side = draw() > 0.5 ? -1 : 1;
  const near = 0.94 + draw() * 0.4;
  const more = { transform: `translate(100 125) scale(${(side * near).toFixed(3)} ${near.toFixed(3)}) translate(-100 -125)` };
  return svg("g", more, motif(draw, palette));
}

function linesOf(text, most) {
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && (last.length + word.length + 1 <= most)) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

// The largest size at which a name fits.
function setting(name, width) {
  for (const size of [36, 31, 27, 23, 20, 17, 15]) {
    const most = Math.floor(172 / (size * width));
    const lines = linesOf(name, most);
    if (lines.length * size <= 118 && lines.every((one) => one.length <= most)) return { size, lines };
  }
  const lines = linesOf(name, 20).slice(0, 6);
  return { size: 14, lines: lines.map((one) => (one.length > 20 ? `${one.slice(0, 19)}…` : one)) };
}

// The drawing without words, as a background of any shape.
export function art(title, attributes = {}) {
  const draw = drawOf(title.title_id);
  const [, motif, hue, accent] = motifOf(title, draw);
  const palette = paletteOf(hue, accent, draw);
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true", ...attributes },
    svg("rect", { width: WIDTH, height: HEIGHT, fill: palette.sheet }),
    drawing(motif, draw, palette),
  );
}

export function poster(title, attributes = {}) {
  const draw = drawOf(title.title_id);
  const [genre, motif, hue, accent] = motifOf(title, draw);
  const palette = paletteOf(hue, accent, draw);
  const [name, year] = split(title.name);
  const face = FACES[Math.floor(draw() * FACES.length)];
  const isWide = face === "face-wide";
  const words = isWide ? name.toUpperCase() : name;
  const { size, lines } = setting(words, { "face-narrow": 0.48, "face-wide": 0.7, "face-serif": 0.52 }[face] ?? 0.56);
  const scrim = newId("scrim");
  const base = 266 - (lines.length - 1) * size * 1.06;
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: `poster ${face}`, "aria-hidden": "true", ...attributes },
    svg("defs", {}, svg("linearGradient", { id: scrim, x1: 0, y1: 0, x2: 0, y2: 1 },
      svg("stop", { offset: 0, "stop-color": palette.shade, "stop-opacity": 0 }),
      svg("stop", { offset: 0.42, "stop-color": palette.shade, "stop-opacity": 0.82 }),
      svg("stop", { offset: 1, "stop-color": palette.shade, "stop-opacity": 0.98 }))),
    svg("rect", { width: WIDTH, height: HEIGHT, fill: palette.sheet }),
    drawing(motif, draw, palette),
    svg("rect", { y: base - size - 58, width: WIDTH, height: HEIGHT - base + size + 58, fill: `url(#${scrim})` }),
    svg("text", { x: 14, y: base, "font-size": size, fill: "#fff", class: "name" },
      lines.map((one, place) => svg("tspan", { x: 14, dy: place ? size * 1.06 : 0 }, one))),
    svg("text", { x: 14, y: 290, "font-size": 11, fill: palette.light, class: "fact" }, [year, genre].filter(Boolean).join("  ·  ")),
  );
}

// A round mark for a member.
export function avatar(id) {
  const draw = drawOf(id);
  const hue = Math.round(draw() * 360);
  const second = (hue + 40 + draw() * 120) % 360;
  return svg("svg", { viewBox: "0 0 40 40", class: "avatar", "aria-hidden": "true" },
    svg("circle", { cx: 20, cy: 20, r: 20, fill: `hsl(${hue} 56% 38%)` }),
    svg("circle", { cx: 8 + draw() * 24, cy: 30 + draw() * 8, r: 15, fill: `hsl(${Math.round(second)} 66% 56%)` }),
    svg("circle", { cx: 20, cy: 15 + draw() * 3, r: 7, fill: `hsl(${hue} 60% 88%)` }));
}
