// Writes what the window has of Dutch into the files that the tray's program embeds. `cargo xtask bindings` runs this.

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const ui = new URL('..', import.meta.url);
const options = { configFile: false, root: fileURLToPath(ui), logLevel: 'error' };
const source = fileURLToPath(new URL('src/sentences/tray.ts', ui));
const { module } = await runnerImport(source, options);
const folder = new URL('../src-tauri/data/sentences/', ui);
await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(module.forTray())) await writeFile(new URL(name, folder), text);
