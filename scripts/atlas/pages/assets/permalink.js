/** What is seen, as text in the address: it can be sent to others, who see the same. */

/** Return a Map of what an address's hash says. */
export function told(hash) {
  const found = new Map();
  for (const part of hash.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at < 0) continue;
    try {
      found.set(decodeURIComponent(part.slice(0, at)), decodeURIComponent(part.slice(at + 1)));
    } catch (error) {
      console.info("a part of the address is no text", part, error.message);
    }
  }
  return found;
}

/** Return the hash that says these pairs. */
export function hashOf(pairs) {
  return pairs
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join("&");
}

const AT_REST_MS = 120;

/** The page's address, kept in step with what is chosen, and followed when another is given. */
export class Address {
  /**
   * @param {function} say returns the hash of what is chosen
   * @param {function} follow sets what an address's hash says
   */
  constructor(say, follow) {
    this.say = say;
    this.follow = follow;
    this.known = null;
    window.addEventListener("hashchange", () => this.read());
  }

  /** Follow the address, unless it is what the page itself has written. */
  read() {
    if (location.hash === this.known) return;
    this.known = location.hash;
    this.follow(this.known);
  }

  /** Write the address, at rest. */
  keep() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      if (location.hash !== this.known) return; // someone has just given another, to be followed
      history.replaceState(null, "", `#${this.say()}`);
      this.known = location.hash;
    }, AT_REST_MS);
  }
}
