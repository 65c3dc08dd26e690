// A control shows at once what a person asks for, so that the next click asks for the opposite; and what is set once that
// is answered. What is refused, or changed back elsewhere, comes with no new value that would put the control right.

/** How long after its answer the owner's event may take until it is shown, in milliseconds. */
export const EVENT = 500;

/** One for each control. An answer of false is a refusal. */
export class Asked {
  #last = 0;

  /** Shows what is set when the last question is answered. */
  async settle(answer: unknown, show: () => void): Promise<void> {
    this.#last += 1;
    const mine = this.#last;
    if ((await answer) !== false) await new Promise((done) => setTimeout(done, EVENT));
    if (mine === this.#last) show();
  }
}
