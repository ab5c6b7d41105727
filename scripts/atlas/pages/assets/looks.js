/** Colours, sizes and order of all points, as the model has them now. */

import { categoryColours, named, rampColour } from "./colours.js";
import { BASE, FILTERED, VISIBLE } from "./model.js";

const SIZES = [[200, 11], [1000, 8], [5000, 6], [20000, 4.6], [Infinity, 3.4]];

/** Return the diameter of a point, in pixels. */
export function pointSize(count, zoom) {
  const [, size] = SIZES.find(([most]) => count <= most);
  return size * Math.min(Math.max(zoom, 1) ** 0.25, 2);
}

/** Return {colours: 4 bytes a point, order: points from the lowest to the uppermost}. */
export function looksOf(model, look, isDark) {
  const colours = new Uint8Array(4 * model.size);
  const grey = named("--faint");
  const plain = named("--plain");
  const paint = painter(model.colour, look, isDark, plain, named("--lacking"));
  const layers = [[], [], [], []];
  for (const point of model.current.points) {
    const status = model.status[point];
    if (!status) continue;
    const isLeftOut = model.selected.size > 0 && !model.selected.has(point);
    let colour = grey;
    let alpha = 255;
    let layer = 0;
    if (status === FILTERED) alpha = 90;
    else if (status === BASE) {
      layer = 1;
      alpha = 200;
    } else if (status === VISIBLE) {
      colour = paint(point);
      layer = isLeftOut ? 2 : 3;
      alpha = isLeftOut ? 70 : 235;
    }
    colours.set([...colour, alpha], 4 * point);
    layers[layer].push(point);
  }
  return { colours, order: layers.flat() };
}

function painter(column, look, isDark, plain, lacking) {
  if (column === null) return () => plain;
  if (column.isCategory) {
    const { colours } = categoryColours(look.categories, column.categories.length, isDark);
    return (point) => colours[column.values[point]] ?? lacking;
  }
  const ramp = isDark ? [...look.ramp].reverse() : look.ramp;
  const width = column.high - column.low || 1;
  return (point) => {
    const value = column.values[point];
    return Number.isNaN(value) ? lacking : rampColour(ramp, (value - column.low) / width);
  };
}
