/** Tables of the page: sorted by a click on a heading, copied as CSV. */

import { button, element } from "./elements.js";
import { copy } from "./exporting.js";

/**
 * Return a table.
 *
 * @param {object} given `caption`; `columns` of {title, isNumber, help}; `rows` of cells, each a text
 *   or {text, plain, sort, press, class}: `plain` goes into the CSV, `sort` is what orders it
 */
export function sortable({ caption, columns, rows }) {
  let sorted = [...rows];
  let order = { at: -1, isDown: false };
  const body = element("tbody");
  const heads = columns.map((column, at) => element("th", {
    scope: "col", class: column.isNumber ? "number" : null, title: column.help ?? null,
  }, button(column.title, "Sort by this", () => sort(at))));
  const fill = () => body.replaceChildren(...sorted.map((row) =>
    element("tr", {}, ...row.map((cell, at) => cellOf(cell, columns[at])))));
  const sort = (at) => {
    const isDown = order.at === at ? !order.isDown : Boolean(columns[at].isNumber);
    order = { at, isDown };
    const keyed = rows.map((row) => [keyOf(row[at]), row]);
    keyed.sort(([one], [other]) => compared(one, other) * (isDown ? -1 : 1));
    sorted = keyed.map(([, row]) => row);
    heads.forEach((head, place) => head.setAttribute("aria-sort",
      place === at ? (isDown ? "descending" : "ascending") : "none"));
    fill();
  };
  fill();
  const copied = button("copy CSV", "Copy this table as comma-separated values", async () => {
    copied.textContent = (await copy(csvOf(columns, sorted))) ? "copied" : "not allowed";
  });
  copied.className = "small";
  const table = element("table", { class: "sortable" },
    element("thead", {}, element("tr", {}, ...heads)), body);
  return element("div", { class: "table" },
    element("header", {}, element("h3", { text: caption }), copied), element("div", { class: "wide" }, table));
}

function cellOf(cell, column) {
  const told = typeof cell === "string" ? { text: cell } : cell;
  const made = element("td", { class: [column.isNumber ? "number" : "", told.class ?? ""].join(" ").trim() || null });
  if (told.press) made.append(element("button", { type: "button", class: "link", text: told.text, on: { click: told.press } }));
  else made.textContent = told.text;
  return made;
}

function keyOf(cell) {
  return typeof cell === "string" ? cell : cell.sort ?? cell.text;
}

function compared(one, other) {
  if (typeof one === "number" && typeof other === "number") {
    return Number(Number.isNaN(one)) - Number(Number.isNaN(other)) || one - other;
  }
  return String(one).localeCompare(String(other), "en", { numeric: true });
}

/** Return rows as CSV: quoted where they must be, and no cell is a formula. */
export function csvOf(columns, rows) {
  const lines = [columns.map((column) => column.title), ...rows.map((row) => row.map((cell) =>
    (typeof cell === "string" ? cell : cell.plain ?? cell.text)))];
  return `${lines.map((line) => line.map(quoted).join(",")).join("\n")}\n`;
}

function quoted(text) {
  const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
