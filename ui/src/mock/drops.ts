// Files dragged over a plain browser. It tells a page their names, not their paths; for looking, names will do.

import type { Dropped, Folder, Listener } from '../backend/backend';

type Kind = 'enter' | 'over' | 'leave' | 'drop';

const pathOf = (name: string) => `/home/you/${name}`;

export function imitateDrops(listener: Listener): void {
  const report = (kind: Kind) => (event: DragEvent) => {
    event.preventDefault();
    const { clientX: x, clientY: y } = event;
    // What is in a folder can be seen once it was let go; until then, nothing is known of anything.
    void (kind === 'drop' ? look(event.dataTransfer) : Promise.resolve({ paths: [] })).then((dropped) =>
      listener.drop({ kind, ...dropped, x, y }),
    );
  };
  window.addEventListener('dragenter', report('enter'));
  window.addEventListener('dragover', report('over'));
  window.addEventListener('drop', report('drop'));
  window.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) report('leave')(event);
  });
  // The pictures drive it from outside.
  window.addEventListener('mock-drop', (event) => listener.drop((event as CustomEvent).detail));
}

/** As the shell does. */
async function look(data: DataTransfer | null): Promise<Dropped> {
  // They are gone once this function waits for something.
  const entries = [...(data?.items ?? [])].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const folders = entries.filter((entry) => entry.isDirectory) as FileSystemDirectoryEntry[];
  const looked = folders.map(async (folder): Promise<Folder> => {
    const found = await Promise.all(['oci-layout', 'index.json'].map((name) => hasFile(folder, name)));
    return { path: pathOf(folder.name), isLayout: found.every(Boolean) };
  });
  return { paths: entries.map(({ name }) => pathOf(name)), folders: await Promise.all(looked) };
}

function hasFile(folder: FileSystemDirectoryEntry, name: string): Promise<boolean> {
  return new Promise((resolve) =>
    folder.getFile(
      name,
      {},
      () => resolve(true),
      () => resolve(false),
    ),
  );
}
