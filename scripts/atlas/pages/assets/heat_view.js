/** The heatmap: every pair a cell, from all models at once to one cell. */

import { element } from "./elements.js";
import { IDENTICAL, NOT_COMPARED, SHARED, ZERO } from "./decimals.js";
import { listen } from "./gestures.js";
import { labelText } from "./labels.js";
import { fit } from "./scatter.js";
import { css } from "./colours.js";
import { distanceColour, inkOn, inks, modelColours, palette } from "./shading.js";

const LARGEST_CELL = 96;
const LABELLED = 11;
const SIGNED = 9;
const WRITTEN = 42;
const LABELS_WIDE = 150;
const LABELS_HIGH = 120;
const STRIP = 9;
const HEAT_FONT = '11px "DejaVu Sans", Verdana, system-ui, sans-serif';
const SIGNS = { [IDENTICAL]: "=", [ZERO]: "0", [SHARED]: "=" };
const LETTERS = 24;

/** Rows and columns are the models that pass the filters, in one order. */
export class HeatView {
  /** @param {object} acts light(models, cell), choose(model), pair(one, other) */
  constructor(data, state, acts) {
    this.data = data;
    this.state = state;
    this.acts = acts;
    this.cells = element("canvas");
    this.above = element("canvas");
    this.area = element("div", {
      class: "view-area heat", tabindex: 0, role: "application", "aria-label": "heatmap of distances",
    }, this.cells, this.above);
    this.legend = element("div", { class: "heat-legend" });
    this.whole = element("section", { class: "view", "data-view": "heatmap", "aria-label": "heatmap" },
      this.area, this.legend);
    this.picture = document.createElement("canvas");
    this.order = [];
    this.size = 1;
    this.zoom = 1;
    this.middle = null;
    listen(this.area, {
      pan: (dx, dy) => this.pan(dx, dy),
      zoom: (factor, x, y) => this.approach(factor, x, y),
      point: (x, y) => this.point(x, y),
      leave: () => this.acts.light([], null),
      click: (x, y, event) => this.click(x, y, event),
      lasso: () => {},
    }, () => false);
  }

  /** Show a square with its models in an order. */
  show(square, order, isDark) {
    this.square = square;
    this.order = order;
    this.row = new Map(order.map((model, row) => [model, row]));
    this.isDark = isDark;
    const { look } = this.data.facts;
    this.colours = palette(look, isDark);
    this.strips = this.data.facts.strips.map((at) => {
      const column = this.data.facts.columns[at];
      return { title: column.title, colours: modelColours(column, this.data.size, look, isDark) };
    });
    this.paintPicture();
    this.showLegend(look);
    this.resize();
  }

  paintPicture() {
    const { order, square, colours } = this;
    const count = Math.max(order.length, 1);
    const picture = new ImageData(count, count);
    const pixels = new Uint32Array(picture.data.buffer);
    const shades = square.shaded();
    const { sets, count: most } = square;
    const starts = Float64Array.from({ length: most }, (_, low) => low * most - (low * (low - 1)) / 2 - low);
    const own = Int32Array.from(order, (model) => sets[model]);
    for (let row = 0; row < order.length; row += 1) {
      const one = own[row];
      for (let column = 0; column <= row; column += 1) {
        const other = own[column];
        const at = one < other ? starts[one] + other : starts[other] + one;
        const colour = colours[shades[at]];
        pixels[row * count + column] = colour;
        pixels[column * count + row] = colour;
      }
    }
    this.picture.width = count;
    this.picture.height = count;
    this.picture.getContext("2d").putImageData(picture, 0, 0);
  }

  showLegend(look) {
    const { scale } = this.square;
    const stops = Array.from({ length: 17 }, (_, at) => css(distanceColour(look, this.isDark, at / 16)));
    const bar = element("div", { class: "ramp", "aria-hidden": "true" });
    bar.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((at) => element("span", { text: this.acts.number(scale.value(at)) }));
    const key = (kind, text) => element("span", { class: "key" }, element("i", { class: kind, "aria-hidden": "true" }), text);
    this.legend.replaceChildren(
      ...(scale.knots ? [element("div", { class: "scale" }, bar, element("div", { class: "ends" }, ...ticks))] : []),
      element("div", { class: "keys" }, element("span", { text: this.acts.measureTitle() }),
        key("same", "= identical"), key("none", "not compared"), key("part", "compared in part")),
    );
  }

