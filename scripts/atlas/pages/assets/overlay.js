/** What lies above the points: lines to neighbours, rings around matches, the lasso. */

import { drawStrong } from "./paths.js";

const SHOWN_MATCHES = 3000;

/** Draw on a canvas of the map's size, and return its context. */
export function drawOverlay(canvas, camera, model, seen) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(camera.width * ratio);
  canvas.height = Math.round(camera.height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const { x, y } = model.current;
  const at = (point) => camera.toScreen(x[point], y[point]);
  const ring = (point, radius, width) => {
    if (!model.status[point]) return;
    const [px, py] = at(point);
    context.lineWidth = width;
    context.beginPath();
    context.arc(px, py, radius, 0, 2 * Math.PI);
    context.stroke();
  };
  context.strokeStyle = seen.accent;
  for (const point of model.matches.slice(0, SHOWN_MATCHES)) ring(point, seen.size / 2 + 3, 1.4);
  if (model.pinned >= 0 && model.status[model.pinned]) {
    context.strokeStyle = seen.ink;
    const [px, py] = at(model.pinned);
    for (const { point } of model.neighboursOf(model.pinned)) {
      if (!model.status[point]) continue;
      context.lineWidth = 0.8;
      context.globalAlpha = 0.55;
      context.beginPath();
      context.moveTo(px, py);
      context.lineTo(...at(point));
      context.stroke();
      context.globalAlpha = 1;
      ring(point, seen.size / 2 + 2, 1.2);
    }
    ring(model.pinned, seen.size / 2 + 4, 2.2);
  }
  if (seen.hovered >= 0) {
    if (model.wantsPaths) {
      const { families } = model;
      const strong = families.among(model, families.of(seen.hovered));
      drawStrong(context, families.origins, { strong, place: at, look: seen });
    }
    context.strokeStyle = seen.ink;
    ring(seen.hovered, seen.size / 2 + 3, 1.6);
  }
  const line = seen.lasso ?? model.polygon;
  if (line && line.length > 1) {
    context.strokeStyle = seen.accent;
    context.fillStyle = seen.accent;
    context.lineWidth = 1.3;
    context.setLineDash([5, 4]);
    context.beginPath();
    line.forEach(([px, py], place) => {
      const [sx, sy] = camera.toScreen(px, py);
      if (place) context.lineTo(sx, sy);
      else context.moveTo(sx, sy);
    });
    context.closePath();
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 0.07;
    context.fill();
    context.globalAlpha = 1;
  }
  return context;
}
