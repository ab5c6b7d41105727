/**
 * Texts beside points, where there is room.
 *
 * Room is given on the whole map, in one order, at each zoom: panning moves the texts that there
 * are, and changes none of them. Of more than the most at once, those stay that were seen before.
 * A text covers as few points as may be, and does not stand twice in one place.
 */

import { Boxes, Dots } from "./boxes.js";

const FONT = '11px "DejaVu Sans", Verdana, system-ui, sans-serif';
const MOST = 150;
const LONGEST = 24;
const WIDEST = 190;
const HALF = 7;
const GAP = 3;
const SAME = 90;
const HALO = 3;
const SPREAD = 2654435761;

/** Return a text on one line, cut off; it is turned by none but its own direction. */
export function labelText(text, longest = LONGEST) {
  const plain = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  if (!plain) return "";
  const letters = [...plain];
  const cut = letters.length > longest ? `${letters.slice(0, longest - 1).join("").trimEnd()}…` : plain;
  return `\u2068${cut}\u2069`; // isolated: its own first letter says which way it runs
}

/** Where labels are, and which of them are seen. */
export class Labels {
  constructor(model) {
    this.model = model;
    this.texts = new Map();
    this.order = inOrder(model);
    this.seen = [];
    this.forget();
  }

  /** Give room anew: filters, selection or view have changed. */
  forget() {
    this.made = null;
  }

  /** Draw the labels that the camera sees. */
  draw(context, camera, { size, ink, ground }) {
    context.font = FONT;
    context.textAlign = "left";
    context.textBaseline = "middle";
    this.seen = this.choose(context, camera, size);
    context.lineJoin = "round";
    context.lineWidth = HALO;
    context.strokeStyle = ground;
    context.fillStyle = ink;
    for (const { text, box, overhang } of this.seen) {
      const at = [box[0] + overhang, (box[1] + box[3]) / 2];
      context.strokeText(text, ...at);
      context.fillText(text, ...at);
    }
  }

  hide() {
    this.seen = [];
  }

  choose(context, camera, size) {
    const { scale, middle: [x, y], width, height } = camera;
    const [dx, dy] = [width / 2 - x * scale, height / 2 + y * scale];
    const before = new Set(this.seen.map(({ point }) => point));
    const inside = this.placed(context, scale, size)
      .map((one) => ({ ...one, box: moved(one.box, dx, dy) }))
      .filter(({ box }) => box[0] >= 0 && box[1] >= 0 && box[2] <= width && box[3] <= height);
    if (inside.length <= MOST) return inside;
    const stays = (one) => one.isFirst || before.has(one.point);
    return [...inside.filter(stays), ...inside.filter((one) => !stays(one))].slice(0, MOST);
  }

  /** Return the labels of the whole map at a scale, as pixels from the map's origin. */
  placed(context, scale, size) {
    const { model } = this;
    const wanted = `${scale} ${size} ${model.pinned}`;
    if (this.made?.wanted === wanted) return this.made.labels;
    const { x, y } = model.current;
    const at = (point) => [x[point] * scale, -y[point] * scale];
    const there = this.order.filter((point) => model.isThere(point));
    const dots = new Dots(there.map(at));
    const boxes = new Boxes();
    const same = new Map();
    const first = new Set(model.pinned < 0 ? [] : [model.pinned, ...model.familyOf(model.pinned)]);
    const labels = [];
    const [sooner, later] = [true, false].map((isFirst) =>
      there.filter((point) => first.has(point) === isFirst));
    for (const point of [...sooner, ...later]) {
      if (model.selected.size && !model.selected.has(point)) continue;
      const measured = this.measure(context, point);
      if (measured === null) continue;
      const place = at(point);
      const others = same.get(measured.text) ?? [];
      if (others.some(([px, py]) => Math.hypot(px - place[0], py - place[1]) < SAME)) continue;
      const box = clearest(sides(place, measured, size / 2 + GAP), boxes, dots);
      if (box === null) continue;
      boxes.take(box);
      same.set(measured.text, [...others, place]);
      labels.push({ point, box, isFirst: first.has(point), ...measured });
    }
    this.made = { wanted, labels };
    return labels;
  }

  /** Return {text, width, half, overhang} of a point's label, or null where it has none. */
  measure(context, point) {
    const whole = this.model.labelOf(point);
    if (!this.texts.has(whole)) this.texts.set(whole, fitted(context, whole));
    return this.texts.get(whole);
  }
}

/** Return all points: first those that come from none, and each kind well mixed. */
function inOrder(model) {
  const later = (point) => (model.families?.origins[point] ?? -1) >= 0;
  const rank = Array.from({ length: model.size },
    (_, point) => Number(later(point)) * 2 ** 32 + ((Math.imul(point, SPREAD) >>> 0)));
  return rank.map((_, point) => point).sort((one, other) => rank[one] - rank[other]);
}

function fitted(context, whole) {
  for (let longest = LONGEST; longest > 0; longest = Math.floor(longest / 2)) {
    const text = labelText(whole, longest);
    if (!text) return null;
    const told = context.measureText(text);
    const overhang = Math.max(told.actualBoundingBoxLeft, 0);
    const width = overhang + Math.max(told.width, told.actualBoundingBoxRight);
    const half = Math.max(HALF, told.actualBoundingBoxAscent, told.actualBoundingBoxDescent);
    if (width <= WIDEST && half <= 2 * HALF) return { text, width, half, overhang };
  }
  return null;
}

/** Return the boxes beside a place: right, left, above, below. */
function sides([x, y], { width, half }, gap) {
  return [
    [x + gap, y - half, x + gap + width, y + half],
    [x - gap - width, y - half, x - gap, y + half],
    [x - width / 2, y - gap - 2 * half, x + width / 2, y - gap],
    [x - width / 2, y + gap, x + width / 2, y + gap + 2 * half],
  ];
}

/** Return the free box that covers the fewest dots, the first of equals, or null. */
function clearest(candidates, boxes, dots) {
  let [best, least] = [null, Infinity];
  for (const box of candidates) {
    if (!boxes.isFree(box)) continue;
    const covered = dots.within(box);
    if (covered < least) [best, least] = [box, covered];
    if (!least) break;
  }
  return best;
}

function moved([left, top, right, bottom], dx, dy) {
  return [left + dx, top + dy, right + dx, bottom + dy];
}
