/** How far each block and role of a component moved between two models: a grid of colours. */

import { css } from "./colours.js";
import { ABSENT, IDENTICAL, NOT_COMPARED, SHARED, UNDEFINED, ZERO } from "./decimals.js";
import { element } from "./elements.js";
import { distanceColour } from "./shading.js";

const ALL_PARTS = "*";
const ROLE_TITLES = {
  self_attention: "self-attention", cross_attention: "cross-attention", feed_forward: "feed forward",
};
const STATUS_CLASS = { [NOT_COMPARED]: "none", [IDENTICAL]: "same", [ZERO]: "same", [SHARED]: "shared", [UNDEFINED]: "shared" };
const SIGN_OF = { [IDENTICAL]: "=", [SHARED]: "=", [ZERO]: "0", [UNDEFINED]: "?" };

/** Return a role as people write it; `*` stands for all. */
export function roleTitle(role) {
  return role === ALL_PARTS ? "all" : ROLE_TITLES[role] ?? role.replaceAll("_", " ");
}

/**
 * Return the grid of a pair: a row for each block, a column for each role, and both totals.
 *
 * @param {object} blocks of a component
 * @param {number} pair
 */
export function partStrip(blocks, pair, { look, isDark }) {
  const roles = [ALL_PARTS, ...blocks.roles.filter((role) => role !== ALL_PARTS)]
    .filter((role) => blocks.blocks.some((block) => isThere(blocks, pair, block, role)));
  const rows = [ALL_PARTS, ...blocks.blocks.filter((block) => block !== ALL_PARTS)]
    .filter((block) => isThere(blocks, pair, block, ALL_PARTS));
  const head = element("tr", {}, element("th"), ...roles.map((role) =>
    element("th", { scope: "col" }, element("span", { text: roleTitle(role) }))));
  const body = rows.map((block) => element("tr", { class: block === ALL_PARTS ? "total" : null },
    element("th", { scope: "row", text: block === ALL_PARTS ? "all" : block, title: block }),
    ...roles.map((role) => partCell(blocks, pair, block, role, { look, isDark }))));
  return element("table", { class: "strip" }, element("thead", {}, head), element("tbody", {}, ...body));
}

function isThere(blocks, pair, block, role) {
  const at = blocks.at(pair, block, role);
  return at >= 0 && blocks.numbers.code(at) !== ABSENT;
}

/** Return the cell of a block and role; `who` stands before what its tip says. */
export function partCell(blocks, pair, block, role, { look, isDark, who = "" }) {
  const at = blocks.at(pair, block, role);
  if (!isThere(blocks, pair, block, role)) return element("td", { class: "absent" });
  const code = blocks.numbers.code(at);
  const isPartial = blocks.partial[at] === 1;
  const where = [block, role].map((part) => (part === ALL_PARTS ? "all" : part)).join(", ");
  const text = `${who}${where}: ${blocks.numbers.text(at)}${isPartial ? ", compared in part" : ""}`;
  const cell = element("td", {
    title: text, "data-part": `${block}/${role}`, "data-value": blocks.numbers.text(at),
    class: [STATUS_CLASS[code] ?? "", isPartial ? "partial" : ""].join(" ").trim() || null,
    text: SIGN_OF[code] ?? "",
  });
  if (code < 0) {
    cell.style.backgroundColor = css(distanceColour(look, isDark, blocks.scale.place(blocks.numbers.value(at))));
  }
  return cell;
}

/** Return what the colours of a component's grids mean. */
export function stripScale(blocks, number, { look, isDark }) {
  if (!blocks.scale.knots) return element("p", { class: "hint", text: "No part of it differs." });
  const bar = element("div", { class: "ramp", "aria-hidden": "true" });
  const stops = Array.from({ length: 9 }, (_, at) => css(distanceColour(look, isDark, at / 8)));
  bar.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
  const ends = [0, 0.5, 1].map((at) => element("span", { text: number(blocks.scale.value(at)) }));
  return element("div", { class: "scale" }, bar, element("div", { class: "ends" }, ...ends));
}
