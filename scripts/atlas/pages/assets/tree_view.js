/** The family tree: rows of models, and clades that collapse to a count. */

import { Clades, rowsOf } from "./clades.js";
import { button, element, toggle } from "./elements.js";
import { labelText } from "./labels.js";
import { inks } from "./shading.js";

const ROW_LEAST = 17;
const ROW_MOST = 30;
const LABEL_WIDE = 190;
const NODE_REACH = 8;
const TREE_FONT = '11px "DejaVu Sans", Verdana, system-ui, sans-serif';
const LONGEST_LABEL = 30;

export class TreeView {
  /** @param {object} acts light(models), choose(model), changed() */
  constructor(data, state, acts) {
    this.data = data;
    this.state = state;
    this.acts = acts;
    this.lines = element("canvas");
    this.above = element("canvas", { class: "above" });
    this.length = element("div", { class: "scroll" });
    this.scroller = element("div", {
      class: "scroller", tabindex: 0, role: "application", "aria-label": "family tree",
    }, this.length);
    this.area = element("div", { class: "view-area tree" }, this.lines, this.above, this.scroller);
    this.even = toggle("even steps", "All branches of one length: shows the order of splits where some are tiny", (isOn) => {
      this.chosenEven = isOn;
      this.layOut();
    });
    this.said = element("span", { class: "hint" });
    this.bar = element("div", { class: "view-bar" },
      button("open all", "Open every clade", () => this.cut("open")),
      button("few", "Collapse all but the deepest splits", () => this.cut("closed")),
      button("fit", "Collapse near ones until the tree fits", () => this.cut("auto")),
      this.even.whole, this.said);
    this.whole = element("section", { class: "view", "data-view": "tree", "aria-label": "tree" }, this.area, this.bar);
    this.chosenEven = null; // as the tree needs it, until the reader chooses
    this.row = ROW_LEAST;
    this.rows = [];
    this.clades = null;
    this.scroller.addEventListener("scroll", () => this.draw());
    this.scroller.addEventListener("pointermove", (event) => this.point(...this.inside(event)));
    this.scroller.addEventListener("pointerleave", () => this.acts.light([]));
    this.scroller.addEventListener("click", (event) => this.click(...this.inside(event), event.shiftKey));
  }

