// Words of transfers and their layers.

import type { LayerState } from '../generated/LayerState';
import type { TransferKind } from '../generated/TransferKind';
import type { TransferState } from '../generated/TransferState';
import type { Group } from '../state/groups';
import { plural } from './plural';

export const en = {
  transfers: {
    title: 'Transfers',
    emptyTitle: 'Nothing on its way',
    empty: 'Push an image from the Images page, drop an archive on this window, or pull by reference.',
    clear: 'Clear done and failed',
    all: (n: number) => `${n} transfers together`,
    groups: {
      running: 'Running',
      waiting: 'Waiting',
      failed: 'Failed or cancelled',
      done: 'Done',
    } satisfies Record<Group, string>,
    pause: 'Pause',
    pauseNamed: (what: string) => `Pause ${what}`,
    pauseAll: 'Pause all',
    resume: 'Resume',
    resumeNamed: (what: string) => `Resume ${what}`,
    resumeAll: 'Resume all',
    held: 'Paused: nothing new begins until you resume.',
    retryAll: 'Try all again',
    retryNamed: (what: string) => `Try again: ${what}`,
    copyReport: 'Copy for a bug report',
    sent: {
      push: (size: string) => `${size} sent`,
      pull: (size: string) => `${size} received`,
      ship: (size: string) => `${size} sent`,
      copy: (size: string) => `${size} moved`,
    } satisfies Record<TransferKind, (size: string) => string>,
    to: { push: 'to', pull: 'from', ship: 'to the Docker of', copy: 'to' } satisfies Record<
      TransferKind,
      string
    >,
    as: 'as',
    at: 'at',
    kind: { push: 'Push', pull: 'Pull', ship: 'Ship', copy: 'Copy' } satisfies Record<TransferKind, string>,
    state: {
      waiting: 'Waiting',
      paused: 'Paused',
      running: 'Running',
      verifying: 'Comparing digests',
      done: 'Done',
      failed: 'Failed',
      cancelled: 'Cancelled',
    } satisfies Record<TransferState['kind'], string>,
    preparing: 'Getting ready',
    waitingForTunnel: 'Waiting for the tunnel',
    reading: 'Reading the archive to find the name of its image',
    progress: (current: string, total: string) => `${current} of ${total}`,
    overall: (what: string) => `Progress of ${what}`,
    layer: (id: string) => `Layer ${id}`,
    layers: (n: number) => plural(n, 'layer', 'layers'),
    cancelNamed: (what: string) => `Cancel ${what}`,
    dismiss: 'Dismiss',
    dismissNamed: (what: string) => `Dismiss ${what}`,
    retry: 'Try again',
    digest: 'Digest',
    verified: 'Checked: exactly this image is there.',
    unverified: 'As the engine reports it; the registry was not asked.',
    skipped: (size: string) => `${size} was there already`,
    took: (duration: string) => `in ${duration}`,
  },
  layer: {
    waiting: 'waiting',
    transferring: 'sending',
    extracting: 'unpacking',
    retrying: 'again shortly',
    done: 'done',
    exists: 'there already',
    mounted: 'taken over',
  } satisfies Record<LayerState['kind'], string>,
  layerUnfinished: 'not finished',
  layerReceiving: 'receiving',
  layerRetrying: (seconds: number) => `again in ${seconds} s`,
  layerMounted: (from: string) => `taken from ${from}`,
};
