/** Points inside a line that was drawn around them. */

/** Return whether a place lies inside a polygon of [x, y]. */
export function isInside(x, y, polygon) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Return a line with at most so many corners: every so manieth of it. */
export function thinned(polygon, most = 80) {
  const step = Math.ceil(polygon.length / most);
  return polygon.filter((_, place) => place % step === 0);
}
