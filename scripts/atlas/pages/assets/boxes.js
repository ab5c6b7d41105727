/** Boxes on a plane of which no two overlap: [left, top, right, bottom] in pixels. */

const ACROSS = 64;
const UP = 16;
const APART = 2;
const STRIDE = 2 ** 24;

/** What is taken so far, by cells. */
export class Boxes {
  constructor() {
    this.cells = new Map();
  }

  /** Take a box where it overlaps none of those before it; return whether it was taken. */
  take(box) {
    const cells = cellsOf(box);
    for (const cell of cells) {
      if (this.cells.get(cell)?.some((other) => overlaps(box, other))) return false;
    }
    for (const cell of cells) {
      if (!this.cells.has(cell)) this.cells.set(cell, []);
      this.cells.get(cell).push(box);
    }
    return true;
  }
}

function cellsOf([left, top, right, bottom]) {
  const cells = [];
  for (let c = Math.floor((left - APART) / ACROSS); c <= (right + APART) / ACROSS; c += 1) {
    for (let r = Math.floor((top - APART) / UP); r <= (bottom + APART) / UP; r += 1) {
      cells.push(c * STRIDE + r);
    }
  }
  return cells;
}

function overlaps(one, other) {
  return one[0] < other[2] + APART && other[0] < one[2] + APART
    && one[1] < other[3] + APART && other[1] < one[3] + APART;
}
