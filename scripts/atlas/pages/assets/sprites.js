/** Small images of points, cut out of sheets that are decoded when they are first asked for. */

import { bytesOf, embedded } from "./unpack.js";

/** Images by point. */
export class Sprites {
  /** @param {?object} facts `side`, `columns`, `per_sheet`, `cell` (array: cell of a point, or -1) */
  constructor(facts, arrays) {
    this.facts = facts;
    this.cells = facts ? arrays.get(facts.cells) : null;
    this.addresses = new Map();
  }

  has(point) {
    return this.cells !== null && this.cells[point] >= 0;
  }

  address(sheet) {
    if (!this.addresses.has(sheet)) {
      const blob = new Blob([bytesOf(embedded(`sheet-${sheet}`))], { type: "image/webp" });
      this.addresses.set(sheet, URL.createObjectURL(blob));
    }
    return this.addresses.get(sheet);
  }

  /** Return an element that shows a point's image, so many pixels wide, or null. */
  image(point, pixels) {
    if (!this.has(point)) return null;
    const { side, columns, per_sheet: perSheet, rows } = this.facts;
    const cell = this.cells[point];
    const inside = cell % perSheet;
    const shown = document.createElement("div");
    shown.className = "sprite";
    shown.setAttribute("role", "img");
    shown.setAttribute("aria-label", "image of this point");
    const factor = pixels / side;
    shown.style.width = `${pixels}px`;
    shown.style.height = `${pixels}px`;
    shown.style.backgroundImage = `url(${this.address(Math.floor(cell / perSheet))})`;
    shown.style.backgroundSize = `${columns * side * factor}px ${rows * side * factor}px`;
    shown.style.backgroundPosition =
      `${-(inside % columns) * pixels}px ${-Math.floor(inside / columns) * pixels}px`;
    return shown;
  }
}
