// Where an image is in the registries, as far as this machine knows: its names there, and pushes that ended well.

import type { ImageView } from '../generated/ImageView';
import type { RegistryView } from '../generated/RegistryView';
import type { TransferView } from '../generated/TransferView';
import { registryOf, split } from './reference';

/** The registries that got it, by name. */
export function pushedTo(
  image: ImageView,
  registries: readonly RegistryView[],
  transfers: readonly TransferView[],
): string[] {
  const named = image.tags.flatMap((tag) => {
    const { host } = split(tag);
    const registry = host === null ? null : registryOf(host, registries);
    return registry ? [registry.spec.name] : [];
  });
  const sent = transfers
    .filter(
      ({ kind, state, source }) => kind === 'push' && state.kind === 'done' && image.tags.includes(source),
    )
    .map(({ registry }) => registry);
  return [...new Set([...named, ...sent])];
}
