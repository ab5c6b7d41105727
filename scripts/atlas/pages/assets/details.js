/** What is told of a point: on a card beside the cursor, and in the panel with its neighbours. */

import { element, shown } from "./elements.js";

const CARD_IMAGE = 128;
const PANEL_IMAGE = 160;
const NEIGHBOUR_IMAGE = 48;
const CARD_GAP = 14;
const MOST_KIN = 30;

function facts(model, point) {
  const list = element("dl");
  for (const column of model.columns) {
    const value = column.text(point);
    if (value === null) continue;
    const text = column.isCategory ? value : shown(value);
    list.append(element("dt", { text: column.title }), element("dd", { text }));
  }
  return list;
}

/** The card above the point under the cursor; it stays within the window. */
export class Card {
  constructor() {
    this.whole = element("div", { class: "card", hidden: true, role: "status" });
  }

  hide() {
    this.whole.hidden = true;
  }

  /** Show a point; x and y are of its place in the window. */
  show(model, sprites, point, x, y) {
    const image = sprites.image(point, CARD_IMAGE);
    const id = element("p", { class: "id", text: model.ids[point] });
    this.whole.replaceChildren(...(image ? [image] : []), id, facts(model, point));
    this.whole.hidden = false;
    const { width, height } = this.whole.getBoundingClientRect();
    const left = Math.min(Math.max(x - width / 2, 4), window.innerWidth - width - 4);
    const above = y - height - CARD_GAP;
    const below = Math.min(y + CARD_GAP, window.innerHeight - height - 4);
    this.whole.style.left = `${Math.max(left, 4)}px`;
    this.whole.style.top = `${above >= 4 ? above : Math.max(below, 4)}px`;
  }
}

/** The panel that tells of the pinned point and of its nearest neighbours. */
export class Details {
  /** @param {function} pin called with the neighbour that is clicked */
  constructor(pin) {
    this.pin = pin;
    this.whole = element("section", { class: "details", "aria-label": "the chosen point" });
  }

  show(model, sprites) {
    const point = model.pinned;
    if (point < 0) {
      const hasNeighbours = model.views.some((view) => view.neighbours !== null);
      const hint = `Click a point to see its ${hasNeighbours ? "nearest neighbours" : "columns"}.`;
      this.whole.replaceChildren(element("p", { class: "hint", text: hint }));
      return;
    }
    const close = element("button", {
      type: "button", class: "close", text: "×", title: "Let go (Escape)",
      on: { click: () => this.pin(-1) },
    });
    const head = element("header", {}, element("h2", { text: model.ids[point] }), close);
    const image = sprites.image(point, PANEL_IMAGE);
    this.whole.replaceChildren(head, ...(image ? [image] : []), facts(model, point));
    const kin = model.familyOf(point).filter((each) => each !== point);
    if (kin.length) {
      const entries = kin.slice(0, MOST_KIN).map((each) => this.entry(model, sprites, { point: each }));
      const more = kin.length - entries.length;
      this.whole.append(
        element("h3", { text: "Of the same origin" }),
        element("ol", { class: "neighbours family" }, ...entries),
        ...(more > 0 ? [element("p", { class: "hint", text: `and ${more.toLocaleString("en")} more` })] : []),
      );
    }
    const near = model.neighboursOf(point);
    if (!near.length) return;
    this.whole.append(
      element("h3", { text: model.facts.neighbours_title, title: `by ${model.facts.distance_title}` }),
      element("p", { class: "hint", text: `by ${model.facts.distance_title}` }),
      element("ol", { class: "neighbours" }, ...near.map((one) => this.entry(model, sprites, one))),
    );
  }

  entry(model, sprites, { point, distance }) {
    const id = model.ids[point];
    const colour = model.colour?.text(point) ?? null;
    const said = model.colour?.isCategory === false && colour !== null ? shown(colour) : colour;
    const press = element(
      "button",
      { type: "button", "data-id": id, title: id, on: { click: () => this.pin(point) } },
      ...[sprites.image(point, NEIGHBOUR_IMAGE)].filter(Boolean),
      element("span", { class: "who" }, element("b", { text: id }),
        element("span", { text: said ?? "" })),
      ...(distance === undefined ? [] : [element("span", { class: "far", text: shown(distance) })]),
    );
    return element("li", {}, press);
  }
}