  /** Fit to the room that there is. */
  resize() {
    const { width, height } = this.area.getBoundingClientRect();
    this.width = width;
    this.height = height;
    this.draw();
  }

  /** Where the cells are: the corner and the side of the area, and of a cell. */
  layout(zoom = this.zoom) {
    const count = Math.max(this.order.length, 1);
    const strips = this.strips.length * STRIP + 3;
    const bare = Math.min(this.width - strips - 2, this.height - 2) / count;
    const isLabelled = bare * zoom >= LABELLED;
    const left = strips + (isLabelled ? Math.min(LABELS_WIDE, this.width * 0.3) : 0);
    const top = isLabelled ? Math.min(LABELS_HIGH, this.height * 0.25) : 0;
    const room = Math.min(this.width - left - 2, this.height - top - 2);
    const cell = Math.min((room / count) * zoom, Math.max(LARGEST_CELL, room / count));
    return { left, top, cell, isLabelled, strips, across: this.width - left, down: this.height - top, count };
  }

  /** The offset of the first cell from the area's corner. */
  offset(layout = this.layout()) {
    const { cell, across, down, count } = layout;
    const place = (room, at) => {
      const all = cell * count;
      if (all <= room) return 0;
      return Math.min(Math.max(room / 2 - at * cell, room - all), 0);
    };
    const [x, y] = this.middle ?? [count / 2, count / 2];
    return [place(across, x), place(down, y)];
  }

  /** Return [row, column] of a pixel, as fractions. */
  cellAt(px, py, layout = this.layout()) {
    const [ox, oy] = this.offset(layout);
    return [(py - layout.top - oy) / layout.cell, (px - layout.left - ox) / layout.cell];
  }

  pan(dx, dy) {
    const layout = this.layout();
    this.holdMiddle(layout);
    this.middle = [this.middle[0] - dx / layout.cell, this.middle[1] - dy / layout.cell];
    this.moved();
  }

  /** Take the middle as it is seen, within what can be. */
  holdMiddle(layout) {
    const [ox, oy] = this.offset(layout);
    this.middle = [(layout.across / 2 - ox) / layout.cell, (layout.down / 2 - oy) / layout.cell];
  }

