// Where an image is in the registries, as far as this machine knows: what the engine has on record, and pushes that
// ended well. That an image is named for a registry says nothing yet.

import type { ImageView } from '../generated/ImageView';
import type { RegistryView } from '../generated/RegistryView';
import type { TransferView } from '../generated/TransferView';
import { registryOf, split } from './reference';

/** The registries that have it, by name. */
export function pushedTo(
  image: ImageView,
  registries: readonly RegistryView[],
  transfers: readonly TransferView[],
): string[] {
  const recorded = image.heldAt.flatMap((repository) => {
    const { host } = split(repository);
    const registry = host === null ? null : registryOf(host, registries);
    return registry ? [registry.spec.name] : [];
  });
  const sent = transfers
    .filter(
      ({ kind, state, source, finished }) =>
        kind === 'push' &&
        state.kind === 'done' &&
        image.tags.includes(source) &&
        // What was built under that name since then is another image.
        (finished ?? 0) >= image.created,
    )
    .map(({ registry }) => registry);
  return [...new Set([...recorded, ...sent])];
}
