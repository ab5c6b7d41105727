/** The page of a map: put together, and kept in step with what is chosen. */

import { Camera } from "./camera.js";
import { Card, Details } from "./details.js";
import { button, element } from "./elements.js";
import { copy, save } from "./exporting.js";
import { listen } from "./gestures.js";
import { Grid } from "./grid.js";
import { helpDialog } from "./help.js";
import { isInside, thinned } from "./lasso.js";
import { Labels } from "./labels.js";
import { Legend } from "./legend.js";
import { looksOf, pointSize } from "./looks.js";
import { Model } from "./model.js";
import { drawOverlay } from "./overlay.js";
import { drawPaths, pathsKey } from "./paths.js";
import { listenToKeys } from "./keyboard.js";
import { Address, told } from "./permalink.js";
import { renderer } from "./scatter.js";
import { addressOf, follow } from "./sharing.js";
import { Sprites } from "./sprites.js";
import { isDark, onChange, turn } from "./theme.js";
import { Toolbar } from "./toolbar.js";
import { unpacked } from "./unpack.js";

const REACH = 20;
const TRANSITION = 450;
const LASTING = ["renderer"];
const STEP = 60;
const INKS = ["--ink", "--soft", "--accent", "--ground"];

class Viewer {
  constructor(model, sprites) {
    this.model = model;
    this.sprites = sprites;
    this.camera = new Camera();
    this.hovered = -1;
    this.lassoLine = null;
    this.wantsLasso = false;
    this.started = -Infinity;
    this.waiting = false;
    this.build();
    this.scatter = renderer(this.points, told(location.hash).get("renderer") === "canvas");
    this.address = new Address(() => this.said(), (hash) => this.follow(hash));
    this.address.read();
    this.watch();
  }

  build() {
    const { facts } = this.model;
    const act = (change) => (...given) => {
      change(...given);
      this.changed();
    };
    this.toolbar = new Toolbar(this.model, {
      view: (view) => this.goTo(view),
      only: act((name, code) => (code < 0 ? this.model.only.delete(name) : this.model.only.set(name, code))),
      colour: act((column) => (this.model.colour = column)),
      paths: act((isOn) => (this.model.wantsPaths = isOn)),
      labels: act((isOn) => (this.model.wantsLabels = isOn)),
      search: act((text) => (this.model.search = text)),
      nextMatch: (step) => this.goToMatch(step),
      lasso: () => this.toggleLasso(),
      whole: () => this.whole(),
      theme: () => this.turnTheme(),
      help: () => this.help.showModal(),
    });
    this.legend = new Legend(() => this.changed());
    this.details = new Details((point) => this.pin(point));
    this.card = new Card();
    this.help = helpDialog(this.model);
    this.labels = this.model.hasLabels ? new Labels(this.model) : null;
    this.paths = this.model.families ? element("canvas", { class: "paths" }) : null;
    this.pathsKey = pathsKey();
    this.points = element("canvas", { class: "points" });
    this.overlay = element("canvas", { class: "overlay" });
    this.area = element(
      "div",
      { class: "map", tabindex: 0, role: "application", "aria-label": "map of points" },
      ...[this.paths, this.points, this.overlay].filter(Boolean),
    );
    this.note = element("p", { class: "note" });
    this.selection = element("section", { class: "selection", hidden: true, "aria-live": "polite" });
    document.body.append(
      element("header", { class: "head" }, element("h1", { text: facts.title }),
        element("p", { text: facts.subtitle })),
      this.toolbar.whole,
      element("main", {},
        element("div", { class: "left" }, this.area, this.note),
        element("aside", {}, this.selection, this.legend.whole, this.pathsKey,
          this.details.whole)),
      this.card.whole, this.help,
    );
  }

  watch() {
    listen(
      this.area,
      {
        pan: (dx, dy) => this.moved(() => this.camera.pan(dx, dy)),
        zoom: (factor, x, y) => this.moved(() => this.camera.approach(factor, x, y)),
        point: (x, y) => this.hover(this.nearest(x, y)),
        leave: () => this.hover(-1),
        click: (x, y) => this.pin(this.nearest(x, y)),
        lasso: (line, isDone) => this.drawLasso(line, isDone),
      },
      () => this.wantsLasso,
    );
    new ResizeObserver(() => this.resize()).observe(this.area);
    listenToKeys(this.help, () => this.keys(), () => this.escape());
    onChange(() => this.changed());
  }

  /** Take over what the address says. */
  follow(hash) {
    follow(hash, this.model, this.camera);
    this.place(this.model.current);
    this.changed();
  }

  /** Hand the points' places to the scatter: from where they were, where there is a way. */
  place(view, before = view) {
    const { size } = this.model;
    const [from, to] = [new Float32Array(2 * size), new Float32Array(2 * size)];
    for (const point of view.points) {
      const wasThere = before.row[point] >= 0;
      to.set([view.x[point], view.y[point]], 2 * point);
      from.set(wasThere ? [before.x[point], before.y[point]] : [view.x[point], view.y[point]],
        2 * point);
    }
    this.scatter.places(from, to);
    this.ways = { from, to };
    this.camera.surround(this.model.bounds());
  }

