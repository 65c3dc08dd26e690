// The engine's images as rows: one for each name, since a name is what is pushed.

import type { ImageView } from '../generated/ImageView';
import { split } from './reference';

export interface ImageRow {
  image: ImageView;
  /** The whole name, `cr.boss.org:5000/app:v1`. */
  tag: string;
  host: string | null;
  repository: string;
  /** `v1`. */
  label: string | null;
}

/** In the engine's order; images without a name have no row. */
export function imageRows(images: readonly ImageView[]): ImageRow[] {
  return images.flatMap((image) =>
    image.tags.map((tag) => {
      const { host, rest } = split(tag);
      const colon = rest.lastIndexOf(':');
      const named = colon > rest.lastIndexOf('/');
      return {
        image,
        tag,
        host,
        repository: named ? rest.slice(0, colon) : rest,
        label: named ? rest.slice(colon + 1) : null,
      };
    }),
  );
}

/** Rows that have every word of the query in their name or id. */
export function matching(rows: readonly ImageRow[], query: string): readonly ImageRow[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter(({ tag, image }) =>
    words.every((word) => `${tag} ${image.id}`.toLowerCase().includes(word)),
  );
}
