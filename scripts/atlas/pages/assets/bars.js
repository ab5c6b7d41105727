/** Small charts as SVG. */

const SVG = "http://www.w3.org/2000/svg";

/** Return an element of SVG; every text enters as text. */
export function drawn(tag, given = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "text") made.textContent = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const WIDE = 320;
const HIGH = 92;
const FOOT = 16;
const SIDE = 6;

/**
 * Return a histogram of tensors by relative L2.
 *
 * @param {number[]} edges log10 of each bin's lower edge, and of the last one's upper edge
 * @param {Iterable<number>} counts of tensors in each bin
 */
export function histogram(edges, counts) {
  const bins = [...counts];
  const used = bins.map((count, at) => (count ? at : -1)).filter((at) => at >= 0);
  const [first, last] = used.length ? [Math.max(used[0] - 1, 0), Math.min(used[used.length - 1] + 1, bins.length - 1)] : [0, 0];
  const most = Math.max(...bins, 1);
  const width = (WIDE - 2 * SIDE) / (last - first + 1);
  const chart = drawn("svg", {
    viewBox: `0 0 ${WIDE} ${HIGH + FOOT}`, class: "histogram", role: "img",
    "aria-label": "histogram of tensors by relative L2",
  });
  for (let at = first; at <= last; at += 1) {
    const high = (bins[at] / most) * (HIGH - 14);
    const x = SIDE + (at - first) * width;
    if (bins[at]) {
      const bar = drawn("rect", { x: x + 0.5, y: HIGH - high, width: Math.max(width - 1, 1), height: high });
      bar.append(drawn("title", { text: `${bins[at]} tensors from 1e${edges[at]} to 1e${edges[at + 1]}` }));
      chart.append(bar, drawn("text", { x: x + width / 2, y: HIGH - high - 3, "text-anchor": "middle", text: String(bins[at]) }));
    }
    if (Number.isInteger(edges[at])) {
      chart.append(drawn("line", { x1: x, x2: x, y1: HIGH, y2: HIGH + 4 }),
        drawn("text", { x, y: HIGH + FOOT - 2, "text-anchor": at === first ? "start" : "middle", text: `1e${edges[at]}`.replace("-", "−") }));
    }
  }
  chart.append(drawn("line", { x1: SIDE, x2: WIDE - SIDE, y1: HIGH, y2: HIGH }));
  return chart;
}
