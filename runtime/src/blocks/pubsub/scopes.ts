/** Who may publish to, or subscribe to, which topic: four entries of a pub/sub component's metadata (behaviour.md 3.7). */

export type TopicDirection = 'publish' | 'subscribe';

export interface TopicScopes {
  isAllowed(appId: string, topic: string, direction: TopicDirection): boolean;
}

/** Names of entries match in any case, blanks in values do not count, topics are compared as they are. */
export function topicScopesOf(metadata: Readonly<Record<string, string>>): TopicScopes {
  const entry = (name: string): string => {
    const key = Object.keys(metadata).find((given) => given.toLowerCase() === name);
    return (key === undefined ? '' : (metadata[key] ?? '')).replaceAll(' ', '');
  };
  const allowed = topicList(entry('allowedtopics'));
  const isProtected = topicList(entry('protectedtopics'));
  const granted = { publish: grants(entry('publishingscopes')), subscribe: grants(entry('subscriptionscopes')) };
  return {
    isAllowed(appId, topic, direction) {
      if (allowed.size > 0 && !allowed.has(topic)) return false;
      const mine = granted[direction].get(appId);
      return mine ? mine.has(topic) : !isProtected.has(topic);
    },
  };
}

function topicList(text: string): Set<string> {
  return new Set(text === '' ? [] : text.split(','));
}

/** `app1=t1,t2;app2=`: an app with an empty list may do nothing; an entry without `=` says nothing. */
function grants(text: string): Map<string, Set<string>> {
  const byApp = new Map<string, Set<string>>();
  for (const part of text.split(';')) {
    const at = part.indexOf('=');
    if (at > 0) byApp.set(part.slice(0, at), topicList(part.slice(at + 1)));
  }
  return byApp;
}
