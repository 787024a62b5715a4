// One drawing for each genre, on a sheet of 200 x 300. `draw` gives numbers from 0 to 1 that follow
// from the title's id, so a title looks the same everywhere.

import { svg } from "./element.js";

const circle = (cx, cy, r, more = {}) => svg("circle", { cx, cy, r, ...more });
const rect = (x, y, width, height, more = {}) => svg("rect", { x, y, width, height, ...more });
const path = (d, more = {}) => svg("path", { d, ...more });
const many = (count, make) => Array.from({ length: count }, (_, place) => make(place));
const line = (color, width, more = {}) => ({ fill: "none", stroke: color, "stroke-width": width, ...more });

function shards(draw, { light, accent, deep }) {
  const turn = draw() * 24 - 12;
  return svg("g", { transform: `rotate(${turn} 100 130)` }, many(7, (n) => {
    const x = -30 + n * 38;
    return path(`M${x} 320 L${x + 70 + draw() * 60} -20 L${x + 84 + draw() * 60} -20 L${x + 22 + draw() * 14} 320Z`,
      { fill: [accent, light, deep][n % 3], opacity: 0.55 + draw() * 0.45 });
  }));
}

function peaks(draw, { light, accent, deep, mid }) {
  const sun = 50 + draw() * 100;
  return [
    circle(sun, 78 + draw() * 24, 30 + draw() * 14, { fill: light }),
    ...[mid, accent, deep].map((fill, n) => {
      const base = 150 + n * 38;
      const tip = 30 + draw() * 140;
      return path(`M-10 310 V${base + 30} L${tip - 60} ${base + 8} L${tip} ${base - 50 + draw() * 20} L${tip + 46} ${base + 4} L210 ${base - 12 + draw() * 34} V310Z`, { fill });
    }),
  ];
}

function bubbles(draw, { light, accent, deep }) {
  return many(9, (n) => circle(draw() * 200, 20 + draw() * 200, 12 + draw() * 34,
    { fill: [accent, light, deep][n % 3], opacity: 0.92 }));
}

function portrait(draw, { light, accent, deep }) {
  const x = 88 + draw() * 24;
  return [
    many(4, (n) => circle(x, 120, 120 - n * 22, { fill: n % 2 ? accent : deep, opacity: 0.5 })),
    circle(x, 104, 34, { fill: light }),
    path(`M${x - 66} 230 C${x - 62} 150 ${x + 62} 150 ${x + 66} 230 V310 H${x - 66}Z`, { fill: light }),
  ];
}

function confetti(draw, { light, accent, deep }) {
  return [
    path(`M30 ${96 + draw() * 20} A70 70 0 0 0 170 ${96 + draw() * 20}`, line(light, 18, { "stroke-linecap": "round" })),
    many(22, (n) => rect(draw() * 196, draw() * 220, 6 + draw() * 8, 14 + draw() * 8,
      { fill: [accent, light, deep][n % 3], rx: 3, transform: `rotate(${Math.round(draw() * 180)} 100 110)` })),
  ];
}

function blinds(draw, { light, deep, accent }) {
  const x = 60 + draw() * 80;
  return [
    path(`M${x} -10 L${x - 95} 310 H${x + 95}Z`, { fill: light, opacity: 0.85 }),
    many(13, (n) => rect(-5, n * 24 - 4 + draw() * 3, 210, 11, { fill: deep, opacity: 0.9 })),
    circle(x, 128, 24, { fill: accent }),
  ];
}

function veils(draw, { light, accent, mid, deep }) {
  return [light, accent, mid, deep].map((fill, n) => {
    const y = 60 + n * 44;
    return path(`M-10 ${y + draw() * 40} C50 ${y - 60 + draw() * 40} 120 ${y + 70 - draw() * 40} 210 ${y - 10 + draw() * 40} V310 H-10Z`, { fill, opacity: 0.88 });
  });
}

function balloons(draw, { light, accent, deep, mid }) {
  return [accent, light, mid, deep, light].map((fill, n) => {
    const x = 24 + n * 38;
    const y = 52 + draw() * 96;
    return svg("g", {}, path(`M${x} ${y + 28} Q${x + 8} 190 100 250`, line(light, 1.5)), svg("ellipse", { cx: x, cy: y, rx: 22, ry: 28, fill }));
  });
}

function towers(draw, { light, accent, deep }) {
  return [
    circle(140 - draw() * 80, 74, 34, { fill: light }),
    circle(154 - draw() * 80, 66, 30, { fill: accent, opacity: 0.35 }),
    many(5, (n) => {
      const x = n * 42 - 6;
      const y = 130 + draw() * 60;
      return path(`M${x} 310 V${y} L${x + 20} ${y - 46} L${x + 40} ${y} V310Z`, { fill: n % 2 ? accent : deep });
    }),
  ];
}

function columns(draw, { light, accent, deep }) {
  const top = 86 + draw() * 24;
  return [
    path(`M10 ${top} L100 ${top - 48} L190 ${top}Z`, { fill: accent }),
    rect(14, top + 4, 172, 10, { fill: light }),
    many(5, (n) => rect(24 + n * 34, top + 20, 16, 200, { fill: n % 2 ? deep : light, opacity: 0.9 })),
  ];
}

