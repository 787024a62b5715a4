"""The style sheet of the report page. System fonts, both colour schemes, fit for paper."""

CSS = """
:root {
  color-scheme: light dark;
  --paper: #fbf8f3; --card: #fffdf9; --ink: #211c18; --soft: #6b6259; --rule: #e4dccf;
  --accent: #a8123a; --accent-soft: #a8123a1f; --good: #1d6b45; --good-soft: #1d6b4517;
  --bad: #b3261e; --bad-soft: #b3261e14; --warn: #8a5a00; --warn-soft: #8a5a0017;
  --model1: #2f6690; --model2: #8a6d1c; --model3: #7a7168; --model4: #6a4c93;
  --serif: ui-serif, "Iowan Old Style", "New York", Charter, "Noto Serif", Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171310; --card: #201b17; --ink: #f1e9df; --soft: #ab9f92; --rule: #39312a;
    --accent: #ff7a95; --accent-soft: #ff7a9526; --good: #6fd3a0; --good-soft: #6fd3a01c;
    --bad: #ff8b80; --bad-soft: #ff8b801c; --warn: #f0bd5e; --warn-soft: #f0bd5e1c;
    --model1: #86bdea; --model2: #dcbf6c; --model3: #a99e93; --model4: #c3a5ec;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0 auto; padding: 0 clamp(1rem, 4vw, 3rem) 4rem; max-width: 76rem;
  font: 1rem/1.55 var(--sans); color: var(--ink); overflow-wrap: break-word; }
h1, h2, h3 { font-family: var(--serif); font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(1.9rem, 5vw, 3rem); margin: .3rem 0 .6rem; letter-spacing: -.015em; }
h2 { font-size: 1.55rem; margin: 0 0 .25rem; letter-spacing: -.01em; }
h3 { font-size: 1.05rem; margin: 0; }
p { margin: .25rem 0 1rem; max-width: 46rem; }
a { color: inherit; }
code, .mono { font-family: var(--mono); font-size: .875em; }
.soft, .lead { color: var(--soft); }
.small { font-size: .84rem; }
header { padding: 2.2rem 0 1rem; }
.brand { display: flex; flex-wrap: wrap; gap: .5rem 1rem; justify-content: space-between;
  font-size: .8rem; letter-spacing: .09em; text-transform: uppercase; color: var(--soft); }
.brand b { color: var(--accent); }
.verdict { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: baseline;
  padding: .85rem 1.1rem; border-radius: .7rem; border-left: .35rem solid; margin: 1rem 0 0; }
.verdict.good { background: var(--good-soft); border-color: var(--good); }
.verdict.bad { background: var(--bad-soft); border-color: var(--bad); }
.verdict.warn { background: var(--warn-soft); border-color: var(--warn); }
.verdict strong { font-family: var(--serif); font-size: 1.15rem; }
.pill { display: inline-block; padding: .05rem .55rem; border-radius: 99px; font-size: .78rem;
  font-weight: 600; white-space: nowrap; border: 1px solid; }
.good > .mark, .pill.good { color: var(--good); }
.bad > .mark, .pill.bad { color: var(--bad); }
.warn > .mark, .pill.warn { color: var(--warn); }
.pill.plain { color: var(--soft); border-color: var(--rule); }
.facts { display: flex; flex-wrap: wrap; gap: 1px; margin: 0 0 1.6rem; overflow: hidden;
  background: var(--rule); border: 1px solid var(--rule); border-radius: .7rem; }
.facts div { flex: 1 1 8.5rem; background: var(--card); padding: .75rem 1rem; }
.facts dt { font-size: .78rem; color: var(--soft); }
.facts dd { margin: 0; font-family: var(--serif); font-size: 1.15rem;
  font-variant-numeric: tabular-nums; }
nav { display: flex; flex-wrap: wrap; gap: .35rem 1.1rem; padding: .7rem 0; font-size: .88rem;
  border-block: 1px solid var(--rule); }
nav a { text-decoration: none; color: var(--soft); }
nav a:hover, nav a:focus-visible { color: var(--accent); text-decoration: underline; }
section { padding-top: 2.6rem; }
.panels { display: grid; gap: 1rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); }
.panels.small { grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); }
.panels.small h3 { font-size: .95rem; }
.panel { background: var(--card); border: 1px solid var(--rule); border-radius: .7rem;
  padding: 1rem 1.1rem; margin: 0; min-width: 0; }
.panel .top { display: flex; justify-content: space-between; gap: .6rem; align-items: baseline; }
.panel .top + * { margin-top: .6rem; }
.scroll { overflow-x: auto; margin: .6rem 0 0; border: 1px solid var(--rule); border-radius: .7rem;
  background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; padding: .7rem .9rem 0; color: var(--soft); font-size: .84rem; }
th, td { padding: .5rem .9rem; text-align: left; vertical-align: top;
  border-top: 1px solid var(--rule); }
thead th { font-size: .78rem; font-weight: 600; color: var(--soft); border-top: 0;
  white-space: nowrap; }
tbody th { font-weight: 500; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.prose { min-width: 15rem; }
tr.bad { background: var(--bad-soft); }
tr.warn { background: var(--warn-soft); }
details { margin-top: .8rem; }
summary { cursor: pointer; color: var(--soft); font-size: .88rem; }
summary:hover { color: var(--accent); }
ol.slate { list-style: none; margin: .7rem 0 0; padding: 0; }
.slate li { display: grid; grid-template-columns: 1.7rem 1fr; gap: 0 .3rem; padding: .42rem 0;
  border-top: 1px solid var(--rule); }
.slate .rank { font-family: var(--serif); color: var(--accent);
  font-variant-numeric: tabular-nums; }
.slate .film { font-family: var(--serif); font-size: 1.02rem; line-height: 1.3; }
.slate .why { grid-column: 2; color: var(--soft); font-size: .82rem; line-height: 1.4; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg.bar { width: 150px; height: 10px; margin-top: .45em; }
svg text { font: 11px var(--sans); fill: var(--ink); font-variant-numeric: tabular-nums;
  white-space: pre; }
svg .cohort { font-weight: 600; font-size: 11.5px; }
svg .name { fill: var(--soft); }
svg .tick { fill: var(--soft); font-size: 10px; font-weight: 400; }
svg .value { fill: var(--soft); }
svg .value.best { fill: var(--ink); font-weight: 700; }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .whisker { stroke-width: 2.5; stroke-linecap: round; opacity: .5; }
svg .dot { stroke: var(--card); stroke-width: 1; }
svg .model0 { --c: var(--accent); } svg .model1 { --c: var(--model1); }
svg .model2 { --c: var(--model2); } svg .model3 { --c: var(--model3); }
svg .model4 { --c: var(--model4); }
svg .whisker { stroke: var(--c); } svg .dot { fill: var(--c); }
svg .area, svg .band { fill: var(--accent-soft); }
svg .line { fill: none; stroke: var(--accent); stroke-width: 1.8; stroke-linejoin: round; }
svg .last { fill: var(--accent); }
svg .kept { fill: var(--good); } svg .repeats { fill: var(--warn); }
svg .rejected { fill: var(--bad); }
dl.told { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .35rem 1.2rem;
  margin: .6rem 0 0; font-size: .9rem; }
section > dl.told { margin: 0 0 1.2rem; }
dl.told dt { color: var(--soft); }
dl.told dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--rule);
  color: var(--soft); font-size: .84rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --rule: #bbb; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  nav { display: none; }
  section { padding-top: 1.4rem; }
  .panel, tr, .facts { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; block-size: auto; }
  * { print-color-adjust: exact; }
}
"""
