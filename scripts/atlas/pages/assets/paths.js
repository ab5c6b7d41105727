/** Paths: thin lines from points to those that they come from, on a canvas beneath the points. */

import { element } from "./elements.js";
import { fit } from "./scatter.js";

const BATCH = 16;
const FAINT = { width: 1, least: 0.2, most: 0.5, of: 9 };
const STRONG = { width: 1.7, alpha: 0.9 };

/** Draw all paths faintly, and some of them strongly. */
export function drawPaths(canvas, camera, origins, { lines, strong, place, look }) {
  const ratio = window.devicePixelRatio || 1;
  fit(canvas, camera, ratio);
  // drawn by the processor: thousands of lines are slow for what stands in for a graphics card
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, camera.width, camera.height);
  const seen = lines.filter((point) => crosses(place(point), place(origins[point]), camera));
  context.strokeStyle = look.soft;
  context.lineWidth = FAINT.width;
  const thin = FAINT.of / Math.sqrt(lines.length);
  context.globalAlpha = Math.min(Math.max(thin, FAINT.least), FAINT.most);
  stroke(context, seen, origins, place);
  drawStrong(context, origins, { strong, place, look });
}

/** Draw some paths strongly, with a ring around where each begins. */
export function drawStrong(context, origins, { strong, place, look }) {
  context.strokeStyle = look.accent;
  context.lineWidth = STRONG.width;
  context.globalAlpha = STRONG.alpha;
  stroke(context, strong, origins, place);
  context.globalAlpha = 1;
  for (const origin of new Set([...strong].map((point) => origins[point]))) {
    context.beginPath();
    context.arc(...place(origin), look.size / 2 + 2.5, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** Lines in small batches: one path of thousands is slow, and so is one stroke a line. */
function stroke(context, lines, origins, place) {
  for (let start = 0; start < lines.length; start += BATCH) {
    context.beginPath();
    for (const point of lines.slice(start, start + BATCH)) {
      context.moveTo(...place(origins[point]));
      context.lineTo(...place(point));
    }
    context.stroke();
  }
}

/** Return whether a line may be seen: its ends are not both beyond one edge. */
function crosses([x, y], [otherX, otherY], camera) {
  return Math.max(x, otherX) >= 0 && Math.min(x, otherX) <= camera.width
    && Math.max(y, otherY) >= 0 && Math.min(y, otherY) <= camera.height;
}

/** Return what tells of the lines, for the side. */
export function pathsKey() {
  const line = (kind, text) => element(
    "li", {}, element("span", { class: `stroke ${kind}`, "aria-hidden": "true" }),
    element("span", { text }),
  );
  return element(
    "section", { class: "paths-key", hidden: true }, element("h2", { text: "Paths" }),
    element("ul", {},
      line("faint", "from a point to the one that it comes from"),
      line("strong", "all of one origin (ringed): of the point under the cursor, chosen, or selected"),
    ),
  );
}