function teeth(draw, { light, accent, deep }) {
  const jaw = (y, way, fill) => path(`M-10 ${y} ${many(9, (n) => `L${n * 26 - 4} ${y + way * (30 + draw() * 62)} L${n * 26 + 9} ${y}`).join(" ")} V${way > 0 ? -10 : 310} H-10Z`, { fill });
  return [circle(100, 134, 46, { fill: accent }), svg("ellipse", { cx: 100, cy: 134, rx: 10, ry: 40, fill: deep }), jaw(40, 1, light), jaw(232, -1, deep)];
}

function waves(draw, { light, accent, mid }) {
  return many(11, (n) => {
    const tall = 30 + Math.abs(Math.sin(n * (0.6 + draw() * 0.8))) * 130;
    return rect(8 + n * 17, 140 - tall / 2, 10, tall, { rx: 5, fill: [accent, light, mid][n % 3] });
  });
}

function keyhole(draw, { light, accent, deep }) {
  const turns = many(6, (n) => circle(100, 120, 26 + n * 22, line(n % 2 ? accent : light, 5, { "stroke-dasharray": `${40 + draw() * 80} ${10 + draw() * 26}` })));
  return [...turns, circle(100, 112, 20, { fill: deep }), path("M92 118 L82 168 H118 L108 118Z", { fill: deep })];
}

function rings(draw, { light, accent, mid }) {
  const gap = 26 + draw() * 16;
  return [
    circle(100 - gap, 116, 56, { fill: accent, opacity: 0.9 }),
    circle(100 + gap, 116, 56, { fill: light, opacity: 0.8 }),
    many(6, () => circle(draw() * 200, draw() * 240, 3 + draw() * 6, { fill: mid })),
  ];
}

function planet(draw, { light, accent, mid }) {
  const y = 104 + draw() * 26;
  return [
    many(34, () => circle(draw() * 200, draw() * 300, 0.8 + draw() * 1.6, { fill: light })),
    circle(100, y, 52, { fill: accent }),
    path(`M52 ${y - 14} A52 52 0 0 0 148 ${y + 18} A60 60 0 0 1 52 ${y - 14}Z`, { fill: mid, opacity: 0.6 }),
    svg("ellipse", { cx: 100, cy: y, rx: 88, ry: 20, ...line(light, 5), transform: `rotate(${-24 + draw() * 14} 100 ${y})` }),
  ];
}

function lanes(draw, { light, accent, deep }) {
  const bend = draw() * 60;
  return many(7, (n) => path(`M${-40 + n * 34} 310 C${n * 30} 180 ${60 + bend} 120 ${110 + n * 26} -10`, line([light, accent, deep][n % 3], 12)));
}

function target(draw, { light, accent, deep }) {
  const x = 70 + draw() * 60;
  const y = 96 + draw() * 50;
  const rays = 8 + 2 * Math.floor(draw() * 7);
  const end = (angle) => `${(x + 360 * Math.cos(angle)).toFixed(1)} ${(y + 360 * Math.sin(angle)).toFixed(1)}`;
  return [
    many(rays, (n) => {
      const angle = (n / rays) * Math.PI * 2;
      return path(`M${x} ${y} L${end(angle)} L${end(angle + Math.PI / rays)}Z`, { fill: n % 2 ? deep : accent, opacity: 0.75 });
    }),
    circle(x, y, 30, { fill: light }), circle(x, y, 13, { fill: deep }),
  ];
}

function banner(draw, { light, accent, deep, mid }) {
  return [
    many(6, (n) => rect(-40, 30 + n * 42, 300, 18, { fill: [deep, accent, mid][n % 3], transform: `rotate(${-18 + draw() * 6} 100 150)` })),
    path(star(100, 110, 58, 24), { fill: light }),
  ];
}

function star(x, y, outer, inner) {
  const points = many(10, (n) => {
    const radius = n % 2 ? inner : outer;
    const angle = (n / 10) * Math.PI * 2 - Math.PI / 2;
    return `${(x + radius * Math.cos(angle)).toFixed(1)} ${(y + radius * Math.sin(angle)).toFixed(1)}`;
  });
  return `M${points.join("L")}Z`;
}

function mesa(draw, { light, accent, deep, mid }) {
  const x = 20 + draw() * 60;
  return [
    circle(100, 128, 62, { fill: light }),
    path(`M-10 310 V196 H${x} L${x + 12} 132 H${x + 62} L${x + 76} 196 H210 V310Z`, { fill: mid }),
    path(`M-10 310 V${226 + draw() * 12} C60 206 140 246 210 220 V310Z`, { fill: deep }),
    path("M158 236 v-58 m0 30 h-14 v-16 m14 30 h16 v-24", line(accent, 9, { "stroke-linecap": "round", "stroke-linejoin": "round" })),
  ];
}

// Genre -> drawing, hue of the sheet, hue of the accent. A genre that sets a title apart comes first.
export const GENRES = [
  ["Western", mesa, 22, 42], ["Horror", teeth, 352, 8], ["Sci-Fi", planet, 252, 186],
  ["Musical", waves, 316, 46], ["Sport", lanes, 146, 74], ["Animation", bubbles, 196, 38],
  ["War", banner, 78, 24], ["Romance", rings, 340, 20], ["Fantasy", towers, 278, 310],
  ["Mystery", keyhole, 222, 268], ["Crime", blinds, 214, 48], ["History", columns, 34, 12],
  ["Family", balloons, 176, 338], ["Biography", portrait, 18, 200], ["Comedy", confetti, 44, 186],
  ["Adventure", peaks, 168, 28], ["Thriller", target, 206, 356], ["Action", shards, 10, 40],
  ["Drama", veils, 236, 326],
];