  goTo(number) {
    const before = this.model.current;
    this.model.view = number;
    if (this.model.current === before) return;
    this.place(this.model.current, before);
    const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.started = isCalm ? -Infinity : performance.now();
    this.changed();
  }

  /** Bring everything in step after a choice. */
  changed() {
    const { model } = this;
    model.sift();
    model.find(model.search);
    const reachable = model.reachable();
    model.selected = new Set(model.polygon
      ? reachable.filter((p) => isInside(model.current.x[p], model.current.y[p], model.polygon))
      : []);
    this.grid = new Grid(model.current.x, model.current.y, reachable);
    this.lines = model.wantsPaths ? model.families.lines(model) : [];
    this.pathsKey.hidden = !model.wantsPaths;
    this.labels?.forget();
    if (this.hovered >= 0 && !reachable.includes(this.hovered)) this.hover(-1);
    const { colours, order } = looksOf(model, model.facts.look, isDark());
    this.colours = colours;
    this.order = order;
    this.scatterLooks();
    this.toolbar.show();
    this.legend.show(model, model.facts.look, isDark());
    this.details.show(model, this.sprites);
    this.showSelection();
    this.note.textContent = model.current.note;
    this.draw();
    this.address.keep();
  }

  scatterLooks() {
    this.size = pointSize(this.model.current.points.length, this.camera.zoom);
    const sizes = new Float32Array(this.model.size).fill(this.size);
    this.scatter.looks(this.colours, sizes, this.order);
  }

  moved(move) {
    move();
    if (pointSize(this.model.current.points.length, this.camera.zoom) !== this.size) {
      this.scatterLooks();
    }
    this.card.hide();
    this.draw();
    this.address.keep();
  }

  resize() {
    const { width, height } = this.area.getBoundingClientRect();
    this.camera.resize(width, height);
    this.draw();
  }

  /** Draw the points and what lies above them, in the next frame. */
  draw() {
    this.isStale = true;
    this.drawAbove();
  }

