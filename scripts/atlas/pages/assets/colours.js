/** Colours of categories and of numbers, as the static pictures have them. */

function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function mixed(one, other, share) {
  return one.map((value, place) => Math.round(value + (other[place] - value) * share));
}

/** Return as many colours for categories as there are, and whether they come round again. */
export function categoryColours(base, count, isDark) {
  const plain = base.map(channels);
  const towards = [
    [[255, 255, 255], isDark ? 0.25 : 0],
    [[255, 255, 255], isDark ? 0.62 : 0.45],
    [isDark ? [255, 255, 255] : [0, 0, 0], isDark ? 0.8 : 0.4],
  ];
  const all = towards.flatMap(([target, share]) => plain.map((c) => mixed(c, target, share)));
  const colours = Array.from({ length: count }, (_, place) => all[place % all.length]);
  return { colours, repeats: count > all.length };
}

/** Return the colour at a place from 0 to 1 of a ramp. */
export function rampColour(ramp, share) {
  const stops = ramp.map(channels);
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return mixed(stops[low], stops[low + 1], at - low);
}

/** Return a colour of CSS. */
export function css(colour) {
  return `rgb(${colour.join(" ")})`;
}

/** Return a colour that the style sheet names, as channels. */
export function named(variable) {
  return channels(getComputedStyle(document.documentElement).getPropertyValue(variable).trim());
}
