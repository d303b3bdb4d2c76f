// The pane with everything about the selected resource.
const LISTED = 200; // neighbours listed; the rest is counted
const detail = document.getElementById("detail");

function drawDetail(node) {
  const change = node.change;
  const policies = stack.violations.flatMap((rule) => {
    const own = rule.parts.filter((part) => part.urns.includes(node.urn)).map((part) => ({ ...part, urns: [] }));
    return own.length ? [violatedRule(rule, own)] : [];
  });
  const messages = stack.diagnostics.filter((diagnostic) => diagnostic.urn === node.urn)
    .map((diagnostic) => message({ ...diagnostic, urn: "" }));
  const section = (title, items) => (items.length ? [make("h3", {}, title), ...items] : []);
  detail.replaceChildren(
    make("button", { class: "close", type: "button", onclick: () => select(null) }, "Close"),
    make("h1", {}, change ? make("span", { class: change.operation }, `${change.operation} `) : null, node.name),
    ...[
      make("div", { class: "soft" }, [called(node), node.stage, node.component].filter(Boolean).join(", ")),
      make("code", { class: "soft" }, node.urn),
      change?.loss ? make("p", { class: "delete" },
        [change.loss, change.refusal, change.approval].filter(Boolean).join(" ")) : null,
      change?.dropped ? make("p", {}, change.dropped) : null,
      change?.summary ? make("p", {}, change.summary) : null,
      change?.follows.length ? make("p", {}, `Caused by its dependencies: ${change.follows.join(", ")}`) : null,
    ].filter(Boolean),
    ...section("Properties", change?.properties.length ? [table(change.properties.map(property))] : []),
    ...section("Policies", policies),
    ...section("Messages", messages),
    ...neighbours("Dependencies", node, "needs"),
    ...neighbours("Dependents", node, "neededBy"));
}

function property(changed) {
  const forced = changed.replaces ? make("div", { class: "replace" }, "forces the replacement") : null;
  return make("tr", {}, make("td", {}, changed.path, forced), ...cells(changed));
}

/** The direct neighbours, and the number of all. What only has to exist first is not counted. */
function neighbours(title, node, direction) {
  const direct = [...node[direction]];
  if (!direct.length) return [];
  const count = direct.filter(([, onlyOrder]) => !onlyOrder).length;
  const all = reach(node, direction).size;
  const items = direct.slice(0, LISTED).map(([other, onlyOrder]) => make("li", {}, link(other.urn),
    make("span", { class: "soft" }, ` ${other.type}${onlyOrder ? ", order only" : ""}`)));
  if (direct.length > LISTED) items.push(make("li", {}, `and ${direct.length - LISTED} more`));
  const further = all > count ? `, ${all} including indirect ones` : "";
  return [
    make("h3", { class: direction }, `${title}${count ? ` ${count}` : ""}${further}`),
    make("ul", { class: "neighbours" }, ...items),
  ];
}
