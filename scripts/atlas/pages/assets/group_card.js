/** What is said of the whole group: findings, the path of its making, files. */

import { drawn } from "./bars.js";
import { element } from "./elements.js";
import { factList, fileLink } from "./model_card.js";
import { blocksComponent } from "./pair_card.js";
import { partCell, stripScale } from "./part_strip.js";
import { sortable } from "./tables.js";

const WHOLE = "*";
const MOST_FINDINGS = 8;
const MOST_RECIPES = 6;
const CHART = { wide: 320, high: 90, side: 8 };

/** Return a promise of the card. */
export async function groupCard(given) {
  const { data } = given;
  const { facts } = data;
  const whole = element("article", { class: "group-card" }, element("h2", { text: facts.title }));
  if (facts.findings.length) {
    const more = facts.findings.length - MOST_FINDINGS;
    whole.append(element("ul", { class: "findings" }, ...facts.findings.slice(0, MOST_FINDINGS).map((text) => element("li", { text }))));
    if (more > 0) whole.append(element("p", { class: "hint", text: `and ${more} more in identity` }));
  }
  if (facts.recipes.length) {
    const more = facts.recipes.length - MOST_RECIPES;
    whole.append(element("h3", { text: "What was made from what" }),
      element("ul", { class: "findings recipes" }, ...facts.recipes.slice(0, MOST_RECIPES).map((text) => element("li", { text }))));
    if (more > 0) whole.append(element("p", { class: "hint", text: `and ${more} more in recipes` }));
  }
  if (facts.path) whole.append(...await pathPart(given));
  whole.append(
    element("h3", { text: "Look closer" }),
    element("ul", { class: "hints" }, ...[
      "Put the cursor on a model anywhere: it lights up everywhere.",
      "Click one for its card; with Shift, or a cell of the heatmap, two are compared.",
      "The wheel brings the heatmap from all models to one cell, and the map closer.",
      "? lists the keys; the address holds all that you chose.",
    ].map((text) => element("li", { text }))),
  );
  const links = [...facts.links, ...facts.recipe_links];
  if (links.length) {
    whole.append(element("h3", { text: "Files" }), element("ul", { class: "links" },
      ...links.map(([text, href]) => element("li", {}, fileLink(text, href)))));
  }
  return whole;
}

async function pathPart(given) {
  const { data, component, acts } = given;
  const path = data.facts.path[data.facts.components[component].name];
  if (!path) return [element("p", { class: "hint", text: "This component has no path: choose another." })];
  const degrees = (value) => (value === null ? "" : `${acts.number(value)}°`);
  const cell = (value, text = acts.number) => ({ text: value === null ? "–" : text(value), plain: value === null ? "" : String(value), sort: value ?? NaN });
  const found = [
    element("h3", { text: `The path: ${data.facts.components[component].title}` }),
    factList([
      ["steps", String(path.steps.length)],
      ["L2", path.length === null ? null : `${acts.number(path.length)} along the path`],
      ["L2 direct", path.direct === null ? null : `${acts.number(path.direct)} from first to last${path.root_sum_of_squares === null ? "" : `; steps at right angles would make it ${acts.number(path.root_sum_of_squares)}`}`],
      ["straightness", path.straightness === null ? null : `${acts.number(path.straightness)}: the distance from first to last over the sum of the steps`],
    ]),
    pathChart(data, path, acts),
    sortable({
      caption: "Steps",
      columns: [
        { title: "to" }, { title: "L2", isNumber: true, help: "length of the step" },
        { title: "angle", isNumber: true, help: "between this step and the one before: 0° is straight on, 180° is back" },
        { title: "from first", isNumber: true, help: "L2 distance from the first model" },
        { title: "straight", isNumber: true, help: "distance from the first over the sum of the steps so far" },
      ],
      rows: path.steps.map((step) => [
        { text: data.labels[step.to], plain: data.ids[step.to], press: () => acts.pair(step.from, step.to) },
        cell(step.l2), cell(step.angle, degrees), cell(step.from_first), cell(step.straightness),
      ]),
    }),
  ];
  return [...found, ...await blocksOverTime(given)];
}

/** Steps as bars, and the distance from the first as a line. */
function pathChart(data, path, acts) {
  const { wide, high, side } = CHART;
  const most = Math.max(...path.steps.map(({ l2, from_first: far }) => Math.max(l2 ?? 0, far ?? 0))) || 1;
  const width = (wide - 2 * side) / path.steps.length;
  const y = (value) => high - (value / most) * (high - 12);
  const chart = drawn("svg", { viewBox: `0 0 ${wide} ${high + 14}`, class: "histogram", role: "img", "aria-label": "steps of the path" });
  const line = [];
  path.steps.forEach((step, at) => {
    const x = side + at * width;
    if (step.l2 !== null) {
      const bar = drawn("rect", { x: x + width * 0.2, y: y(step.l2), width: width * 0.6, height: high - y(step.l2) });
      bar.append(drawn("title", { text: `to ${data.labels[step.to]}: ${acts.number(step.l2)}` }));
      chart.append(bar);
    }
    if (step.from_first !== null) line.push(`${x + width / 2},${y(step.from_first)}`);
  });
  chart.append(drawn("polyline", { points: line.join(" "), class: "line" }),
    drawn("text", { x: side, y: high + 12, text: "bars: steps; line: L2 from the first" }));
  return chart;
}

async function blocksOverTime({ data, component, look, isDark, acts }) {
  const shown = blocksComponent(data, component);
  if (shown < 0) return [];
  const blocks = await data.blocks(shown);
  const [first, ...later] = data.facts.order;
  const pairs = later.map((model) => data.pairOf(first, model));
  if (pairs.some((pair) => pair < 0)) return [];
  const rows = blocks.blocks.map((block) => element("tr", {},
    element("th", { scope: "row", text: block === WHOLE ? "all" : block, title: block }),
    ...later.map((model, at) =>
      partCell(blocks, pairs[at], block, WHOLE, { look, isDark, who: `${data.labels[model]}: ` }))));
  return [
    element("h3", { text: `Blocks over time: ${data.facts.components[shown].title}` }),
    element("p", { class: "hint", text: `relative L2 from ${data.labels[first]}, a column for each later model` }),
    element("table", { class: "strip" },
      element("thead", {}, element("tr", {}, element("th"), ...later.map((model) =>
        element("th", { scope: "col", title: data.labels[model] }, element("span", { text: data.labels[model] }))))),
      element("tbody", {}, ...rows)), stripScale(blocks, acts.number, { look, isDark }),
  ];
}
