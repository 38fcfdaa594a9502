/** Tags of state machines and activities: names and values that tools keep; nothing here reads them. */
import type { Tags } from '../../workflow-asl/machine-store.ts';
import { arnField, type Fields } from './request-fields.ts';
import { errors } from './states-errors.ts';
import type { Operations, StatesBlockParts } from './states.ts';

const TAGS_MAX = 50;

/** As `tags` of a request has them. */
export function tagsField(fields: Fields): Tags {
  const { tags = [] } = fields;
  if (!Array.isArray(tags)) throw errors.validation("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must be a list");
  const entries = tags.map((tag: unknown): [string, string] => {
    const { key, value = '' } = (typeof tag === 'object' && tag !== null ? tag : {}) as { key?: unknown; value?: unknown };
    if (typeof key !== 'string' || key === '' || key.length > 128 || typeof value !== 'string' || value.length > 256) throw errors.validation('A tag has a key of 1 to 128 characters and a value of at most 256');
    return [key, value];
  });
  checkCount(entries.length);
  return Object.fromEntries(entries);
}

export function tagOperations({ store }: StatesBlockParts): Operations {
  async function tagged(fields: Fields): Promise<{ readonly tail: string; readonly arn: string }> {
    const { tail, kind, rest } = arnField(fields, 'resourceArn', ['stateMachine', 'activity']);
    const arn = String(fields['resourceArn']);
    if (!(kind === 'activity' ? await store.findActivity(rest) : await store.find(rest))) throw errors.resourceNotFound();
    return { tail, arn };
  }
  return {
    async TagResource(fields) {
      const { tail } = await tagged(fields);
      const added = tagsField(fields);
      await store.changeTags(tail, (tags) => {
        const all = { ...tags, ...added };
        checkCount(Object.keys(all).length);
        return all;
      });
      return {};
    },
    async UntagResource(fields) {
      const { tail } = await tagged(fields);
      const { tagKeys = [] } = fields;
      const gone = Array.isArray(tagKeys) ? tagKeys : [];
      await store.changeTags(tail, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.includes(key))));
      return {};
    },
    async ListTagsForResource(fields) {
      const { tail } = await tagged(fields);
      return { tags: Object.entries(await store.tags(tail)).map(([key, value]) => ({ key, value })) };
    },
  };
}

function checkCount(count: number): void {
  if (count > TAGS_MAX) throw errors.tooManyTags(TAGS_MAX);
}
