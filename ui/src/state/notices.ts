// Which notifications are shown is one setting, and several toggles: what two of them ask for at once both holds.

import type { Notices } from '../generated/Notices';
import { EVENT } from './asked';

type Name = keyof Notices;

export class NoticeChanges {
  #last: Promise<unknown> = Promise.resolve();
  /** Taken, but perhaps not told by the owner yet. */
  readonly #taken = new Map<Name, { on: boolean }>();

  /** Sends them one after the other, each with what was taken before it. In the end false if this one was refused. */
  change(
    name: Name,
    on: boolean,
    told: () => Notices,
    send: (notices: Notices) => Promise<boolean>,
  ): Promise<boolean> {
    const sent = this.#last.then(async () => {
      const before = [...this.#taken].map(([name, { on }]) => [name, on] as const);
      const isTaken = await send({ ...told(), ...Object.fromEntries(before), [name]: on });
      if (isTaken) this.#take(name, on);
      return isTaken;
    });
    this.#last = sent;
    return sent;
  }

  #take(name: Name, on: boolean): void {
    const taken = { on };
    this.#taken.set(name, taken);
    setTimeout(() => {
      if (this.#taken.get(name) === taken) this.#taken.delete(name);
    }, EVENT);
  }
}
