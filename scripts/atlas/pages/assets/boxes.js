/** Boxes on a plane of which no two overlap, and dots: [left, top, right, bottom] in pixels. */

const ACROSS = 64;
const UP = 16;
const APART = 2;
const STRIDE = 2 ** 15; // two cells of one key cost time, and change nothing

/** What is taken so far, by cells. */
export class Boxes {
  constructor() {
    this.cells = new Map();
  }

  /** Return whether a box overlaps none of those that are taken. */
  isFree(box) {
    return cellsOf(box).every((cell) =>
      !this.cells.get(cell)?.some((other) => overlaps(box, other)));
  }

  take(box) {
    for (const cell of cellsOf(box)) into(this.cells, cell, box);
  }
}

/** Dots, to be counted within boxes. */
export class Dots {
  /** @param {number[][]} dots [x, y] of each */
  constructor(dots) {
    this.cells = new Map();
    for (const dot of dots) into(this.cells, cellAt(...dot), dot);
  }

  /** Return how many dots a box covers. */
  within(box) {
    let count = 0;
    for (const cell of cellsOf(box)) {
      for (const [x, y] of this.cells.get(cell) ?? []) {
        count += x > box[0] - APART && x < box[2] + APART && y > box[1] - APART && y < box[3] + APART;
      }
    }
    return count;
  }
}

function into(cells, cell, what) {
  if (cells.has(cell)) cells.get(cell).push(what);
  else cells.set(cell, [what]);
}

function cellAt(x, y) {
  return Math.floor(x / ACROSS) * STRIDE + Math.floor(y / UP);
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
