// Which of these belongs to which of those, at the least total cost: the Hungarian method with shortest augmenting paths.
// Knows nothing of faces.

/**
 * @param rows, columns how many there are on each side.
 * @param cost of joining a row with a column; `unmatched` or more: never joined.
 * @param unmatched what it costs to leave a row alone.
 * @returns for each row its column, or -1. O(rows² × (rows + columns)): 50 × 50 takes well under a millisecond.
 */
export function assign(
  rows: number,
  columns: number,
  cost: (row: number, column: number) => number,
  unmatched: number,
): Int32Array {
  const result = new Int32Array(rows).fill(-1);
  if (rows === 0 || columns === 0) return result;
  // Each row has a column of its own that means "alone", so that a full assignment always exists.
  const width = columns + rows;
  const costs = new Float64Array(rows * width).fill(2 * unmatched);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const price = cost(row, column);
      costs[row * width + column] = price < unmatched ? price : forbidden;
    }
    costs[row * width + columns + row] = unmatched;
  }
  const owner = leastCost(costs, rows, width);
  for (let column = 0; column < columns; column++) {
    const row = owner[column + 1]! - 1;
    if (row >= 0 && costs[row * width + column]! < unmatched) result[row] = column;
  }
  return result;
}

const forbidden = 1e9;

/** @returns for each column (counted from 1) its row (counted from 1), 0 for none. Needs `rows` ≤ `width`. */
function leastCost(costs: Float64Array, rows: number, width: number): Int32Array {
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(width + 1);
  const owner = new Int32Array(width + 1);
  const previous = new Int32Array(width + 1);
  const slack = new Float64Array(width + 1);
  const visited = new Uint8Array(width + 1);
  for (let row = 1; row <= rows; row++) {
    owner[0] = row;
    slack.fill(Number.POSITIVE_INFINITY);
    visited.fill(0);
    let column = 0;
    do {
      visited[column] = 1;
      const current = owner[column]!;
      let least = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let other = 1; other <= width; other++) {
        if (visited[other]) continue;
        const reduced =
          costs[(current - 1) * width + other - 1]! - rowPotential[current]! - columnPotential[other]!;
        if (reduced < slack[other]!) {
          slack[other] = reduced;
          previous[other] = column;
        }
        if (slack[other]! < least) {
          least = slack[other]!;
          next = other;
        }
      }
      for (let other = 0; other <= width; other++) {
        if (visited[other]) {
          rowPotential[owner[other]!]! += least;
          columnPotential[other]! -= least;
        } else slack[other]! -= least;
      }
      column = next;
    } while (owner[column] !== 0);
    while (column !== 0) {
      const from = previous[column]!;
      owner[column] = owner[from]!;
      column = from;
    }
  }
  return owner;
}