  /** Draw what lies above the points; they stay as they are. */
  drawAbove() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame((now) => this.frame(now));
  }

  frame(now) {
    this.waiting = false;
    const gone = Math.min(Math.max((now - this.started) / TRANSITION, 0), 1);
    const share = gone * gone * (3 - 2 * gone);
    const style = getComputedStyle(document.documentElement);
    const [ink, soft, accent, ground] = INKS.map((name) => style.getPropertyValue(name));
    const look = { ink, soft, accent, ground, size: this.size };
    if (this.isStale) {
      this.scatter.draw(this.camera, share);
      if (this.paths) this.drawPaths(share, look);
    }
    this.isStale = false;
    const context = drawOverlay(this.overlay, this.camera, this.model, {
      ...look, hovered: this.hovered, lasso: this.lassoLine,
    });
    if (this.model.wantsLabels && gone === 1) this.labels.draw(context, this.camera, look);
    else this.labels?.hide();
    if (gone < 1) this.draw();
    document.body.dataset.painted ??= String(Math.round(performance.now()));
  }

  drawPaths(share, look) {
    const { lines, camera, ways: { from, to } } = this;
    const { families } = this.model;
    const mixed = (at) => from[at] + (to[at] - from[at]) * share;
    const place = (point) => camera.toScreen(mixed(2 * point), mixed(2 * point + 1));
    const strong = this.strongLines();
    drawPaths(this.paths, camera, families.origins, { lines, strong, place, look });
  }

  /** Return the points whose paths are strong for longer than the cursor stays. */
  strongLines() {
    const { pinned, selected, families } = this.model;
    if (families === null) return [];
    return families.related(this.lines, [...selected, ...(pinned < 0 ? [] : [pinned])]);
  }

  nearest(px, py) {
    const [x, y] = this.camera.toMap(px, py);
    return this.grid.nearest(x, y, REACH / this.camera.scale);
  }

  hover(point) {
    if (point === this.hovered) return;
    this.hovered = point;
    this.area.classList.toggle("hit", point >= 0);
    if (point < 0) this.card.hide();
    else {
      const box = this.area.getBoundingClientRect();
      const { x, y } = this.model.current;
      const [px, py] = this.camera.toScreen(x[point], y[point]);
      this.card.show(this.model, this.sprites, point, box.left + px, box.top + py);
    }
    this.drawAbove();
  }

  pin(point) {
    this.model.pinned = point;
    this.card.hide();
    this.details.show(this.model, this.sprites);
    if (point >= 0) this.intoSight(point);
    this.draw();
    this.address.keep();
  }

  intoSight(point) {
    const { x, y } = this.model.current;
    const [px, py] = this.camera.toScreen(x[point], y[point]);
    const { width, height } = this.camera;
    if (px < 0 || py < 0 || px > width || py > height) this.camera.centre(x[point], y[point]);
  }

  goToMatch(step) {
    const { matches, pinned } = this.model;
    if (!matches.length) return;
    const at = matches.indexOf(pinned);
    const start = step > 0 ? -1 : 0;
    this.pin(matches[((at < 0 ? start : at) + step + matches.length) % matches.length]);
  }

  goToNeighbour(step) {
    const near = this.model.neighboursOf(this.model.pinned);
    if (near.length) this.pin(near[step > 0 ? 0 : near.length - 1].point);
  }

  toggleLasso(wants = !this.wantsLasso) {
    this.wantsLasso = wants;
    this.toolbar.lasso.setAttribute("aria-pressed", String(wants));
    this.area.classList.toggle("lasso", wants);
  }

  drawLasso(line, isDone) {
    this.lassoLine = line.map(([px, py]) => this.camera.toMap(px, py));
    if (!isDone) {
      this.drawAbove();
      return;
    }
    this.model.polygon = this.lassoLine.length > 2 ? thinned(this.lassoLine) : null;
    this.lassoLine = null;
    this.toggleLasso(false);
    this.changed();
  }

  showSelection() {
    const { model } = this;
    this.selection.hidden = model.polygon === null;
    const ids = () => [...model.selected].map((point) => model.ids[point]).join("\n");
    const count = model.selected.size.toLocaleString("en");
    const copied = button("Copy", "Copy the ids", async () => {
      copied.textContent = (await copy(ids())) ? "Copied" : "Not allowed";
    });
    this.selection.replaceChildren(
      element("h2", { text: `${count} selected` }),
      button("Save ids", "Save the ids as a text file", () => save("ids.txt", `${ids()}\n`)),
      copied,
      button("Clear", "Let go (Escape)", () => this.clearLasso()),
    );
  }

  clearLasso() {
    this.model.polygon = null;
    this.changed();
  }

  whole() {
    this.moved(() => this.camera.reset());
  }

  turnTheme() {
    turn();
    this.changed();
  }

  keys() {
    const pan = (dx, dy) => () => this.moved(() => this.camera.pan(dx, dy));
    const zoom = (factor) => () => this.moved(() => this.camera.approach(factor));
    const { length } = this.model.views;
    const { model } = this;
    const { columns, colour } = model;
    return {
      ArrowLeft: pan(STEP, 0), ArrowRight: pan(-STEP, 0),
      ArrowUp: pan(0, STEP), ArrowDown: pan(0, -STEP),
      "+": zoom(1.4), "=": zoom(1.4), "-": zoom(1 / 1.4), 0: () => this.whole(),
      n: () => this.goToNeighbour(1), p: () => this.goToNeighbour(-1),
      l: () => this.toggleLasso(), d: () => this.turnTheme(),
      c: () => {
        model.colour = columns[(columns.indexOf(colour) + 1) % columns.length] ?? null;
        this.changed();
      },
      o: () => {
        model.wantsPaths = model.families !== null && !model.wantsPaths;
        this.changed();
      },
      t: () => {
        model.wantsLabels = model.hasLabels && !model.wantsLabels;
        this.changed();
      },
      "[": () => this.goTo((this.model.view + length - 1) % length),
      "]": () => this.goTo((this.model.view + 1) % length),
      "/": () => this.toolbar.search.focus(),
      "?": () => this.help.showModal(),
    };
  }

  /** Let go of one thing: a lasso in the making, a selection, a search, a point. */
  escape() {
    const { model } = this;
    if (this.wantsLasso) this.toggleLasso(false);
    else if (model.polygon) this.clearLasso();
    else if (model.search) {
      model.search = "";
      this.toolbar.search.value = "";
      this.changed();
    } else this.pin(-1);
  }

  /** Return what the address says. */
  said() {
    const lasting = [...told(location.hash)].filter(([key]) => LASTING.includes(key));
    return addressOf(this.model, this.camera, lasting);
  }
}

async function main() {
  try {
    const { facts, arrays } = await unpacked("data");
    const model = new Model(facts, arrays);
    const viewer = new Viewer(model, new Sprites(facts.sprites, arrays));
    window.atlas = Object.freeze({
      renderer: viewer.scatter.kind,
      hovered: () => model.ids[viewer.hovered] ?? null,
      selected: () => [...model.selected].map((point) => model.ids[point]),
      status: (id) => model.status[model.place.get(id)],
      screen: (id) => {
        const point = model.place.get(id);
        return viewer.camera.toScreen(model.current.x[point], model.current.y[point]);
      },
      paths: () => [...viewer.lines].map((p) => [p, model.families.origins[p]].map((q) => model.ids[q])),
      strong: () => [...viewer.strongLines()].map((point) => model.ids[point]),
      labels: () => (viewer.labels?.seen ?? []).map(({ point, text, box }) =>
        ({ id: model.ids[point], text: text.slice(1, -1), box })),
      camera: () => ({ scale: viewer.camera.scale, middle: viewer.camera.middle }),
    });
  } catch (error) {
    const told = `This page can't be shown: ${error.message}. It needs a browser of 2023 or newer.`;
    document.body.append(element("p", { class: "broken", text: told }));
    throw error;
  }
}

main();
