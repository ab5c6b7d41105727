/** Mouse and touch on the map: move, zoom, point, click, lasso. */

const CLICK = 4;

/**
 * Listen on an element.
 *
 * @param {HTMLElement} area
 * @param {object} acts pan(dx, dy), zoom(factor, x, y), point(x, y), leave(), click(x, y, hasShift),
 *   lasso(points, isDone); x and y are pixels from the area's corner
 * @param {function} wantsLasso whether a drag is to draw a lasso
 */
export function listen(area, acts, wantsLasso) {
  const pointers = new Map();
  let start = null;
  let line = null;

  const place = (event) => {
    const box = area.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const apart = () => {
    const [one, other] = [...pointers.values()];
    return Math.hypot(one[0] - other[0], one[1] - other[1]);
  };

  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    area.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    start = { at: place(event), moved: false };
    line = event.shiftKey || wantsLasso() ? [place(event)] : null;
  });
  area.addEventListener("pointermove", (event) => {
    const at = place(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      acts.point(...at);
      return;
    }
    const far = pointers.size === 2 ? apart() : 0;
    pointers.set(event.pointerId, at);
    if (Math.hypot(at[0] - start.at[0], at[1] - start.at[1]) > CLICK) start.moved = true;
    if (pointers.size === 2) {
      start.moved = true;
      const both = [...pointers.values()];
      const middle = [0, 1].map((axis) => (both[0][axis] + both[1][axis]) / 2);
      if (far > 0) acts.zoom(apart() / far, ...middle);
    } else if (line) {
      line.push(at);
      acts.lasso(line, false);
    } else if (start.moved) {
      acts.pan(at[0] - before[0], at[1] - before[1]);
    }
  });
  const end = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (line && start.moved) acts.lasso(line, true);
    else if (start && !start.moved && event.type === "pointerup") acts.click(...place(event), event.shiftKey);
    line = null;
  };
  area.addEventListener("pointerup", end);
  area.addEventListener("pointercancel", end);
  area.addEventListener("pointerleave", () => acts.leave());
  area.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const pixels = event.deltaMode === 1 ? 16 * event.deltaY : event.deltaY;
      acts.zoom(Math.exp(-pixels * 0.0016), ...place(event));
    },
    { passive: false },
  );
}
