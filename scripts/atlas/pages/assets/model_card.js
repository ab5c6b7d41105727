/** The card of a model: what its file holds, what was found, who is near. */

import { element } from "./elements.js";
import { sortable } from "./tables.js";

const NEIGHBOURS = 5;
const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Return bytes in words: 6,938,040,682 is 6.94 GB. */
export function bytesText(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1);
  return `${step ? (bytes / 1000 ** step).toPrecision(3) : bytes} ${UNITS[step]}`;
}

/** Return a list of what is said, without what is empty. */
export function factList(facts) {
  const list = element("dl");
  for (const [title, text] of facts) {
    if (text === null || text === undefined || text === "") continue;
    list.append(element("dt", { text: title }), element("dd", {}, text));
  }
  return list;
}

/** Return a link to a file of the atlas, or its text where a report holds the page, far from files. */
export function fileLink(text, href) {
  if (window.parent !== window) return element("span", { text });
  return element("a", { href, target: "_blank", rel: "noopener", text });
}

/**
 * Return the card.
 *
 * @param {object} given data, square, model, passing (models to look among), acts, where (component
 *   and measure in words)
 */
export function modelCard({ data, square, model, passing, acts, where }) {
  const card = data.facts.cards[model];
  const close = element("button", {
    type: "button", class: "close", text: "×", title: "Let go (Escape)", on: { click: () => acts.choose(model) },
  });
  const whole = element("article", { class: "model-card" },
    element("header", {}, element("h2", { text: data.labels[model] }), close),
    factList([
      ["id", data.ids[model]],
      ["tags", card.tags.join(", ")],
      ["the roster says", card.claim],
      ["file", card.path],
      ["size", card.file_bytes === null ? null : `${bytesText(card.file_bytes)} on disk`],
      ["weights", card.bytes ? bytesText(card.bytes) : null],
    ]));
  if (card.problem) whole.append(element("p", { class: "problem", text: card.problem }));
  if (card.findings.length) {
    whole.append(element("ul", { class: "findings" }, ...card.findings.map((text) => element("li", { text }))));
  }
  if (card.recipe) whole.append(recipePart(card.recipe, data.facts.recipe_links));
  if (card.parts.length) whole.append(partsTable(card.parts));
  whole.append(neighbours({ data, square, model, passing, acts, where }));
  if (card.page) whole.append(element("p", {}, fileLink("all that was noticed of it", card.page)));
  return whole;
}

/** What the model was made from, what was baked into it, and what is claimed of it. */
function recipePart(recipe, links) {
  const claims = recipe.claims.map(({ source, what, answer, words }) => element("li", {},
    element("b", { text: `${source} ${answer}` }), element("span", { text: `: ${what}${words ? ` (${words})` : ""}` })));
  return element("section", { class: "recipe" },
    element("h3", { text: `Recipe: ${recipe.kind}` }),
    factList(recipe.parts),
    ...(recipe.baked.length ? [element("ul", { class: "findings" }, ...recipe.baked.map((text) => element("li", { text })))] : []),
    ...(claims.length ? [element("ul", { class: "findings claims" }, ...claims)] : []),
    element("p", { class: "hint" }, ...links.flatMap(([text, href], at) => [at ? " · " : "", fileLink(text, href)])));
}

function partsTable(parts) {
  const hasFamilies = parts.some(({ family }) => family);
  return sortable({
    caption: "What it holds",
    columns: [
      { title: "component" }, { title: "dtype" },
      ...(hasFamilies ? [{ title: "family", help: "Equal letters: the same weights bit for bit; ≈ rounded, % a share of the tensors" }] : []),
      { title: "tensors", isNumber: true }, { title: "parameters", isNumber: true },
    ],
    rows: parts.map((part) => [
      { text: part.title, plain: part.component },
      { text: part.refused ? "not read" : part.dtype },
      ...(hasFamilies ? [{ text: part.family }] : []),
      { text: part.tensors === null ? "–" : part.tensors.toLocaleString("en"), plain: String(part.tensors ?? ""), sort: part.tensors ?? NaN },
      { text: part.parameters === null ? "–" : part.parameters.toLocaleString("en"), plain: String(part.parameters ?? ""), sort: part.parameters ?? NaN },
    ]),
  });
}

function neighbours({ data, square, model, passing, acts, where }) {
  const near = square.nearest(model, passing, NEIGHBOURS);
  const entries = near.map(({ model: other }) => {
    const text = square.text(model, other);
    return element("li", {}, element("button", {
      type: "button", "data-neighbour": data.ids[other], title: "Compare the two",
      on: {
        click: () => acts.pair(model, other),
        pointerenter: () => acts.light([model, other], [model, other]), pointerleave: () => acts.light([]),
      },
    }, element("span", { class: "who" }, element("b", { text: data.labels[other] })),
    element("span", { class: "far", text })));
  });
  const none = element("p", { class: "hint", text: "It was compared with no other model here." });
  return element("section", {}, element("h3", { text: "Nearest" }), element("p", { class: "hint", text: where }),
    ...(near.length ? [element("ol", { class: "neighbours" }, ...entries)] : [none]));
}
