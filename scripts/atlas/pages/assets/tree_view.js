/** The family tree: rows of models, and clades that collapse to a count. */

import { Clades, rowsOf } from "./clades.js";
import { button, element, toggle } from "./elements.js";
import { labelText } from "./labels.js";

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
    this.scroll = element("div", { class: "scroll" });
    this.area = element("div", {
      class: "view-area tree", tabindex: 0, role: "application", "aria-label": "family tree",
    }, this.scroll, this.lines);
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
    this.area.addEventListener("scroll", () => this.draw());
    this.area.addEventListener("pointermove", (event) => this.point(...this.inside(event)));
    this.area.addEventListener("pointerleave", () => this.acts.light([]));
    this.area.addEventListener("click", (event) => this.click(...this.inside(event), event.shiftKey));
  }

  inside(event) {
    const box = this.area.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top + this.area.scrollTop];
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
      const { tip } = this.clades;
      const apart = tip.reduce((sum, node, model) => sum + (node < 0 && this.passes[model]), 0);
      const root = this.clades.root === "base" ? "rooted at the base" : "rooted half-way between the farthest";
      const unit = this.clades.power === 2 ? "branches in squared distances" : "branches in distances";
      this.said.textContent = `neighbour joining, ${root}; ${unit}${apart ? `; ${apart} can't be placed` : ""}`;
      const isEven = this.chosenEven ?? this.clades.is_crowded;
      this.even.show(isEven);
      this.steps = isEven ? stepsOf(this.clades) : null;
    } else {
      Object.assign(this, { rows: [], y: new Map() });
      this.said.textContent = "no tree: fewer than two distinct models can be compared";
    }
    this.resize();
  }

  resize() {
    this.width = this.area.clientWidth;
    this.height = this.area.clientHeight;
    const room = this.height / (this.rows.length + 1);
    this.row = Math.round(Math.min(Math.max(room, ROW_LEAST), ROW_MOST));
    this.scroll.style.height = `${(this.rows.length + 1) * this.row}px`;
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

  draw() {
    if (!this.width) return;
    const ratio = window.devicePixelRatio || 1;
    const { lines, width, height } = this;
    lines.width = Math.round(width * ratio);
    lines.height = Math.round(height * ratio);
    lines.style.width = `${width}px`;
    lines.style.height = `${height}px`;
    const context = lines.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, -this.area.scrollTop * ratio);
    if (!this.clades) return;
    const style = getComputedStyle(document.documentElement);
    const [ink, soft, faint, accent, panel] = ["--ink", "--soft", "--faint", "--accent", "--panel"].map((name) => style.getPropertyValue(name));
    const lit = new Set(this.acts.lit().models);
    const [first, last] = [Math.floor(this.area.scrollTop / this.row) - 1, (this.area.scrollTop + height) / this.row + 1];
    this.markRows(context, panel, lit);
    this.drawBranches(context, soft, accent);
    context.font = TREE_FONT;
    context.textBaseline = "middle";
    const labels = this.x(this.deepestNode()) + 12;
    this.rows.forEach((row, at) => {
      if (at < first || at > last) return;
      const y = this.rowY(at);
      const x = this.x(row.node);
      const isLit = this.isLit(row, lit);
      const isChosen = this.state.chosen.includes(row.model);
      context.strokeStyle = faint;
      context.setLineDash([1, 3]);
      context.beginPath();
      context.moveTo(x + 7, y);
      context.lineTo(labels - 4, y);
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = isLit ? accent : ink;
      if (row.model === undefined) {
        const end = Math.max(this.x(row.node) + 9, 14);
        context.strokeStyle = isLit ? accent : soft;
        context.beginPath();
        context.moveTo(x, this.nodeY(row.node));
        context.lineTo(end, y - 5);
        context.lineTo(end, y + 5);
        context.closePath();
        context.stroke();
        context.fillText(`▸ ${row.count} models`, labels, y);
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
      const isBase = row.model === this.data.facts.base;
      context.font = isBase || isChosen ? `bold ${TREE_FONT}` : TREE_FONT;
      context.fillText(labelText(this.data.labels[row.model], LONGEST_LABEL), labels, y, Math.max(width - labels - 4, 10));
      context.font = TREE_FONT;
    });
  }

  isLit(row, lit) {
    if (row.model !== undefined) return lit.has(row.model);
    return lit.size > 0 && this.clades.below(row.node, (model) => lit.has(model)).length > 0;
  }

  markRows(context, panel, lit) {
    context.fillStyle = panel;
    this.rows.forEach((row, at) => {
      if (this.isLit(row, lit) || this.state.chosen.includes(row.model)) {
        context.fillRect(0, this.rowY(at) - this.row / 2, this.width, this.row);
      }
    });
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
    const { scrollTop, clientHeight } = this.area;
    if (y < scrollTop + this.row || y > scrollTop + clientHeight - this.row) this.area.scrollTop = y - clientHeight / 2;
  }

  rowOf(model) {
    if (!this.clades) return -1;
    const own = this.rows.findIndex((row) => row.model === model);
    if (own >= 0) return own;
    return this.rows.findIndex((row) => row.model === undefined
      && this.clades.below(row.node, (each) => each === model).length > 0);
  }

  /** Return the middle of a model's row on the screen, from the area's corner. */
  screen(model) {
    const at = this.rowOf(model);
    return at < 0 ? null : [this.x(this.rows[at].node) + 20, this.rowY(at) - this.area.scrollTop];
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
