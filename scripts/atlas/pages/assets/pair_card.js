/** Two models side by side: identity, all numbers, blocks, and the tensors that moved most. */

import { histogram } from "./bars.js";
import { NOT_COMPARED } from "./decimals.js";
import { element } from "./elements.js";
import { factList, fileLink } from "./model_card.js";
import { partStrip, stripScale } from "./part_strip.js";
import { sortable } from "./tables.js";

const SHORT = {
  l2: "L2", relative_l2: "rel. L2", cosine: "1 − cos", changed_fraction: "changed", l0: "L0", l1: "L1", linf: "L∞",
  relative_rms: "rel. RMS", "not compared": "–", identical: "=", "identical as far as compared": "= in part",
};
const BESIDE_WORDS = [
  ["identical", "identical"], ["equal", "of equal numbers in two dtypes"],
  ["undefined", "of which one is all zero"], ["not_compared", "not compared"],
];

/**
 * Return a promise of the card of a pair.
 *
 * @param {object} given data, one, other, component (its number), acts, look, isDark
 */
export async function pairCard(given) {
  const { data, one, other, acts } = given;
  const swap = element("button", { type: "button", class: "small", text: "⇄", title: "Change places (x)", on: { click: () => acts.swap() } });
  const close = element("button", { type: "button", class: "close", text: "×", title: "Let go (Escape)", on: { click: () => acts.letGo() } });
  const name = (model) => element("button", {
    type: "button", class: "link", text: data.labels[model], title: data.ids[model],
    on: { click: () => acts.only(model) },
  });
  const whole = element("article", { class: "pair-card" },
    element("header", {}, element("h2", {}, name(one), element("span", { text: " and " }), name(other)), swap, close));
  const parts = await Promise.all([identityPart(given), numbersPart(given), blocksPart(given), tensorsPart(given)]);
  whole.append(...parts.flat().filter(Boolean));
  const links = data.facts.pairs?.linked ? linksOf(given) : null;
  if (links) whole.append(links);
  return whole;
}

async function identityPart({ data, one, other }) {
  const said = await data.identity(one, other);
  if (!said.length) return [];
  const title = (component) => data.facts.titles[component] ?? component;
  return [element("h3", { text: "What is the same" }), factList(said.map(({ component, verdict, what }) =>
    [title(component), what ? `${verdict}: ${what}` : verdict]))];
}

async function numbersPart({ data, one, other, acts }) {
  const { components, measures } = data.facts;
  const squares = await Promise.all(components.map((_, component) =>
    Promise.all(measures.map((_m, measure) => data.square(component, measure)))));
  const shares = components.map((_, component) => data.coverage(component, one, other));
  const hasShares = shares.some((share) => share !== "");
  const short = (text) => SHORT[text] ?? text;
  const shareOf = (at) => {
    const isNothing = shares[at] === "" && squares[at][0].code(one, other) === NOT_COMPARED;
    if (isNothing) return { text: "–", plain: "", sort: NaN };
    const share = shares[at] === "" ? 1 : shares[at];
    return { text: share === 1 ? "all" : acts.percent(share), plain: String(share), sort: share };
  };
  const rows = components.map((component, at) => [
    { text: component.title, plain: component.name },
    ...squares[at].map((square) => ({
      text: short(square.text(one, other)), plain: square.numbers.plain(square.at(one, other)), sort: square.value(one, other),
    })),
    ...(hasShares ? [shareOf(at)] : []),
  ]);
  return [sortable({
    caption: "How far apart",
    columns: [
      { title: "component" },
      ...measures.map(({ name, title, unit }) => ({ title: short(name) === name ? title : short(name), isNumber: true, help: `${title}: ${unit}` })),
      ...(hasShares ? [{ title: "compared", isNumber: true, help: "share of the parameters that was compared" }] : []),
    ],
    rows,
  })];
}

/** Return the component whose blocks are shown: the chosen one, or the first that has any. */
export function blocksComponent(data, component) {
  const has = (at) => data.hasPart(`blocks-${at}`);
  return has(component) ? component : data.facts.components.findIndex((_, at) => has(at));
}

async function blocksPart({ data, one, other, component, acts, look, isDark }) {
  if (!data.facts.pairs) return [];
  const pair = data.pairOf(one, other);
  const shown = blocksComponent(data, component);
  if (shown < 0) return [];
  if (pair < 0) return [element("h3", { text: "How far every block moved" }), element("p", { class: "hint", text: data.facts.pairs.said })];
  const blocks = await data.blocks(shown);
  const spread = await data.spread(data.facts.components[shown].name, pair);
  const { title } = data.facts.components[shown];
  const found = [
    element("h3", { text: `How far every block moved: ${title}` }), otherComponents(data, shown, acts),
    element("p", { class: "hint", text: "relative L2 of the weights of each block and role" }),
    partStrip(blocks, pair, { look, isDark }), stripScale(blocks, acts.number, { look, isDark }),
  ];
  if (spread) {
    const counts = BESIDE_WORDS.filter(([name]) => spread.beside[name])
      .map(([name, words]) => `${spread.beside[name].toLocaleString("en")} ${words}`);
    found.push(element("h3", { text: `Tensors by relative L2: ${title}` }),
      ...(spread.bins.some(Boolean) ? [histogram(spread.edges, spread.bins)] : []),
      ...(counts.length ? [element("p", { class: "hint", text: `Not in it: ${counts.join(", ")}.` })] : []));
  }
  return found;
}

/** Return buttons that show the blocks of another component. */
function otherComponents(data, shown, acts) {
  const { components } = data.facts;
  const told = components.map((_, at) => at).filter((at) => data.hasPart(`blocks-${at}`));
  if (told.length < 2) return "";
  return element("p", { class: "others" }, ...told.map((at) => element("button", {
    type: "button", class: "small", text: components[at].title, "aria-pressed": String(at === shown),
    on: { click: () => acts.show(at) },
  })));
}

async function tensorsPart({ data, one, other }) {
  const tensors = await data.tensors(data.pairOf(one, other));
  if (!tensors.length) return [];
  return [sortable({
    caption: `The ${tensors.length} tensors that moved most`,
    columns: [{ title: "tensor" }, { title: "block" }, { title: "relative L2", isNumber: true }],
    rows: tensors.map((tensor) => [
      { text: tensor.name, class: "long" }, { text: tensor.block },
      { text: tensor.text, plain: tensor.plain, sort: Number(tensor.plain || NaN) },
    ]),
  })];
}

function linksOf({ data, one, other }) {
  const [a, b] = [data.ids[one], data.ids[other]].sort();
  const at = `../../pairs/${encodeURIComponent(a)}/${encodeURIComponent(b)}`;
  return element("p", {}, "Its files: ", fileLink("histograms", `${at}.png`), ", ", fileLink("every tensor", `${at}.parquet`));
}
