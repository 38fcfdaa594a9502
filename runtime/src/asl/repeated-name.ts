/** A name that one JSON object holds twice: parsers keep the last one and say nothing. */

export interface Repeated {
  readonly name: string;
  /** Of the object. */
  readonly path: string;
}

interface Level {
  /** undefined: a list. */
  readonly names: Set<string> | undefined;
  /** The member or item that is being read. */
  key: string | number;
}

/** The first such name in text that is valid JSON; linear, and without recursion. */
export function repeatedName(text: string): Repeated | undefined {
  const levels: Level[] = [];
  const pathOf = (): string => levels.slice(0, -1).map(({ key }) => `/${key}`).join('');
  for (let at = 0; at < text.length; at++) {
    const level = levels.at(-1);
    switch (text[at]) {
      case '{':
        levels.push({ names: new Set(), key: '' });
        break;
      case '[':
        levels.push({ names: undefined, key: 0 });
        break;
      case '}':
      case ']':
        levels.pop();
        break;
      case ',':
        if (typeof level?.key === 'number') level.key++;
        break;
      case '"': {
        const end = endOfText(text, at);
        if (level?.names && isName(text, end)) {
          const name = JSON.parse(text.slice(at, end)) as string;
          if (level.names.has(name)) return { name, path: pathOf() };
          level.names.add(name);
          level.key = name;
        }
        at = end - 1;
        break;
      }
      default:
    }
  }
  return undefined;
}

function endOfText(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

const COLON = /\s*:/y;

function isName(text: string, end: number): boolean {
  COLON.lastIndex = end;
  return COLON.test(text);
}
