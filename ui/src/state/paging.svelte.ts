// A long list, drawn a piece at a time: 10,000 rows at once would hold the window up for a second.

const PIECE = 80;

export class Paging {
  #drawn = $state(PIECE);

  /** The rows that are drawn now. */
  shown<T>(all: readonly T[]): readonly T[] {
    return all.length <= this.#drawn ? all : all.slice(0, this.#drawn);
  }

  left(all: readonly unknown[]): number {
    return Math.max(0, all.length - this.#drawn);
  }

  more = () => {
    this.#drawn += PIECE;
  };

  /** Back to the top, as for a new search. */
  reset(): void {
    this.#drawn = PIECE;
  }
}
