/** Keys as stored, by the component's `keyPrefix` (behaviour.md 4.1), and back. */

const SEPARATOR = '||';

export interface KeySpace {
  /** The stored key; undefined when the user's key holds the separator. */
  stored(key: string): string | undefined;
  /** The user's key of a stored one: the second part of a three-way split, or the whole. */
  user(stored: string): string;
}

/** `metadata`: the component's, names in any case. Throws when the literal prefix holds the separator. */
export function keySpaceOf(component: { name: string; metadata: Readonly<Record<string, string>> }, appId: string, namespaceOfEnv: string | undefined): KeySpace {
  const entry = Object.entries(component.metadata).find(([name]) => name.toLowerCase() === 'keyprefix');
  const prefix = prefixOf(entry?.[1].toLowerCase() ?? 'appid', component.name, appId, namespaceOfEnv);
  if (prefix.includes(SEPARATOR)) throw new Error(`the keyPrefix of component ${component.name} may not contain '||'`);
  const front = prefix === '' ? '' : `${prefix}${SEPARATOR}`;
  return {
    stored: (key) => (key.includes(SEPARATOR) ? undefined : front + key),
    user: (stored) => {
      const parts = stored.split(SEPARATOR);
      return parts.length > 1 ? (parts[1] ?? stored) : stored;
    },
  };
}

function prefixOf(strategy: string, store: string, appId: string, namespaceOfEnv: string | undefined): string {
  switch (strategy) {
    case '':
    case 'appid':
      return appId;
    case 'name':
      return store;
    case 'namespace':
      return namespaceOfEnv ? `${namespaceOfEnv}.${appId}` : appId;
    case 'none':
      return '';
    default:
      return strategy;
  }
}
