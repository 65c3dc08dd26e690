// A registry's name, by the rules of `RegistryName` in the model; the owner checks again.

export type NameFlaw = 'empty' | 'too-long' | 'reserved' | 'not-a-host-name' | 'no-dot' | 'has-port';

/** What is wrong with a name, or null. */
export function nameFlaw(text: string): NameFlaw | null {
  const name = text.trim().toLowerCase();
  const labels = name.split('.');
  if (name === '') return 'empty';
  if (/^[a-z0-9.-]+:\d+$/.test(name)) return 'has-port';
  if (name.length > 253 || labels.some((label) => label.length > 63)) return 'too-long';
  if (name === 'localhost' || name.endsWith('.localhost') || isAddress(name)) return 'reserved';
  if (!labels.every((label) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label))) return 'not-a-host-name';
  if (/^\d+$/.test(labels.at(-1) ?? '')) return 'not-a-host-name';
  if (labels.length < 2) return 'no-dot';
  return null;
}

function isAddress(name: string): boolean {
  const octets = name.split('.');
  return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255);
}
