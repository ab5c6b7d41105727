/** Elements of the page; every text enters as text, never as markup. */

/**
 * Return a new element.
 *
 * @param {string} tag
 * @param {object} given attributes; `text`, `on` (event to handler) and `class` beside them
 * @param {...(Node|string)} children
 */
export function element(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "text") made.textContent = value;
    else if (name === "on") {
      for (const [event, handler] of Object.entries(value)) made.addEventListener(event, handler);
    } else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value);
    }
  }
  made.append(...children);
  return made;
}

/** Return a drop-down list with a label; `choose` gets the index of what is chosen. */
export function dropDown(label, options, chosen, choose) {
  const list = element("select", {
    "aria-label": label,
    on: { change: () => choose(list.selectedIndex) },
  });
  options.forEach((text, place) => list.append(element("option", { text, value: place })));
  list.selectedIndex = chosen;
  const whole = element("label", { class: "control" }, element("span", { text: label }), list);
  return { whole, show: (place) => (list.selectedIndex = place), list };
}

/** Return a button. */
export function button(text, title, press) {
  return element("button", { type: "button", text, title, on: { click: press } });
}

/** Return a switch with a label. */
export function toggle(label, title, turn) {
  const box = element("input", { type: "checkbox", title, on: { change: () => turn(box.checked) } });
  const whole = element("label", { class: "control", title }, box, element("span", { text: label }));
  return { whole, show: (isOn) => (box.checked = isOn) };
}

/** Show a number with four significant digits; whole ones in full. */
export function shown(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}
