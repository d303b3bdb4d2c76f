"use strict";
// The data of the report, and what the page derives from it.
const report = JSON.parse(document.getElementById("report").textContent);

/** All strings in a value: the names, values and messages that a search looks at. */
function strings(value) {
  if (typeof value === "string") return [value];
  return value && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
}

const searchable = (value) => strings(value).join("\n").toLowerCase();
const contains = (text, terms) => terms.every((term) => text.includes(term));

for (const stack of report.stacks) {
  stack.stages = [...new Set(stack.nodes.map((node) => node.stage))].sort();
  stack.components = new Map(); // from each component's name to its resources
  stack.byUrn = new Map();
  for (const node of stack.nodes) {
    stack.byUrn.set(node.urn, node);
    if (!stack.components.has(node.component)) stack.components.set(node.component, []);
    stack.components.get(node.component).push(node);
    node.texts = strings(node);
    node.needs = new Map(); // from each dependency to whether only the order of deployment matters
    node.neededBy = new Map(); // the same for each dependent
  }
  for (const [needing, needed, onlyOrder] of stack.edges) {
    stack.nodes[needing].needs.set(stack.nodes[needed], onlyOrder);
    stack.nodes[needed].neededBy.set(stack.nodes[needing], onlyOrder);
  }
  for (const rule of stack.violations) {
    for (const part of rule.parts) {
      for (const urn of part.urns) stack.byUrn.get(urn)?.texts.push(rule.rule, rule.shared, part.message);
    }
  }
  for (const diagnostic of stack.diagnostics) stack.byUrn.get(diagnostic.urn)?.texts.push(diagnostic.message);
  for (const node of stack.nodes) node.text = searchable(node.texts);
  const others = [stack.outputs, stack.traffic, stack.violations, stack.diagnostics, stack.failure ?? []];
  stack.texts = [...stack.nodes.map((node) => node.text), ...others.flat().map(searchable)];
}

/** What a resource needs (or what needs it), directly and indirectly, by the values that it uses. */
function reach(start, direction) {
  const seen = new Set();
  const ahead = [start];
  while (ahead.length) {
    for (const [next, onlyOrder] of ahead.pop()[direction]) {
      if (!onlyOrder && next !== start && !seen.has(next)) {
        seen.add(next);
        ahead.push(next);
      }
    }
  }
  return seen;
}
