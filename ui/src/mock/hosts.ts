// What a plan of the hosts file looks like.

import type { HostsAction } from '../generated/HostsAction';

const LINES = [
  '# Dockline: begin',
  '127.77.41.18 cr.boss.org',
  '127.77.9.3 registry.lab.example',
  '127.77.120.66 cr.home.example',
  '# Dockline: end',
];

const around = (sign: string, header: string) =>
  `--- /etc/hosts\n+++ /etc/hosts\n${header}\n 127.0.0.1 localhost\n 127.0.1.1 desk\n${LINES.map((line) => sign + line).join('\n')}\n`;

export const DIFF: Record<HostsAction, string> = {
  apply: around('+', '@@ -1,2 +1,7 @@'),
  undo: around('-', '@@ -1,7 +1,2 @@'),
};
