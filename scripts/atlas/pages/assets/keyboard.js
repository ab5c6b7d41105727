/** Keys of a page, where no field has them for itself. */

const FIELDS = 'input:not([type="checkbox"]), select, textarea';

/**
 * Listen to keys.
 *
 * @param {HTMLDialogElement} help while it is open, keys are its own
 * @param {function} keys returns what each key does, by its name
 * @param {function} escape lets go of one thing
 */
export function listenToKeys(help, keys, escape) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const field = event.target.closest?.(FIELDS);
    if (event.key === "Escape") {
      escape();
      field?.blur();
      return;
    }
    if (field) return;
    const act = keys()[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}
