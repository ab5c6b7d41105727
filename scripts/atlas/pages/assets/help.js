/** The dialog that tells what mouse and keys do. */

import { element } from "./elements.js";

const LINES = [
  ["drag, arrow keys", "move the map"],
  ["wheel, + and −", "come closer, go back"],
  ["0", "see everything"],
  ["click", "pin a point and its neighbours"],
  ["n, p", "next, previous of the pinned point's neighbours"],
  ["l, or shift and drag", "draw a lasso"],
  ["click in the legend", "hide or show; with Alt only this one"],
  ["/", "search; Enter and Shift-Enter go through what was found"],
  ["[ and ]", "previous, next view"],
  ["c", "colour by the next column"],
  ["d", "dark or light"],
  ["Escape", "let go of lasso, search, or point"],
  ["?", "this list"],
];
const PATHS = ["o", "paths to where points come from, or none"];
const LABELS = ["t", "texts beside points, or none"];

/** Return the dialog, for what the model has. */
export function helpDialog(model) {
  const lines = [
    ...LINES.slice(0, -2), ...(model.families ? [PATHS] : []), ...(model.hasLabels ? [LABELS] : []),
    ...LINES.slice(-2),
  ];
  return keysDialog(lines, "The address of this page holds all that you chose: keep or send it.");
}

/** Return a dialog of what keys do, with a sentence below them. */
export function keysDialog(lines, sentence) {
  const rows = lines.map(([keys, what]) =>
    element("tr", {}, element("th", { text: keys, scope: "row" }), element("td", { text: what })));
  const close = element("button", { type: "submit", text: "Close" });
  return element(
    "dialog", { class: "help", "aria-label": "mouse and keys" },
    element("form", { method: "dialog" }, element("h2", { text: "Mouse and keys" }),
      element("table", {}, ...rows), element("p", { text: sentence }), close),
  );
}
