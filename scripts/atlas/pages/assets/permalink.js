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
