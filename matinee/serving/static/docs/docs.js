// Draws the routes of /openapi.json; nothing comes from elsewhere.

const KEY = "matinee.token";

function element(name, text, ...children) {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
}

function table(heads, rows) {
  const head = element("tr", "", ...heads.map((text) => element("th", text)));
  const body = rows.map((row) => element("tr", "", ...row.map((text) => element("td", text))));
  return element("table", "", element("thead", "", head), element("tbody", "", ...body));
}

function details(title, schema) {
  const text = JSON.stringify(schema, null, 2);
  return element("details", "", element("summary", title), element("pre", text));
}

function route(path, method, about) {
  const section = element("section", "");
  section.append(element("h2", `${method.toUpperCase()} ${path}`));
  section.append(element("p", about.description || about.summary || ""));
  const parameters = (about.parameters || []).map((one) => [
    one.name,
    one.in + (one.required ? ", required" : ""),
    one.description || "",
  ]);
  if (parameters.length) section.append(table(["parameter", "in", "what"], parameters));
  if (about.requestBody) section.append(details("Body", about.requestBody.content));
  section.append(details("Answers", about.responses));
  return section;
}

async function main() {
  const token = sessionStorage.getItem(KEY);
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const state = document.getElementById("state");
  const answer = await fetch("/openapi.json", { headers });
  if (!answer.ok) {
    state.textContent = "openapi.json needs a token of the scope operator: give it on the first page.";
    return;
  }
  const api = await answer.json();
  const routes = document.getElementById("routes");
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, about] of Object.entries(methods)) routes.append(route(path, method, about));
  state.textContent = `${Object.keys(api.paths).length} paths`;
}

main();
