/** A tree's clades: which are collapsed, and the rows that are left to draw. */

const AT_FIRST = 60;

/** The tree of a square: nodes in an order in which each stands after its parent. */
export class Clades {
  /** @param {object} tree parent, depth, negative, tip (node of a model, or -1) */
  constructor(tree) {
    Object.assign(this, tree);
    this.count = tree.parent.length;
    this.children = Array.from({ length: this.count }, () => []);
    for (let node = 1; node < this.count; node += 1) this.children[tree.parent[node]].push(node);
    this.models = Array.from({ length: this.count }, () => []);
    tree.tip.forEach((node, model) => node >= 0 && this.models[node].push(model));
    this.deepest = Math.max(...tree.depth, 0);
    this.height = new Float32Array(this.count);
    for (let node = this.count - 1; node > 0; node -= 1) {
      const above = tree.parent[node];
      this.height[above] = Math.max(this.height[above], this.height[node] + tree.depth[node] - tree.depth[above]);
    }
  }

  isTip(node) {
    return !this.children[node].length;
  }

  /** Count, per node, the models below it that are wanted. */
  counts(wants) {
    const counts = new Int32Array(this.count);
    for (let node = this.count - 1; node >= 0; node -= 1) {
      counts[node] += this.models[node].filter(wants).length;
      if (node) counts[this.parent[node]] += counts[node];
    }
    return counts;
  }

  /** Return the height up to which clades are collapsed, so that few enough rows are left. */
  cutFor(counts, most = AT_FIRST) {
    if (counts[0] <= most) return -1;
    const heights = [...new Set(this.height)].sort((a, b) => a - b);
    let [low, high] = [0, heights.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rowsAt(heights[middle], counts) <= most) high = middle;
      else low = middle + 1;
    }
    return heights[low];
  }

  rowsAt(cut, counts) {
    let rows = 0;
    this.walk(counts, (node) => this.height[node] <= cut && !this.isTip(node), (node, isClosed) => {
      rows += isClosed ? 1 : counts[node];
    });
    return rows;
  }

  /** Visit the tips and the collapsed clades that are left, from top to bottom. */
  walk(counts, isClosed, visit) {
    const stack = [0];
    while (stack.length) {
      const node = stack.pop();
      if (!counts[node]) continue;
      if (this.isTip(node)) visit(node, false);
      else if (node && isClosed(node) && counts[node] > 1) visit(node, true);
      else for (let at = this.children[node].length - 1; at >= 0; at -= 1) stack.push(this.children[node][at]);
    }
  }

  /** Return all wanted models below a node. */
  below(node, wants) {
    const found = [];
    const stack = [node];
    while (stack.length) {
      const next = stack.pop();
      found.push(...this.models[next].filter(wants));
      for (let at = this.children[next].length - 1; at >= 0; at -= 1) stack.push(this.children[next][at]);
    }
    return found;
  }
}

/**
 * Lay a tree out: a row for each model, or for each collapsed clade.
 *
 * @returns {{rows: object[], y: Map, counts: Int32Array}} rows of {node, model} or {node, count};
 *   y: of nodes that are drawn, in rows
 */
export function rowsOf(clades, { wants, cut, toggled }) {
  const counts = clades.counts(wants);
  const limit = cut === "open" ? -1 : cut === "closed" ? clades.cutFor(counts, 12) : clades.cutFor(counts);
  const isClosed = (node) => (clades.height[node] <= limit) !== toggled.has(node);
  const rows = [];
  const y = new Map();
  clades.walk(counts, isClosed, (node, closed) => {
    const start = rows.length;
    if (closed) rows.push({ node, count: counts[node] });
    else for (const model of clades.models[node].filter(wants)) rows.push({ node, model });
    y.set(node, (start + rows.length) / 2);
  });
  const above = [...y.keys()].sort((a, b) => b - a);
  const span = new Map();
  for (const node of above) place(clades, node, y, span);
  return { rows, y, counts };
}

/** Hand a node's place on to its parent, which stands in the middle of its first and last child. */
function place(clades, tip, y, span) {
  let node = tip;
  while (node > 0) {
    const parent = clades.parent[node];
    const at = y.get(node);
    const [low, high] = span.get(parent) ?? [at, at];
    span.set(parent, [Math.min(low, at), Math.max(high, at)]);
    const [first, last] = span.get(parent);
    y.set(parent, (first + last) / 2);
    node = parent;
  }
}
