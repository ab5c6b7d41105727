/** Side by side bars of what images cost, and the table of it. */

import { element } from "./elements.js";
import { sortable } from "./tables.js";

const TERA = 1e12;
export const GB = 1e9;

/** Show a number with three significant digits. */
export function rounded(value) {
  if (value === 0) return "0";
  const told = Number(value.toPrecision(3));
  return told >= 1000 ? Math.round(told).toLocaleString("en") : String(told);
}

/** Return seconds with a unit that suits. */
export function duration(seconds) {
  if (seconds < 1) return `${rounded(1000 * seconds)} ms`;
  return seconds < 120 ? `${rounded(seconds)} s` : `${rounded(seconds / 60)} min`;
}

/** Return TMAC. */
export function teras(macs) {
  return Number(macs) / TERA;
}

/**
 * Return a chart of stacked bars.
 *
 * @param {object} given `title`, `note`; `rows` of {label, pieces: [[name, value, colour]], told,
 *   fault, isOver}; `line` of {value, label}, drawn across all bars
 */
export function bars({ title, note, rows, line = null }) {
  const sums = rows.map((row) => row.pieces.reduce((sum, [, value]) => sum + value, 0));
  const most = Math.max(...sums, line ? line.value : 0) || 1;
  const list = element("ol", { class: "bars" });
  rows.forEach((row, at) => {
    const bar = element("div", { class: "bar" });
    for (const [name, value, colour] of row.pieces) {
      if (value <= 0) continue;
      const piece = element("span", { title: `${name}: ${rounded((100 * value) / sums[at])} %` });
      piece.style.width = `${(100 * value) / most}%`;
      piece.style.background = colour;
      bar.append(piece);
    }
    if (line) {
      const mark = element("i", { class: "line", title: line.label });
      mark.style.left = `${(100 * line.value) / most}%`;
      bar.append(mark);
    }
    list.append(element("li", { class: row.isOver ? "over" : null },
      element("span", { class: "who", text: row.label, title: row.label }),
      row.fault ? element("span", { class: "fault", text: row.fault }) : bar,
      element("span", { class: "value", text: row.fault ? "–" : row.told })));
  });
  return element("section", { class: "chart", "aria-label": title },
    element("h2", { text: title }), element("p", { class: "hint", text: note }), list);
}

/** Return a legend of colours. */
export function colourKey(pairs) {
  return element("p", { class: "key" }, ...pairs.map(([name, colour]) => {
    const dot = element("span", { class: "dot" });
    dot.style.background = colour;
    return element("span", {}, dot, element("span", { text: name }));
  }));
}

/** Return the table of all that is told, to sort and to copy. */
export function table(entries) {
  const number = (text, plain) => ({ text, plain: String(plain), sort: Number(plain) });
  const columns = [
    ["architecture", false], ["pixels", false], ["steps", true], ["forwards a step", true],
    ["text tokens", true], ["TMAC a step", true], ["TMAC an image", true],
    ["bound of a step, s", true], ["bound of an image, s", true], ["limited by", false],
    ["GB, all resident", true], ["GB, by component", true], ["GB, by layer", true], ["fits", false],
    ["note", false],
  ].map(([title, isNumber]) => ({ title, isNumber }));
  const rows = entries.map(({ subject, question, found, fault, fits, isBig }) => {
    const head = [subject.label, `${question.width} × ${question.height}`];
    if (fault) return [...head, ...Array.from({ length: 11 }, () => "–"), "–", fault];
    const seconds = (value) => (value === null || value === undefined ? "–"
      : number(rounded(value), value));
    const bytes = (mode) => number(rounded(found.memory[mode] / GB), found.memory[mode] / GB);
    return [
      ...head, number(String(found.steps), found.steps), number(String(found.forwards), found.forwards),
      number(String(found.textTokens), found.textTokens),
      number(rounded(teras(found.stepMacs)), teras(found.stepMacs)),
      number(rounded(teras(found.imageMacs)), teras(found.imageMacs)),
      seconds(found.bounds.denoiser?.seconds), seconds(found.seconds), found.limit ?? "–",
      bytes("resident"), bytes("by_component"), bytes("by_layer"),
      { text: fits, class: isBig ? "fault" : null }, subject.note,
    ];
  });
  return sortable({ caption: "In numbers", columns, rows });
}
