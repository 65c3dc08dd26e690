// The proof of the way to a registry: what the page makes of the owner's reports.

import type { Command } from '../generated/Command';
import type { DoctorReport } from '../generated/DoctorReport';
import type { RegistryName } from '../generated/RegistryName';
import type { Snapshot } from '../generated/Snapshot';
import { saidPlainly } from '../sentences/sentences';
import { t } from '../strings';
import type { Store } from './store.svelte';

/** The latest report of a registry: the one under way, or the last that ended. */
export function reportOn(snapshot: Snapshot | null, registry: RegistryName): DoctorReport | null {
  return snapshot?.doctors.findLast((report) => report.registry === registry && !report.isCandidate) ?? null;
}

/** How many links hold. */
export function passed(report: DoctorReport): number {
  return report.links.filter(({ state }) => state.kind === 'passed').length;
}

/** What a screen reader is told: the end in one sentence with what broke, and on the way only a link that does not hold. */
export function spokenLink(report: DoctorReport): string {
  for (const { link, state } of report.links) {
    if (state.kind !== 'failed') continue;
    if (!report.summary) return t.doctor.spokenFailed(t.doctor.links[link]);
    const { message, hint } = state.error;
    return [report.summary, message, hint ?? '']
      .filter((words) => words !== '')
      .map(saidPlainly)
      .join(' ');
  }
  return report.summary ? saidPlainly(report.summary) : '';
}

/** Does what a remedy's button says. A plan is shown first: false then, since nothing is mended yet. */
export async function carryOut(store: Store, command: Command, registry: RegistryName): Promise<boolean> {
  switch (command.kind) {
    case 'plan-setup':
      store.dialog = { kind: 'setup', action: command.action, registry: command.registry };
      return false;
    case 'plan-hosts':
      store.dialog = { kind: 'setup', action: command.action, registry };
      return false;
    case 'login':
      store.dialog = { kind: 'login', registry: command.registry };
      return false;
    default:
      return store.attempt(command);
  }
}
