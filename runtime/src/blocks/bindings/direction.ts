/** What the runtime itself reads from the metadata of a binding: `direction` and `route` (behaviour.md 5.2). */

export interface Direction {
  /** `asked`: it is read without asking the app. `maybe`: when the app wants it. */
  readonly input: 'asked' | 'maybe' | 'never';
  readonly output: boolean;
}

type Words = Readonly<Record<string, string>>;

/** A comma list of `input` and `output`, in any case; absent or empty = both, as far as the component has them. */
export function directionOf(metadata: Words): Direction {
  const words = (valueOf(metadata, 'direction') ?? '').toLowerCase().split(',').map((word) => word.trim()).filter((word) => word !== '');
  if (words.length === 0) return { input: 'maybe', output: true };
  return { input: words.includes('input') ? 'asked' : 'never', output: words.includes('output') };
}

/** Path in the app, without leading slash: `route`, else the component's name. */
export function routeOf(name: string, metadata: Words): string {
  return (valueOf(metadata, 'route') || name).replace(/^\/+/, '');
}

function valueOf(metadata: Words, wanted: string): string | undefined {
  return Object.entries(metadata).find(([name]) => name.toLowerCase() === wanted)?.[1];
}
