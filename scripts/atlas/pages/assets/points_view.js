/** The map of models: near ones lie near, as far as two directions can show it. */

import { Camera } from "./camera.js";
import { element } from "./elements.js";
import { listen } from "./gestures.js";
import { Grid } from "./grid.js";
import { Labels } from "./labels.js";
import { fit } from "./scatter.js";
import { inks } from "./shading.js";

const HIT = 16;
const MOST_GROWTH = 3;
const RADII = [[40, 6], [150, 5], [400, 4], [Infinity, 3.2]];

export class PointsView {
  /** @param {object} acts light(models), choose(model, isSecond), lit() */
  constructor(data, state, acts) {
    this.data = data;
    this.state = state;
    this.acts = acts;
    this.camera = new Camera();
    this.points = element("canvas");
    this.above = element("canvas");
    this.area = element("div", {
      class: "view-area", tabindex: 0, role: "application", "aria-label": "map of models",
    }, this.points, this.above);
    this.note = element("p", { class: "view-note" });
    this.whole = element("section", { class: "view", "data-view": "map", "aria-label": "map" }, this.area, this.note);
    listen(this.area, {
      pan: (dx, dy) => this.moved(() => this.camera.pan(dx, dy)),
      zoom: (factor, x, y) => this.moved(() => this.camera.approach(factor, x, y)),
      point: (x, y) => this.point(x, y),
      leave: () => this.acts.light([]),
      click: (x, y, isSecond) => this.click(x, y, isSecond),
      lasso: () => {},
    }, () => false);
  }

  /** Show a square's map; models that are filtered out are faint. */
  show(square, passes, colours) {
    this.passes = passes;
    this.colours = colours;
    const isNew = this.square !== square;
    this.square = square;
    const { map } = square;
    this.note.textContent = map?.note ?? "No map: fewer than two distinct models can be compared.";
    this.there = map ? this.data.ids.map((_, model) => model).filter((model) => !Number.isNaN(map.x[model])) : [];
    const shown = this.there.filter((model) => passes[model]);
    this.stacks = map ? stacksOf(map, shown) : null;
    this.radius = RADII.find(([most]) => this.there.length <= most)[1];
    if (map) {
      this.largest = Math.max(this.radius, ...shown.map((model) => this.radiusOf(model)));
      this.grid = new Grid(map.x, map.y, Int32Array.from(shown));
      if (isNew) this.surround(map);
      this.labels = new Labels(this.asModel(map));
    }
    this.resize();
  }

  surround(map) {
    const along = (values) => this.there.reduce(([low, high], m) => [Math.min(low, values[m]), Math.max(high, values[m])], [Infinity, -Infinity]);
    const [left, right] = along(map.x);
    const [low, high] = along(map.y);
    const least = Math.max(right - left, high - low) * 0.02 || 1;
    const pad = high - low < least ? least / 2 : 0;
    this.camera.surround([left, right, low - pad, high + pad]);
    this.camera.reset();
    this.acts.zoomed("map", null);
  }

  /** What gives texts their room asks for a model of points. */
  asModel(map) {
    return {
      size: this.data.size, current: map, pinned: this.state.chosen[0] ?? -1, selected: new Set(), families: null,
      isThere: (model) => this.passes[model] && !Number.isNaN(map.x[model]),
      labelOf: (model) => this.data.labels[model],
      familyOf: () => this.state.chosen,
    };
  }

  resize() {
    const { width, height } = this.area.getBoundingClientRect();
    this.camera.resize(width, height);
    this.width = width;
    this.height = height;
    this.draw();
  }

  moved(move) {
    move();
    this.acts.zoomed("map", this.camera.isWhole ? null : [this.camera.zoom, ...this.camera.middle]);
    this.draw();
  }

  /** Come as close as the address says. */
  take(zoom) {
    this.camera.reset();
    if (zoom) [this.camera.zoom, this.camera.x, this.camera.y] = zoom;
    this.draw();
  }

  reset() {
    this.moved(() => this.camera.reset());
  }

  approach(factor) {
    this.moved(() => this.camera.approach(factor));
  }

  at(model) {
    return this.camera.toScreen(this.square.map.x[model], this.square.map.y[model]);
  }

