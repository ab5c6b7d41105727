/**
 * The page's data: JSON and typed arrays, gzipped in base64 within the page.
 *
 * Bytes: length of the JSON (uint32, little-endian), the JSON, zeros up to a multiple of 8, arrays.
 */

const KINDS = {
  u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, i4: Int32Array, f4: Float32Array,
};

/** Return the bytes of a base64 text. */
export function bytesOf(text) {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Return the text of an element that holds data. */
export function embedded(id) {
  return document.getElementById(id).textContent;
}

/** Return {facts, arrays}: the page's JSON, and typed arrays by name. */
export async function unpacked(id) {
  const stream = new Blob([bytesOf(embedded(id))]).stream();
  const buffer = await new Response(
    stream.pipeThrough(new DecompressionStream("gzip")),
  ).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const told = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = Math.ceil((4 + length) / 8) * 8;
  const arrays = new Map();
  for (const { name, kind, offset, count } of told.arrays) {
    arrays.set(name, new KINDS[kind](buffer, start + offset, count));
  }
  return { facts: told.facts, arrays };
}
