/** Which part of the map is seen: from the map's coordinates to pixels and back. */

const CLOSEST = 400;
const MARGIN = 0.06;

/** Pixels per unit and the point in the middle. */
export class Camera {
  constructor() {
    this.width = 1;
    this.height = 1;
    this.bounds = [0, 1, 0, 1];
    this.zoom = 1;
    this.x = null;
    this.y = null;
  }

  resize(width, height) {
    this.width = Math.max(width, 1);
    this.height = Math.max(height, 1);
  }

  /** Set what is seen as a whole: left, right, low, high. */
  surround(bounds) {
    this.bounds = bounds;
  }

  get isWhole() {
    return this.zoom === 1 && this.x === null;
  }

  /** Pixels per unit of the map. */
  get scale() {
    const [left, right, low, high] = this.bounds;
    const across = Math.max(right - left, 1e-9) * (1 + 2 * MARGIN);
    const up = Math.max(high - low, 1e-9) * (1 + 2 * MARGIN);
    return this.zoom * Math.min(this.width / across, this.height / up);
  }

  get middle() {
    const [left, right, low, high] = this.bounds;
    return [this.x ?? (left + right) / 2, this.y ?? (low + high) / 2];
  }

  /** Return the pixel of a place on the map. */
  toScreen(x, y) {
    const [cx, cy] = this.middle;
    return [this.width / 2 + (x - cx) * this.scale, this.height / 2 - (y - cy) * this.scale];
  }

  /** Return the place on the map of a pixel. */
  toMap(px, py) {
    const [cx, cy] = this.middle;
    return [cx + (px - this.width / 2) / this.scale, cy - (py - this.height / 2) / this.scale];
  }

  /** Move what is seen by pixels. */
  pan(dx, dy) {
    const [cx, cy] = this.middle;
    this.x = cx - dx / this.scale;
    this.y = cy + dy / this.scale;
  }

  /** Come closer by a factor; the place under a pixel stays there. */
  approach(factor, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.toMap(px, py);
    this.zoom = Math.min(Math.max(this.zoom * factor, 0.2), CLOSEST);
    const [nx, ny] = this.toMap(px, py);
    const [cx, cy] = this.middle;
    this.x = cx + x - nx;
    this.y = cy + y - ny;
  }

  /** Put a place in the middle. */
  centre(x, y) {
    this.x = x;
    this.y = y;
  }

  /** See everything again. */
  reset() {
    this.zoom = 1;
    this.x = null;
    this.y = null;
  }
}