  inside(event) {
    const box = this.area.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top + this.scroller.scrollTop];
  }

  cut(how) {
    this.state.cut = how;
    this.state.toggled.clear();
    this.acts.changed();
  }

  /** Show a square's tree with the models that pass. */
  show(square, passes, colours) {
    if (this.square !== square) {
      this.square = square;
      this.clades = square.tree ? new Clades(square.tree) : null;
    }
    this.passes = passes;
    this.colours = colours;
    this.layOut();
  }

  layOut() {
    if (this.clades) {
      const laid = rowsOf(this.clades, { ...this.state, wants: (model) => this.passes[model] });
      Object.assign(this, laid);
      this.rowAtModel = new Map();
      laid.rows.forEach((row, at) => {
        const models = row.model === undefined ? this.clades.below(row.node, (model) => this.passes[model]) : [row.model];
        for (const model of models) this.rowAtModel.set(model, at);
      });
      const { tip } = this.clades;
      const apart = tip.reduce((sum, node, model) => sum + (node < 0 && this.passes[model]), 0);
      const root = this.clades.root === "base" ? "rooted at the base" : "rooted half-way between the farthest";
      const unit = this.clades.power === 2 ? "branches in squared distances" : "branches in distances";
      this.said.textContent = `neighbour joining, ${root}; ${unit}${apart ? `; ${apart} can't be placed` : ""}`;
      const isEven = this.chosenEven ?? this.clades.is_crowded;
      this.even.show(isEven);
      this.steps = isEven ? stepsOf(this.clades) : null;
    } else {
      Object.assign(this, { rows: [], y: new Map(), rowAtModel: null });
      this.said.textContent = "no tree: fewer than two distinct models can be compared";
    }
    this.resize();
  }

  resize() {
    this.width = this.scroller.clientWidth;
    this.height = this.scroller.clientHeight;
    const room = this.height / (this.rows.length + 1);
    this.row = Math.round(Math.min(Math.max(room, ROW_LEAST), ROW_MOST));
    this.length.style.height = `${(this.rows.length + 1) * this.row}px`;
    this.draw();
  }

  /** Return the pixel of a node's depth. */
  x(node) {
    const wide = Math.max(this.width - Math.min(LABEL_WIDE, this.width * 0.45) - 22, 20);
    const share = this.steps
      ? this.steps.depth[node] / (this.steps.deepest || 1)
      : this.clades.depth[node] / (this.clades.deepest || 1);
    return 8 + wide * share;
  }

  rowY(row) {
    return (row + 0.5) * this.row + 2;
  }

  nodeY(node) {
    return this.y.get(node) * this.row + 2;
  }

  /** Return the context of a canvas that lies over what is scrolled to. */
  contextOf(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = this;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.translate(0, -this.scroller.scrollTop);
    return context;
  }

  draw() {
    if (!this.width) return;
    const context = this.contextOf(this.lines);
    if (!this.clades) return;
    const [soft, faint, accent, panel] = inks("--soft", "--faint", "--accent", "--panel");
    this.labelsAt = this.x(this.deepestNode()) + 12;
    context.fillStyle = panel;
    this.rows.forEach((row, at) => {
      if (this.state.chosen.includes(row.model)) context.fillRect(0, this.rowY(at) - this.row / 2, this.width, this.row);
    });
    this.drawBranches(context, soft, accent);
    const { scrollTop } = this.scroller;
    const [first, last] = [Math.floor(scrollTop / this.row) - 1, (scrollTop + this.height) / this.row + 1];
    for (let at = Math.max(first, 0); at < Math.min(last, this.rows.length); at += 1) {
      const [x, y] = [this.x(this.rows[at].node), this.rowY(at)];
      context.strokeStyle = faint;
      context.setLineDash([1, 3]);
      context.beginPath();
      context.moveTo(x + 7, y);
      context.lineTo(this.labelsAt - 4, y);
      context.stroke();
      context.setLineDash([]);
      this.drawRow(context, at, false);
    }
    this.drawAbove();
  }

  /** Draw a tip and its label, or a collapsed clade. */
  drawRow(context, at, isLit) {
    const row = this.rows[at];
    const [x, y] = [this.x(row.node), this.rowY(at)];
    const [ink, soft, accent] = inks("--ink", "--soft", "--accent");
    context.font = TREE_FONT;
    context.textBaseline = "middle";
    if (row.model === undefined) {
      const end = Math.max(x + 9, 14);
      context.strokeStyle = isLit ? accent : soft;
      context.beginPath();
      context.moveTo(x, this.nodeY(row.node));
      context.lineTo(end, y - 5);
      context.lineTo(end, y + 5);
      context.closePath();
      context.stroke();
      context.fillStyle = isLit ? accent : ink;
      context.fillText(`▸ ${row.count} models`, this.labelsAt, y);
      return;
    }
    if (this.rows[at + 1]?.node === row.node) {
      context.strokeStyle = soft;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x, this.rowY(at + 1));
      context.stroke();
    }
    context.beginPath();
    context.fillStyle = this.colours[row.model];
    context.arc(x, y, 3.6, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = isLit ? accent : ink;
    const isBold = row.model === this.data.facts.base || this.state.chosen.includes(row.model);
    if (isBold) context.font = `bold ${TREE_FONT}`;
    context.fillText(labelText(this.data.labels[row.model], LONGEST_LABEL), this.labelsAt, y, Math.max(this.width - this.labelsAt - 4, 10));
  }

  /** Draw the rows of what is lit above the tree. */
  drawAbove() {
    if (!this.width) return;
    const context = this.contextOf(this.above);
    if (!this.clades) return;
    const [line, accent] = inks("--line", "--accent");
    const lit = new Set(this.acts.lit().models.map((model) => this.rowOf(model)));
    lit.delete(-1);
    for (const at of lit) {
      const y = this.rowY(at);
      context.fillStyle = line;
      context.fillRect(this.labelsAt - 6, y - this.row / 2, this.width, this.row);
      this.drawRow(context, at, true);
      context.strokeStyle = accent;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(this.x(this.rows[at].node), y, 6.5, 0, 2 * Math.PI);
      context.stroke();
      context.lineWidth = 1;
    }
  }

  deepestNode() {
    const depth = this.steps ? this.steps.depth : this.clades.depth;
    let best = 0;
    for (const node of this.y.keys()) if (depth[node] > depth[best]) best = node;
    return best;
  }

  drawBranches(context, soft, accent) {
    const { clades, y } = this;
    const span = new Map();
    context.strokeStyle = soft;
    context.lineWidth = 1;
    context.beginPath();
    for (const [node, at] of y) {
      const parent = clades.parent[node];
      if (parent < 0) continue;
      context.moveTo(this.x(parent), at * this.row + 2);
      context.lineTo(this.x(node), at * this.row + 2);
      const [low, high] = span.get(parent) ?? [at, at];
      span.set(parent, [Math.min(low, at), Math.max(high, at)]);
    }
    for (const [parent, [low, high]] of span) {
      context.moveTo(this.x(parent), low * this.row + 2);
      context.lineTo(this.x(parent), high * this.row + 2);
    }
    context.stroke();
    context.fillStyle = accent;
    for (const [node] of y) {
      if (!clades.negative[node]) continue;
      const [x, at] = [(this.x(clades.parent[node]) + this.x(node)) / 2, this.nodeY(node)];
      context.beginPath();
      context.moveTo(x - 4, at);
      context.lineTo(x, at - 4);
      context.lineTo(x + 4, at);
      context.lineTo(x, at + 4);
      context.fill();
    }
    context.fillStyle = soft;
    for (const [node] of y) {
      if (!clades.isTip(node)) context.fillRect(this.x(node) - 1.5, this.nodeY(node) - 1.5, 3, 3);
    }
  }

  rowAt(py) {
    const at = Math.floor((py - 2) / this.row);
    return this.rows[at] ?? null;
  }

  /** Return the inner node under a pixel, or -1. */
  nodeAt(px, py) {
    let [best, least] = [-1, NODE_REACH];
    for (const node of this.y?.keys() ?? []) {
      if (this.clades.isTip(node) || node === 0) continue;
      const far = Math.hypot(this.x(node) - px, this.nodeY(node) - py);
      if (far < least) [best, least] = [node, far];
    }
    return best;
  }

  point(px, py) {
    if (!this.clades) return;
    const node = this.nodeAt(px, py);
    const row = this.rowAt(py);
    this.area.classList.toggle("hit", node >= 0 || row !== null);
    const wants = (model) => this.passes[model];
    if (node >= 0) this.acts.light(this.clades.below(node, wants));
    else if (row === null) this.acts.light([]);
    else this.acts.light(row.model === undefined ? this.clades.below(row.node, wants) : [row.model]);
  }

  click(px, py, isSecond) {
    if (!this.clades) return;
    const node = this.nodeAt(px, py);
    const row = this.rowAt(py);
    if (node >= 0) this.turn(node);
    else if (row && row.model === undefined) this.turn(row.node);
    else if (row) this.acts.choose(row.model, isSecond);
  }

  /** Collapse a clade, or open it. */
  turn(node) {
    const { toggled } = this.state;
    if (!toggled.delete(node)) toggled.add(node);
    this.acts.changed();
  }

  /** Scroll so that a model's row, or that of its collapsed clade, is in sight. */
  reveal(model) {
    const at = this.rowOf(model);
    if (at < 0) return;
    const y = this.rowY(at);
    const { scrollTop, clientHeight } = this.scroller;
    if (y < scrollTop + this.row || y > scrollTop + clientHeight - this.row) this.scroller.scrollTop = y - clientHeight / 2;
  }

  rowOf(model) {
    return this.rowAtModel?.get(model) ?? -1;
  }

  /** Return the middle of a model's row on the screen, from the area's corner. */
  screen(model) {
    const at = this.rowOf(model);
    return at < 0 ? null : [this.x(this.rows[at].node) + 20, this.rowY(at) - this.scroller.scrollTop];
  }
}

/** Return depths that count the splits above a node. */
function stepsOf(clades) {
  const depth = new Float32Array(clades.count);
  for (let node = 1; node < clades.count; node += 1) depth[node] = depth[clades.parent[node]] + 1;
  const deepest = Math.max(...depth);
  for (let node = 0; node < clades.count; node += 1) if (clades.isTip(node)) depth[node] = deepest;
  return { depth, deepest };
}
