/** What colours mean, and filters: a list of categories, or a scale with a range. */

import { categoryColours, css, rampColour } from "./colours.js";
import { element, shown } from "./elements.js";

const MANY = 14;

/** The legend of the column that colours the points. */
export class Legend {
  /** @param {function} changed called when a filter has changed */
  constructor(changed) {
    this.changed = changed;
    this.whole = element("section", { class: "legend", "aria-label": "legend and filter" });
  }

  show(model, look, isDark) {
    const column = model.colour;
    if (!column) {
      this.whole.replaceChildren();
      return;
    }
    const head = element("header", {}, element("h2", { text: column.title }));
    if (model.columns.some((each) => each.isFiltering)) {
      head.append(
        element("button", {
          type: "button", class: "clear", text: "show all",
          on: { click: () => this.clear(model) },
        }),
      );
    }
    const others = model.columns.filter((each) => each !== column && each.isFiltering);
    const chips = others.map((each) => this.chip(each));
    const body = column.isCategory
      ? this.categories(column, look, isDark)
      : this.scale(column, look, isDark);
    this.whole.replaceChildren(head, ...chips, ...body);
  }

  clear(model) {
    for (const column of model.columns) column.clear();
    this.changed();
  }

  chip(column) {
    const clear = () => {
      column.clear();
      this.changed();
    };
    const text = `${column.title} is filtered ×`;
    return element("button", { type: "button", class: "chip", text, on: { click: clear } });
  }

  categories(column, look, isDark) {
    const { colours, repeats } = categoryColours(look.categories, column.categories.length, isDark);
    const order = column.categories.map((_, code) => code).filter((code) => column.counts[code]);
    const list = element("ul", { class: "categories" });
    for (const code of order) list.append(this.category(column, code, colours[code]));
    const parts = [list];
    if (order.length > MANY) {
      const filter = element("input", {
        type: "search", placeholder: `one of ${order.length}`, "aria-label": "find a category",
        on: {
          input: () => {
            const wanted = filter.value.toLowerCase();
            for (const row of list.children) {
              row.hidden = !row.textContent.toLowerCase().includes(wanted);
            }
          },
        },
      });
      parts.unshift(filter);
    }
    if (repeats) parts.push(element("p", { class: "hint", text: "Colours come round again." }));
    return parts;
  }

  category(column, code, colour) {
    const press = element(
      "button",
      {
        type: "button", "data-category": column.categories[code],
        "aria-pressed": String(!column.hidden.has(code)),
        title: "Click: hide or show. Alt-click or double-click: only this one",
        on: {
          click: (event) => this.press(column, code, event.altKey),
          dblclick: () => this.press(column, code, true),
        },
      },
      element("span", { class: "dot" }),
      element("span", { class: "name", text: column.categories[code] || "(empty)" }),
      element("span", { class: "count", text: column.counts[code].toLocaleString("en") }),
    );
    press.firstChild.style.backgroundColor = css(colour);
    return element("li", {}, press);
  }

  press(column, code, isAlone) {
    const all = column.categories.map((_, each) => each);
    if (isAlone) {
      const others = all.filter((each) => each !== code);
      const wasAlone = others.every((each) => column.hidden.has(each)) && !column.hidden.has(code);
      column.hidden = new Set(wasAlone ? [] : others);
    } else if (!column.hidden.delete(code)) column.hidden.add(code);
    this.changed();
  }

  scale(column, look, isDark) {
    const ramp = isDark ? [...look.ramp].reverse() : look.ramp;
    const bar = element("div", { class: "ramp", "aria-hidden": "true" });
    const stops = Array.from({ length: 9 }, (_, i) => css(rampColour(ramp, i / 8)));
    bar.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
    const ends = element(
      "div", { class: "ends" },
      element("span", { text: shown(column.low) }),
      element("span", { text: shown((column.low + column.high) / 2) }),
      element("span", { text: shown(column.high) }),
    );
    const [low, high] = column.range ?? [column.low, column.high];
    const input = (label, value) =>
      element("input", {
        type: "number", step: "any", value: Number(value.toPrecision(6)), "aria-label": label,
        on: { change: () => this.narrow(column, from, to) },
      });
    const from = input(`${column.title} from`, low);
    const to = input(`${column.title} to`, high);
    const range = element(
      "div", { class: "range" }, element("span", { text: "only" }), from,
      element("span", { text: "to" }), to,
    );
    const lacking = `${column.lacking.toLocaleString("en")} points have none and are grey.`;
    return [bar, ends, range, ...(column.lacking ? [element("p", { class: "hint", text: lacking })] : [])];
  }

  narrow(column, from, to) {
    const [low, high] = [from.valueAsNumber, to.valueAsNumber];
    const given = [Number.isNaN(low) ? column.low : low, Number.isNaN(high) ? column.high : high];
    const tiny = (column.high - column.low) * 1e-6;
    const isAll = given[0] <= column.low + tiny && given[1] >= column.high - tiny;
    column.range = isAll ? null : given;
    this.changed();
  }
}
