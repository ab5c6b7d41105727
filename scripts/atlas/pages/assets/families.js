/** Which points come from which: origins, and the families of one first origin. */

/** Families of points, by the row of each point's origin, or -1. */
export class Families {
  /** @param {Int32Array} origins they lead round in no circle */
  constructor(origins) {
    this.origins = origins;
    this.firsts = origins.map((_, point) => firstOf(origins, point));
    this.members = new Map();
    this.firsts.forEach((first, point) => {
      if (!this.members.has(first)) this.members.set(first, []);
      this.members.get(first).push(point);
    });
  }

  /** Return all that go back to the same first origin, with it, in the table's order. */
  of(point) {
    return this.members.get(this.firsts[point]);
  }

  /** Return the points that have a line to their origin: both are there in the model's view. */
  lines(model) {
    return this.among(model, model.current.points);
  }

  /** Return those of some points that have a line to their origin. */
  among(model, points) {
    return points.filter((point) => {
      const origin = this.origins[point];
      return origin >= 0 && model.isThere(point) && model.isThere(origin);
    });
  }

  /** Return those of some points that are of the families of others. */
  related(points, others) {
    const wanted = new Set(others.map((point) => this.firsts[point]));
    return points.filter((point) => wanted.has(this.firsts[point]));
  }
}

function firstOf(origins, point) {
  let first = point;
  while (origins[first] >= 0) first = origins[first];
  return first;
}
