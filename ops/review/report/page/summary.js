// The head of the page: the verdict, and what the report says beside the resources.
const SHORT = 3; // a part of the head with at most this many entries is open at first
const LINKS = 40; // resources listed of a message; the rest is counted
let entries = []; // what the search looks at in the head

/** An element. Text becomes a text node, so that nothing in a report is ever run. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** A button that selects a resource, or the name alone if the graph does not contain the resource. */
function link(urn) {
  const node = stack.byUrn.get(urn);
  if (!node) return urn.split("::").pop();
  return make("button", { class: "link", type: "button", onclick: () => select(node) }, node.name);
}

const links = (urns) => (urns.length ? make("div", { class: "links" }, ...urns.slice(0, LINKS).map(link),
  urns.length > LINKS ? make("span", {}, `and ${(urns.length - LINKS).toLocaleString("en")} more`) : null) : null);

/** A part of the head that folds. The search hides those of its entries that do not match. */
function part(title, listed) {
  entries.push(...listed);
  return make("details", { class: "part" }, make("summary", {}, title), ...listed);
}

/** The cells of an old and a new value. Without an old one, the text describes both. */
const cells = (changed) => (changed.old === null
  ? [make("td", { colspan: 2 }, changed.new)]
  : [make("td", { class: "old" }, changed.old), make("td", { class: "new" }, changed.new)]);

const table = (rows) => make("table", {}, make("tbody", {}, ...rows));

function violatedRule(rule, parts = rule.parts) {
  return make("div", { class: "entry" },
    make("b", {}, [rule.level, rule.severity].filter(Boolean).join(", ")), " ", make("code", {}, rule.rule),
    rule.shared ? make("pre", {}, rule.shared) : null,
    ...parts.flatMap((part) => [links(part.urns), part.message ? make("pre", {}, part.message) : null]));
}

const message = (diagnostic) => make("div", { class: "entry" },
  make("b", {}, diagnostic.severity), links(diagnostic.urn ? [diagnostic.urn] : []),
  make("pre", {}, diagnostic.message));

function reasonText(reason) {
  const named = reason.names.slice(0, 12).map((name) =>
    (reason.details[name] ? `${name} (${reason.details[name]})` : name));
  if (reason.names.length > 12) named.push(`${reason.names.length - 12} more`);
  return named.length ? `${reason.text}: ${named.join(", ")}` : reason.text;
}

function verdict() {
  return make("div", { class: "verdict", "data-verdict": stack.verdict },
    make("p", {},
      make("b", {}, report.stacks.length > 1 ? `${stack.stack}: ${stack.verdict}. ` : `${stack.verdict}. `),
      stack.summary),
    make("ul", {}, ...stack.reasons.map((reason) => make("li", {}, reasonText(reason)))),
    stack.actions.length ? make("p", {}, make("b", {}, "To do: "), stack.actions.join(" ")) : null,
    stack.comparedWith ? make("p", {}, `Compared with ${stack.comparedWith}.`) : null);
}

/** What the pull request changes of what judges it. */
function judges({ changed, note, differingVerdicts }) {
  const files = changed.flatMap((path, index) => [index ? ", " : "", make("code", {}, path)]);
  return make("div", { class: "verdict", "data-verdict": "needs review" },
    make("p", {}, make("b", {}, "This pull request changes what judges it: "), ...files, "."),
    make("p", {}, note),
    make("ul", {}, ...differingVerdicts.map((sentence) => make("li", {}, sentence))));
}

/** What failed: the wrong settings, the messages of the engine, or the text of the failure. */
function failureParts() {
  const failure = stack.failure;
  if (failure.errors.length) {
    return [part("Wrong settings", failure.errors.map((error) => make("div", { class: "entry" },
      make("code", {}, error.path), " is ", make("code", {}, error.value), `; expected: ${error.expected}`)))];
  }
  const itself = { severity: "error", urn: "", message: failure.message };
  return [part("Messages", (stack.diagnostics.length ? stack.diagnostics : [itself]).map(message))];
}

function head() {
  const facts = [plural(stack.nodes.length, "resource")];
  for (const [operation, count] of Object.entries(stack.counts)) facts.push(`${count.toLocaleString("en")} to ${operation}`);
  const parts = [];
  entries = [];
  if (stack.failure) parts.push(...failureParts());
  if (stack.traffic.length) {
    parts.push(part("Traffic", stack.traffic.map((move) => make("div", { class: "entry" },
      `${move.name}: ${move.old.join(", ") || "nothing"} → ${move.new.join(", ") || "nothing"}`))));
  }
  if (stack.violations.length) {
    parts.push(part(`Policies: ${stack.rules} rules, ${stack.violations.length} violated`,
      stack.violations.map((rule) => violatedRule(rule))));
  }
  if (stack.outputs.length) {
    parts.push(part(`Stack outputs: ${stack.outputs.length}`, stack.outputs.map((output) =>
      make("div", { class: "entry" }, `${output.change} (${output.kind})`, table(output.properties.map((changed) =>
        make("tr", {}, make("td", {}, changed.path), ...cells(changed))))))));
  }
  if (stack.diagnostics.length && !stack.failure) {
    parts.push(part(`Messages: ${stack.diagnostics.length}`, stack.diagnostics.map(message)));
  }
  if (stack.rules && !stack.violations.length && !stack.failure) facts.push(`${stack.rules} rules, none violated`);
  document.getElementById("verdict").replaceChildren(
    verdict(), make("p", { class: "soft" }, facts.join(", ")), ...parts);
}

/** Show the entries of the head that match. A part is open if it is short, or during a search. */
function filterHead(terms) {
  for (const entry of entries) entry.hidden = !contains(entry.textContent.toLowerCase(), terms);
  for (const box of document.querySelectorAll(".part")) {
    const matching = box.querySelectorAll(".entry:not([hidden])").length;
    box.hidden = !matching;
    box.open = terms.length > 0 || matching <= SHORT;
  }
  const found = terms.length ? entries.filter((entry) => !entry.hidden).length : 0;
  document.getElementById("above").textContent = found ? `${found} ${found === 1 ? "match" : "matches"} above` : "";
}