  draw() {
    if (!this.square || !this.width) return;
    const ratio = window.devicePixelRatio || 1;
    fit(this.points, this, ratio);
    const context = this.points.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (!this.square.map) {
      this.drawAbove();
      return;
    }
    const [ink, faint, ground] = inks("--ink", "--faint", "--ground");
    context.strokeStyle = faint;
    context.lineWidth = 1;
    context.beginPath();
    const { edges } = this.square.map;
    for (let at = 0; at < edges.length; at += 2) {
      context.moveTo(...this.at(edges[at]));
      context.lineTo(...this.at(edges[at + 1]));
    }
    context.stroke();
    for (const isShown of [false, true]) {
      for (const model of this.there) {
        if (Boolean(this.passes[model]) !== isShown) continue;
        const [x, y] = this.at(model);
        context.beginPath();
        context.arc(x, y, isShown ? this.radiusOf(model) : this.radius * 0.6, 0, 2 * Math.PI);
        context.fillStyle = isShown ? this.colours[model] : faint;
        context.fill();
        if (!isShown) continue;
        context.strokeStyle = ground;
        context.lineWidth = 0.8;
        context.stroke();
        if (model === this.data.facts.base) {
          context.beginPath();
          context.arc(x, y, this.radiusOf(model) + 2.5, 0, 2 * Math.PI);
          context.strokeStyle = ink;
          context.lineWidth = 1.3;
          context.stroke();
        }
      }
    }
    this.labels.draw(context, this.camera, { size: 2 * this.largest, ink, ground });
    this.drawAbove();
  }

  drawAbove() {
    if (!this.width) return;
    const ratio = window.devicePixelRatio || 1;
    fit(this.above, this, ratio);
    const context = this.above.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (!this.square?.map) return;
    const [ink, accent] = inks("--ink", "--accent");
    const ring = (model, radius, width) => {
      if (Number.isNaN(this.square.map.x[model])) return;
      context.lineWidth = width;
      context.beginPath();
      context.arc(...this.at(model), radius, 0, 2 * Math.PI);
      context.stroke();
    };
    context.strokeStyle = ink;
    const { chosen } = this.state;
    if (chosen.length === 2 && chosen.every((model) => !Number.isNaN(this.square.map.x[model]))) {
      context.lineWidth = 1.2;
      context.setLineDash([4, 3]);
      context.beginPath();
      context.moveTo(...this.at(chosen[0]));
      context.lineTo(...this.at(chosen[1]));
      context.stroke();
      context.setLineDash([]);
    }
    for (const model of chosen) ring(model, this.radiusOf(model) + 4, 2);
    context.strokeStyle = accent;
    for (const model of this.acts.lit().models) ring(model, this.radiusOf(model) + 3, 2);
  }

  nearest(px, py) {
    if (!this.square?.map) return -1;
    const [x, y] = this.camera.toMap(px, py);
    return this.grid.nearest(x, y, HIT / this.camera.scale);
  }

  point(px, py) {
    const model = this.nearest(px, py);
    this.area.classList.toggle("hit", model >= 0);
    this.acts.light(model < 0 ? [] : this.stacks.get(spotOf(this.square.map, model)), null, [px, py], "map");
  }

  click(px, py, isSecond) {
    const model = this.nearest(px, py);
    if (model >= 0) this.acts.choose(model, isSecond);
  }

  /** A point of several models is larger. */
  radiusOf(model) {
    const count = this.stacks.get(spotOf(this.square.map, model))?.length ?? 1;
    return this.radius + Math.min(Math.log2(count), MOST_GROWTH);
  }

  /** Bring a model into sight. */
  reveal(model) {
    if (!this.square?.map || Number.isNaN(this.square.map.x[model])) return;
    const [x, y] = this.at(model);
    if (x < 0 || y < 0 || x > this.width || y > this.height) {
      this.moved(() => this.camera.centre(this.square.map.x[model], this.square.map.y[model]));
    }
  }

  screen(model) {
    return this.square?.map && !Number.isNaN(this.square.map.x[model]) ? this.at(model) : null;
  }
}

function spotOf({ x, y }, model) {
  return `${x[model]} ${y[model]}`;
}

/** Return the models that lie at each spot. */
function stacksOf(map, models) {
  const stacks = new Map();
  for (const model of models) {
    const spot = spotOf(map, model);
    if (!stacks.has(spot)) stacks.set(spot, []);
    stacks.get(spot).push(model);
  }
  return stacks;
}
