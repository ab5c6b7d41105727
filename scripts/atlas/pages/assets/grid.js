/** Find the nearest of many points: a grid in the map's own coordinates, exact at any zoom. */

/** Points of one view that may be hit. */
export class Grid {
  /**
   * @param {Float32Array} x
   * @param {Float32Array} y
   * @param {Int32Array} points which of them may be hit
   */
  constructor(x, y, points) {
    this.x = x;
    this.y = y;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const point of points) {
      left = Math.min(left, x[point]);
      right = Math.max(right, x[point]);
      low = Math.min(low, y[point]);
      high = Math.max(high, y[point]);
    }
    const side = Math.max(right - left, high - low, 1e-9);
    const across = Math.max(1, Math.min(512, Math.ceil(Math.sqrt(points.length / 2))));
    this.left = left;
    this.low = low;
    this.cell = side / across;
    this.columns = Math.max(1, Math.floor((right - left) / this.cell) + 1);
    this.rows = Math.max(1, Math.floor((high - low) / this.cell) + 1);
    const cells = points.length ? this.columns * this.rows : 0;
    this.starts = new Int32Array(cells + 1);
    const places = points.map((point) => this.place(x[point], y[point]));
    for (const place of places) this.starts[place + 1] += 1;
    for (let i = 0; i < cells; i += 1) this.starts[i + 1] += this.starts[i];
    this.points = new Int32Array(points.length);
    const next = this.starts.slice();
    points.forEach((point, i) => {
      this.points[next[places[i]]] = point;
      next[places[i]] += 1;
    });
  }

  place(x, y) {
    const column = Math.min(Math.floor((x - this.left) / this.cell), this.columns - 1);
    const row = Math.min(Math.floor((y - this.low) / this.cell), this.rows - 1);
    return row * this.columns + column;
  }

  /** Return the nearest point within a distance, the lower one of equals, or -1. */
  nearest(x, y, most) {
    if (!this.points.length) return -1;
    const column = Math.floor((x - this.left) / this.cell);
    const row = Math.floor((y - this.low) / this.cell);
    let best = -1;
    let least = most * most;
    const outside = Math.max(-column, column - this.columns + 1, -row, row - this.rows + 1, 0);
    const last = Math.max(this.columns, this.rows) + outside;
    for (let ring = outside; ring <= last; ring += 1) {
      const gap = (ring - 1) * this.cell;
      if (gap > 0 && gap * gap > least) break;
      for (const place of this.ring(column, row, ring)) {
        for (let i = this.starts[place]; i < this.starts[place + 1]; i += 1) {
          const point = this.points[i];
          const far = (this.x[point] - x) ** 2 + (this.y[point] - y) ** 2;
          if (far < least || (far === least && (best < 0 || point < best))) {
            least = far;
            best = point;
          }
        }
      }
    }
    return best;
  }

  /** Yield the cells at a distance of so many cells, as far as there are any. */
  *ring(column, row, distance) {
    const inside = (c, r) => c >= 0 && r >= 0 && c < this.columns && r < this.rows;
    for (let c = column - distance; c <= column + distance; c += 1) {
      const edge = Math.abs(c - column) === distance;
      const step = edge || distance === 0 ? 1 : 2 * distance;
      for (let r = row - distance; r <= row + distance; r += step) {
        if (inside(c, r)) yield r * this.columns + c;
      }
    }
  }
}