  approach(factor, px = this.width / 2, py = this.height / 2) {
    const before = this.layout();
    const [row, column] = this.cellAt(px, py, before);
    const most = LARGEST_CELL / (before.cell / this.zoom);
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), Math.max(most, 1));
    const after = this.layout();
    this.middle = [
      column + (after.across / 2 - (px - after.left)) / after.cell,
      row + (after.down / 2 - (py - after.top)) / after.cell,
    ];
    this.holdMiddle(after);
    this.moved();
  }

  /** Draw, and let the address know. */
  moved() {
    this.acts.zoomed("heatmap", this.zoom === 1 ? null : [this.zoom, ...this.middle]);
    this.draw();
  }

  /** Come as close as the address says. */
  take(zoom) {
    this.zoom = zoom ? zoom[0] : 1;
    this.middle = zoom ? zoom.slice(1) : null;
    this.draw();
  }

  reset() {
    this.zoom = 1;
    this.middle = null;
    this.moved();
  }

  /** Bring a pair into sight, large enough to read. */
  zoomTo(one, other) {
    const [row, column] = [this.row.get(one), this.row.get(other)];
    if (row === undefined || column === undefined) return;
    this.zoom = Math.max(this.zoom, WRITTEN / (this.layout(1).cell || 1));
    this.middle = [column + 0.5, row + 0.5];
    this.moved();
  }

  modelsAt(px, py) {
    const layout = this.layout();
    if (px < layout.left || py < layout.top) {
      const [row, column] = this.cellAt(px, py, layout);
      const along = px < layout.left ? row : column;
      const model = this.order[Math.floor(along)];
      return model === undefined ? null : [model, model];
    }
    const [row, column] = this.cellAt(px, py, layout).map(Math.floor);
    const [one, other] = [this.order[row], this.order[column]];
    return one === undefined || other === undefined ? null : [one, other];
  }

  point(px, py) {
    const found = this.modelsAt(px, py);
    this.area.classList.toggle("hit", found !== null);
    this.acts.light(found ? [...new Set(found)] : [], found, [px, py], "heatmap");
  }

  click(px, py) {
    const found = this.modelsAt(px, py);
    if (found === null) return;
    if (found[0] === found[1]) this.acts.choose(found[0]);
    else this.acts.pair(...found);
  }

  /** Return the middle of a pair's cell on the screen, from the area's corner. */
  screen(one, other) {
    const layout = this.layout();
    const [ox, oy] = this.offset(layout);
    return [
      layout.left + ox + (this.row.get(other) + 0.5) * layout.cell,
      layout.top + oy + (this.row.get(one) + 0.5) * layout.cell,
    ];
  }

  draw() {
    if (!this.square || !this.width) return;
    const ratio = window.devicePixelRatio || 1;
    fit(this.cells, this, ratio);
    const context = this.cells.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const layout = this.layout();
    const { left, top, cell, across, down } = layout;
    const [ox, oy] = this.offset(layout);
    context.save();
    context.beginPath();
    context.rect(left, top, across, down);
    context.clip();
    context.imageSmoothingEnabled = cell * ratio < 1;
    const side = cell * this.order.length;
    context.drawImage(this.picture, left + ox, top + oy, side, side);
    const seen = this.seen(layout, ox, oy);
    if (cell >= SIGNED) this.drawSigns(context, layout, ox, oy, seen);
    context.restore();
    this.drawSides(context, layout, ox, oy, seen);
    this.drawAbove();
  }

  /** Return the rows and columns that are in sight. */
  seen({ cell, across, down, count }, ox, oy) {
    const range = (offset, room) => [Math.max(Math.floor(-offset / cell), 0), Math.min(Math.ceil((room - offset) / cell), count)];
    return { rows: range(oy, down), columns: range(ox, across) };
  }

  drawSigns(context, layout, ox, oy, { rows, columns }) {
    const { cell, left, top } = layout;
    const { square, order } = this;
    const { look } = this.data.facts;
    const [ground, accent, faint, onSame] = inks("--ground", "--accent", "--faint", "--on-same");
    const isWritten = cell >= WRITTEN;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let row = rows[0]; row < rows[1]; row += 1) {
      for (let column = columns[0]; column < columns[1]; column += 1) {
        const [one, other] = [order[row], order[column]];
        const [x, y] = [left + ox + column * cell, top + oy + row * cell];
        const code = square.code(one, other);
        if (code === NOT_COMPARED) {
          context.strokeStyle = faint;
          context.beginPath();
          context.moveTo(x, y + cell);
          context.lineTo(x + cell, y);
          context.stroke();
        } else if (code in SIGNS && row !== column) {
          context.fillStyle = code === SHARED ? faint : onSame;
          context.font = `bold ${Math.min(cell * 0.7, 18)}px "DejaVu Sans", Verdana, sans-serif`;
          context.fillText(SIGNS[code], x + cell / 2, y + cell / 2);
        } else if (isWritten && code < 0) {
          context.fillStyle = inkOn(distanceColour(look, this.isDark, square.scale.place(square.value(one, other))));
          context.font = `${Math.min(cell * 0.2, 13)}px "DejaVu Sans", Verdana, sans-serif`;
          context.fillText(square.text(one, other), x + cell / 2, y + cell / 2, cell - 4);
        }
        if (row !== column && code !== NOT_COMPARED && this.data.coverage(this.state.component, one, other) !== "") {
          context.fillStyle = accent;
          context.beginPath();
          context.moveTo(x + cell * 0.68, y);
          context.lineTo(x + cell, y);
          context.lineTo(x + cell, y + cell * 0.32);
          context.fill();
        }
      }
    }
    context.strokeStyle = ground;
    context.lineWidth = 1;
    context.beginPath();
    for (let row = rows[0]; row <= rows[1]; row += 1) {
      const y = top + oy + row * cell;
      context.moveTo(left + ox + columns[0] * cell, y);
      context.lineTo(left + ox + columns[1] * cell, y);
    }
    for (let column = columns[0]; column <= columns[1]; column += 1) {
      const x = left + ox + column * cell;
      context.moveTo(x, top + oy + rows[0] * cell);
      context.lineTo(x, top + oy + rows[1] * cell);
    }
    context.stroke();
  }

  drawSides(context, layout, ox, oy, { rows, columns }) {
    const { cell, left, top, strips, isLabelled } = layout;
    const [ink] = inks("--ink");
    this.strips.forEach(({ colours }, number) => {
      for (let row = rows[0]; row < rows[1]; row += 1) {
        const y = top + oy + row * cell;
        const from = Math.max(y, top);
        context.fillStyle = colours[this.order[row]];
        context.fillRect(left - strips + number * STRIP, from, STRIP - 2, Math.max(y + cell - from, 0.5) + (cell < 2 ? 0.5 : 0));
      }
    });
    if (!isLabelled) return;
    context.font = HEAT_FONT;
    context.fillStyle = ink;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const wide = left - strips - 8;
    for (let row = rows[0]; row < rows[1]; row += 1) {
      const y = top + oy + (row + 0.5) * cell;
      if (y > top + 4) context.fillText(labelText(this.data.labels[this.order[row]], LETTERS), left - strips - 4, y, wide);
    }
    context.textAlign = "left";
    for (let column = columns[0]; column < columns[1]; column += 1) {
      const x = left + ox + (column + 0.5) * cell;
      if (x < left + 4) continue;
      context.save();
      context.translate(x, top - 5);
      context.rotate(-Math.PI / 2);
      context.fillText(labelText(this.data.labels[this.order[column]], LETTERS), 0, 0, top - 8);
      context.restore();
    }
  }

  /** Draw what is lit and chosen, above the cells. */
  drawAbove() {
    if (!this.square || !this.width) return;
    const ratio = window.devicePixelRatio || 1;
    fit(this.above, this, ratio);
    const context = this.above.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const layout = this.layout();
    const { left, top, cell, across, down, count } = layout;
    const [ox, oy] = this.offset(layout);
    const [accent, ink] = inks("--accent", "--ink");
    context.save();
    context.beginPath();
    context.rect(left - 1, top - 1, Math.min(across, ox + cell * count) + 2, Math.min(down, oy + cell * count) + 2);
    context.clip();
    const side = cell * count;
    const band = (row, colour, width) => {
      const thick = Math.max(cell, 1.5);
      const [x, y] = [left + ox + row * cell - (thick - cell) / 2, top + oy + row * cell - (thick - cell) / 2];
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.strokeRect(Math.max(left + ox, left) - 0.5, y, Math.min(side, across) + 1, thick);
      context.strokeRect(x, Math.max(top + oy, top) - 0.5, thick, Math.min(side, down) + 1);
    };
    for (const model of this.state.chosen) if (this.row.has(model)) band(this.row.get(model), ink, 1);
    this.drawLit(context, layout, band, accent);
    context.restore();
  }

  drawLit(context, { left, top, cell, count }, band, accent) {
    const { models, cell: pair } = this.acts.lit();
    if (!pair) {
      if (models.length > Math.max(count / 4, 2)) return;
      for (const model of models) if (this.row.has(model)) band(this.row.get(model), accent, 1);
    } else if (this.row.has(pair[0]) && this.row.has(pair[1])) {
      const [x, y] = this.screen(...pair);
      const half = Math.max(cell / 2, 3);
      context.strokeStyle = accent;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(x - half, y);
      context.moveTo(x, top);
      context.lineTo(x, y - half);
      context.stroke();
      context.lineWidth = 2;
      context.strokeRect(x - half, y - half, 2 * half, 2 * half);
    }
  }
}
