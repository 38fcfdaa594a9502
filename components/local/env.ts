/** `secretstores.local.env`: the environment of the sidecar as a secret store; for development. */
import { defineComponent, field } from '../kit/index.ts';
import type { SecretStore } from '../kit/index.ts';

/** What is meant for the sidecar itself is nobody's secret to read. */
function isHidden(name: string): boolean {
  const upper = name.toUpperCase();
  return upper === 'APP_API_TOKEN' || upper.startsWith('DAPR_') || upper.startsWith('MECHA_');
}

export default defineComponent({
  type: 'secretstores.local.env',
  versions: ['v1'],
  status: 'stable',
  title: 'Environment variables',
  description: 'Reads secrets from the environment of the sidecar.',
  metadata: {
    prefix: field.string('Put before every name; names are read and listed without it.', { default: '' }),
  },
  features: [],
  create({ options, env }): SecretStore {
    return {
      async get({ name }) {
        const full = options.prefix + name;
        // The contract has an empty text for a variable that is not there.
        return { [name]: isHidden(full) ? '' : (env[full] ?? '') };
      },
      async getAll() {
        const all: Record<string, Record<string, string>> = {};
        for (const [full, value] of Object.entries(env)) {
          if (value === undefined || isHidden(full) || !full.startsWith(options.prefix)) continue;
          const name = full.slice(options.prefix.length);
          all[name] = { [name]: value };
        }
        return all;
      },
    };
  },
});
