/**
 * `bindings.redis`: plain keys of a Redis server, created, read, deleted and counted up by the app.
 *
 * A value is the text or the bytes of the request as they came (over HTTP: JSON), so that `get` answers what `create` was
 * given. Keys have no prefix; they are not those of `state.redis`, which holds hashes.
 */
import { BindingError, defineComponent, flagOf, ttlMsOf, unlessAborted, type Binding, type BindingFault, type BindingRequest, type BindingResponse, type ComponentContext } from '@mecha/components/kit';
import { connectionMetadata, plainError, RedisConnection, type ConnectionOptions } from './connection.ts';
import { defineScript, runScript } from './script.ts';

/** KEYS key. ARGV milliseconds to live, or ''. The count and its expiry are set together, or not at all. */
const countScript = defineScript(`
local count = redis.call('INCR', KEYS[1])
if ARGV[1] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
`);

const TTL_MAX_MS = (2 ** 31 - 1) * 1000;
const key = { description: 'Name of the key, letter by letter.', required: true } as const;
const ttlInSeconds = { description: 'Age at which the key expires, such as 30 (seconds) or 5m; also `ttl`. Never when absent.' } as const;

function createBinding(context: ComponentContext<ConnectionOptions>): Binding {
  const connection = new RedisConnection(context.options, context);
  let closed = false;

  const run = async ({ operation, data, metadata }: BindingRequest): Promise<BindingResponse | undefined> => {
    const name = metadata['key'] ?? '';
    const { client } = connection;
    switch (operation) {
      case 'create': {
        const ttlMs = ttlMsOf(metadata, TTL_MAX_MS);
        const value = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        await (ttlMs === undefined ? client.set(name, value) : client.set(name, value, 'PX', ttlMs));
        return undefined;
      }
      case 'get': {
        const value = flagOf(metadata, 'delete', false) ? await client.getdelBuffer(name) : await client.getBuffer(name);
        return value === null ? undefined : { data: value };
      }
      case 'delete':
        await client.del(name);
        return undefined;
      default:
        await runScript(client, countScript, [name], [ttlMsOf(metadata, TTL_MAX_MS) ?? '']);
        return undefined;
    }
  };

  return {
    connect: (signal) => {
      closed = false;
      return connection.connect(signal);
    },
    ping: () => connection.ping(),
    close: () => {
      closed = true;
      return connection.close();
    },
    async invoke(request, signal) {
      if (closed) throw new BindingError('unavailable', 'the connection to Redis is closed');
      try {
        return await unlessAborted(run(request), signal);
      } catch (error) {
        signal.throwIfAborted();
        throw failureOf(error);
      }
    },
  };
}

const REPLIES: readonly (readonly [RegExp, BindingFault])[] = [
  [/^(WRONGTYPE|ERR value is not an integer|ERR increment or decrement would overflow)/, 'invalid-data'],
  [/^NOPERM/, 'denied'],
  [/^(OOM|READONLY|MISCONF|NOREPLICAS)/, 'failed'],
  [/did not answer in time/, 'timeout'],
];

function failureOf(error: unknown): BindingError {
  if (error instanceof BindingError) return error;
  // A script's place says nothing to a caller.
  const message = plainError(error).message.replace(/ script: \w+, on @user_script:\d+\.?$/, '');
  const fault = REPLIES.find(([form]) => form.test(message))?.[1] ?? (/^(ERR|EXECABORT|NOSCRIPT) /.test(message) ? 'failed' : 'unavailable');
  return new BindingError(fault, `Redis: ${message}`);
}

export default defineComponent({
  type: 'bindings.redis',
  versions: ['v1'],
  status: 'stable',
  title: 'Redis',
  description: 'Plain keys of a Redis or Valkey server.',
  durability: 'As durable as the server is told to be: see state.redis.',
  metadata: connectionMetadata,
  features: ['OUTPUT_BINDING'],
  operations: {
    create: { description: 'Sets the key to the data, whatever it held.', metadata: { key, ttlInSeconds }, data: 'the value, as bytes' },
    get: {
      description: 'Reads the key.',
      metadata: { key, delete: { description: '`true`: deletes the key in the same step.' } },
      result: 'the value; nothing where there is no such key',
    },
    delete: { description: 'Deletes the key, if there is one.', metadata: { key } },
    increment: { description: 'Counts the key up by one, from 0 where there is none.', metadata: { key, ttlInSeconds } },
  },
  library: 'ioredis',
  create: createBinding,
});
