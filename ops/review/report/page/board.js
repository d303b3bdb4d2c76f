// The board: a column for each stage of the deployment, with the components and their resources.
const SIGNS = { replace: "+-", release: "+-", delete: "-", update: "~", create: "+", differs: "~" };
const VALUES = 5; // changed properties shown of a resource; the detail has all of them
const NEIGHBOURS = 12; // a component with at most this many neighbours of the selected resource opens
const ROWS = 400; // rows on the board at first; the components after them are closed

const search = document.getElementById("search");
const filter = document.getElementById("filter");
const board = document.getElementById("board");
let stack; // the stack that is shown
let selected = null; // the selected resource
let near = new Set(); // what it needs and what needs it, directly
let far = new Set(); // and indirectly
let rows = new Map(); // from each resource on the board to its row
let boxes = new Map(); // from each component on the board to its box
let opened = new Map(); // from each component that the reader opened or closed to whether it is open

const FILTERS = {
  all: () => true,
  changed: (node) => node.change,
  destroyed: (node) => node.change && node.change.destroyed,
  created: (node) => node.change && node.change.operation === "create",
};
const called = (node) => (node.physical === node.name ? node.type : `${node.type} ${node.physical}`);
const searchTerms = () => search.value.toLowerCase().split(/[\s→]+/).filter(Boolean);

/** Draw the resources that match, and the selected one with all that it needs or that needs it. */
function draw() {
  const terms = searchTerms();
  filter.disabled = terms.length > 0; // a search looks at all resources
  const matches = terms.length ? (node) => contains(node.text, terms) : FILTERS[filter.value];
  const found = new Set(stack.nodes.filter(matches));
  const shown = new Set([...found, ...near, ...far]);
  if (selected) shown.add(selected);
  const stages = new Map(stack.stages.map((stage) => [stage, new Map()]));
  for (const node of stack.nodes) {
    if (!shown.has(node)) continue;
    const components = stages.get(node.stage);
    if (!components.has(node.component)) components.set(node.component, []);
    components.get(node.component).push(node);
  }
  rows = new Map();
  boxes = new Map();
  board.replaceChildren(...[...stages].map(([stage, components]) =>
    make("section", components.size ? {} : { class: "empty" }, make("h2", {}, stage),
      ...[...components].map(([name, nodes]) => component(name, nodes, found, terms)))));
  document.getElementById("count").textContent =
    `${found.size.toLocaleString("en")} of ${plural(stack.nodes.length, "resource")}`;
  drawLines();
}

/** The text beside the name of a component. */
function sizeText(name) {
  const all = stack.components.get(name);
  const changed = all.filter((node) => node.change);
  if (!changed.length) return `${all.length}`;
  return changed.every((node) => node.change.operation === "create") && changed.length === all.length
    ? `${all.length} new` : `${changed.length} of ${all.length} change`;
}

function component(name, nodes, found, terms) {
  const changed = nodes.filter((node) => node.change);
  const touched = changed.filter((node) => node.change.operation !== "create");
  const matching = nodes.filter((node) => found.has(node)).length;
  const neighbours = nodes.filter((node) => near.has(node)).length;
  const status = changed.some((node) => node.change.destroyed) ? " destroyed" : touched.length ? " touched" : "";
  const box = make("details", { class: `component${status}${matching ? "" : " guest"}`, "data-component": name },
    make("summary", { onclick: () => opened.set(name, !box.open) }, name || "providers",
      make("span", { class: "soft" }, ` ${sizeText(name)}`),
      neighbours ? make("span", { class: "soft" }, `, ${plural(neighbours, "neighbour")}`) : null));
  const fill = () => {
    if (box.children.length > 1) return;
    const worst = (node) => (node.change ? (node.change.destroyed ? 0 : 1) : 2);
    box.append(...[...nodes].sort((a, b) => worst(a) - worst(b)).map((node) => row(node, terms)));
  };
  // Rows are created when the component opens: thousands of them would take too long.
  box.addEventListener("toggle", () => { fill(); drawLines(); });
  const first = rows.size < ROWS && (terms.length ? matching : touched.length && matching);
  const around = nodes.includes(selected) || (neighbours && neighbours <= NEIGHBOURS);
  if (opened.get(name) ?? (first || around)) {
    fill();
    box.open = true;
  }
  boxes.set(name, box);
  return box;
}

function row(node, terms) {
  const operation = node.change?.operation ?? "";
  const button = make("button", { class: `row${near.has(node) ? " near" : far.has(node) ? " far" : ""}`, type: "button", onclick: () => select(node) },
    make("span", { class: `sign ${operation}`, role: "img", "aria-label": operation || "unchanged" },
      SIGNS[operation] ?? (operation ? "~" : "")),
    make("span", {}, make("span", { class: "name" }, node.name), make("span", { class: "kind" }, called(node)),
      ...(node.change ? changeLines(node.change, terms) : [])));
  if (node === selected) button.setAttribute("aria-current", "true");
  rows.set(node, button);
  return button;
}

/** What changes in a resource, in lines. A property that the search found comes first. */
function changeLines(change, terms) {
  const line = (...children) => make("span", { class: "line" }, ...children);
  const hit = (changed) => terms.some((term) => searchable(changed).includes(term));
  const properties = [...change.properties].sort((a, b) => hit(b) - hit(a));
  const cause = change.follows.length
    ? `Caused by ${change.follows.slice(0, 3).join(", ")}${change.follows.length > 3 ? ` and ${change.follows.length - 3} more` : ""}` : null;
  const lines = [change.loss, cause, change.dropped, change.summary].filter(Boolean).map((text) => line(text));
  if (change.loss) lines[0].classList.add("delete");
  lines.push(...properties.slice(0, VALUES).map((changed) => line(
    `${changed.path}: `,
    changed.old === null ? null : make("span", { class: "old" }, changed.old),
    changed.old === null ? null : " → ",
    make("span", { class: changed.old === null ? "" : "new" }, changed.new),
    changed.replaces ? make("b", { class: "replace" }, " forces the replacement") : null)));
  if (properties.length > VALUES) lines.push(line(`and ${properties.length - VALUES} more`));
  return lines;
}
