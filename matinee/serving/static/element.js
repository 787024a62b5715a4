// Elements are built one by one: text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return node;
}

export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

let ids = 0;

// A name that no other element of the document has.
export function newId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

export function hidden(text) {
  return element("span", { class: "hidden" }, text);
}

export function select(label, options, value, onchange) {
  const id = newId("select");
  const box = element(
    "select",
    { id, onchange: (event) => onchange(event.target.value) },
    options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)),
  );
  return element("div", { class: "field" }, element("label", { for: id }, label), box);
}

// Calls a function once after a pause in calls.
export function paused(action, milliseconds) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), milliseconds);
  };
}
