/** Light or dark: as the system has it, until the reader chooses. */

const root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** Return whether the page is dark now. */
export function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
}

/** Turn dark into light, or light into dark. */
export function turn() {
  root.dataset.theme = isDark() ? "light" : "dark";
}

/** Call a function when the system changes its mind. */
export function onChange(changed) {
  dark.addEventListener("change", changed);
}
