/** Colours of distances and of models, in light and dark. */

import { categoryColours, css, named, rampColour } from "./colours.js";
import { placeOf, SHADE_NONE, SHADE_SAME, SHADE_SHARED, SHADE_ZERO } from "./group_data.js";

const LARGEST = 256;

/** Return the ramp from near to far: the end that stands out from the ground is near. */
export function rampOf(look, isDark) {
  return isDark ? look.ramp : [...look.ramp].reverse();
}

/** Return the colour of a place from 0, near, to 1, far. */
export function distanceColour(look, isDark, place) {
  return rampColour(rampOf(look, isDark), place);
}

/** Return RGBA as one whole number for each shade of a square. */
export function palette(look, isDark) {
  const packed = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red;
  const colours = new Uint32Array(LARGEST);
  for (let shade = 0; shade < SHADE_NONE; shade += 1) {
    colours[shade] = packed(distanceColour(look, isDark, placeOf(shade)));
  }
  colours[SHADE_NONE] = packed(named("--none"));
  colours[SHADE_SAME] = packed(named("--same"));
  colours[SHADE_ZERO] = packed(named("--same"));
  colours[SHADE_SHARED] = packed(named("--none"));
  return colours;
}

/** Return a colour of CSS for each model, by a column or in plain. */
export function modelColours(column, size, look, isDark) {
  const plain = css(named("--plain"));
  const lacking = css(named("--lacking"));
  if (column === null) return new Array(size).fill(plain);
  if (column.kind === "order") {
    const ramp = isDark ? look.making.map(brighter) : look.making;
    return column.values.map((value) => css(rampColour(ramp, value / Math.max(size - 1, 1))));
  }
  const { colours } = categoryColours(look.categories, column.categories.length, isDark);
  return column.values.map((code) => (code < 0 ? lacking : css(colours[code])));
}

function brighter(hex) {
  const mixed = [1, 3, 5].map((at) => Math.round(parseInt(hex.slice(at, at + 2), 16) * 0.65 + 255 * 0.35));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

const kept = new Map();

/** Return colours that the style sheet names, as CSS; kept until `forgetInks`, as asking is slow. */
export function inks(...names) {
  if (!kept.size) kept.set("style", getComputedStyle(document.documentElement));
  return names.map((name) => {
    if (!kept.has(name)) kept.set(name, kept.get("style").getPropertyValue(name).trim());
    return kept.get(name);
  });
}

/** Ask the style sheet anew: the theme may have changed. */
export function forgetInks() {
  kept.clear();
}

/** Return black or white, whichever is read on a colour. */
export function inkOn([red, green, blue]) {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#1d2433" : "#ffffff";
}
