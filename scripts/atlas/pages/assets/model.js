/** What the page knows and what is chosen: points, columns, views, filters. */

import { shown } from "./elements.js";
import { Families } from "./families.js";

export const ABSENT = 0;
export const BASE = 1;
export const FILTERED = 2;
export const VISIBLE = 3;

const SEARCHED = 200000;

/** One column of the points. */
class Column {
  constructor(facts, arrays) {
    Object.assign(this, facts);
    this.values = arrays.get(facts.array);
    this.isCategory = facts.kind === "category";
    this.hidden = new Set();
    this.range = null;
    if (!this.isCategory) this.measure();
    else this.count();
  }

  measure() {
    let [low, high, lacking] = [Infinity, -Infinity, 0];
    for (const value of this.values) {
      if (Number.isNaN(value)) lacking += 1;
      else {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    this.low = low === Infinity ? 0 : low;
    this.high = high === -Infinity ? 0 : high;
    this.lacking = lacking;
  }

  count() {
    this.counts = new Array(this.categories.length).fill(0);
    for (const code of this.values) if (code >= 0) this.counts[code] += 1;
  }

  /** Whether a point passes this column's filter. */
  passes(point) {
    const value = this.values[point];
    if (this.isCategory) return !this.hidden.has(value);
    if (this.range === null) return true;
    return value >= this.range[0] && value <= this.range[1];
  }

  /** What a point's value is called. */
  text(point) {
    const value = this.values[point];
    return this.isCategory ? (value < 0 ? null : this.categories[value]) : value;
  }

  get isFiltering() {
    return this.hidden.size > 0 || this.range !== null;
  }

  clear() {
    this.hidden.clear();
    this.range = null;
  }
}

/** All of the page's state that is not about drawing. */
export class Model {
  constructor(facts, arrays) {
    this.facts = facts;
    this.size = facts.ids.length;
    this.ids = facts.ids;
    this.place = new Map(facts.ids.map((id, point) => [id, point]));
    this.columns = facts.columns.map((column) => new Column(column, arrays));
    this.byName = new Map(this.columns.map((column) => [column.name, column]));
    this.base = facts.base ? arrays.get(facts.base) : null;
    this.families = facts.origins ? new Families(arrays.get(facts.origins)) : null;
    this.hasLabels = facts.label !== null;
    this.wantsPaths = this.families !== null;
    this.wantsLabels = this.hasLabels;
    this.views = facts.views.map((view) => this.viewOf(view, arrays));
    this.view = 0;
    this.colour = this.byName.get(facts.colour) ?? null;
    this.only = new Map();
    this.search = "";
    this.matches = [];
    this.pinned = -1;
    this.polygon = null;
    this.selected = new Set();
    this.status = new Uint8Array(this.size);
    this.texts = null;
  }

  viewOf(facts, arrays) {
    const rows = arrays.get(facts.rows);
    const x = new Float32Array(this.size).fill(NaN);
    const y = new Float32Array(this.size).fill(NaN);
    const inView = new Int32Array(this.size).fill(-1);
    const [ownX, ownY] = [arrays.get(facts.x), arrays.get(facts.y)];
    rows.forEach((point, row) => {
      x[point] = ownX[row];
      y[point] = ownY[row];
      inView[point] = row;
    });
    return {
      ...facts, points: rows, x, y, row: inView,
      neighbours: arrays.get(facts.neighbours) ?? null,
      distances: arrays.get(facts.distances) ?? null,
    };
  }

  get current() {
    return this.views[this.view];
  }

  /** Find anew who is absent, base, filtered or visible. */
  sift() {
    const filters = this.columns.filter((column) => column.isFiltering);
    const switches = [...this.only].map(([name, code]) => [this.byName.get(name), code]);
    this.status.fill(ABSENT);
    for (const point of this.current.points) {
      if (switches.some(([column, code]) => column.values[point] !== code)) continue;
      if (!filters.every((column) => column.passes(point))) this.status[point] = FILTERED;
      else this.status[point] = this.base !== null && this.base[point] ? BASE : VISIBLE;
    }
  }

  /** Whether a point is in the view and left out by nothing. */
  isThere(point) {
    return this.status[point] === VISIBLE || this.status[point] === BASE;
  }

  /** Return the points that can be hit. */
  reachable() {
    return this.current.points.filter((point) => this.isThere(point));
  }

  /** Return all that come from where a point comes from, with it; none where it is alone. */
  familyOf(point) {
    const family = this.families?.of(point) ?? [];
    return family.length > 1 ? family : [];
  }

  /** Return the text that is written beside a point. */
  labelOf(point) {
    const column = this.byName.get(this.facts.label);
    if (!column) return this.ids[point];
    const value = column.text(point);
    if (column.isCategory) return value ?? "";
    return Number.isNaN(value) ? "" : shown(value);
  }

  /** Return [left, right, low, high] of the points of this view. */
  bounds() {
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    const { points, x, y } = this.current;
    for (const point of points) {
      left = Math.min(left, x[point]);
      right = Math.max(right, x[point]);
      low = Math.min(low, y[point]);
      high = Math.max(high, y[point]);
    }
    return left === Infinity ? [0, 1, 0, 1] : [left, right, low, high];
  }

  /** Return [{point, distance}] of a point's nearest in this view, the nearest first. */
  neighboursOf(point) {
    const { neighbours, distances, row, k } = this.current;
    if (neighbours === null || row[point] < 0) return [];
    const start = row[point] * k;
    const found = [];
    for (let i = start; i < start + k; i += 1) {
      if (neighbours[i] >= 0) found.push({ point: neighbours[i], distance: distances[i] });
    }
    return found;
  }

  /** Find points by their id or by a text that belongs to them. */
  find(text) {
    this.search = text;
    const wanted = text.trim().toLowerCase();
    this.matches = [];
    if (!wanted) return;
    this.texts ??= this.ids.map((id, point) => this.textOf(id, point));
    for (const point of this.current.points) {
      if (this.isThere(point) && this.texts[point].includes(wanted)) this.matches.push(point);
      if (this.matches.length >= SEARCHED) break;
    }
  }

  textOf(id, point) {
    const texts = this.columns.filter((c) => c.isCategory).map((c) => c.text(point) ?? "");
    return [id, ...texts].join("\n").toLowerCase();
  }
}
